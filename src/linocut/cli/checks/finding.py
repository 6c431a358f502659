"""What a look of the doctor found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``mend``: what to do when it is not ``ok``, as a command to type where there is one."""

    name: str
    ok: bool
    found: str
    mend: str = ""
