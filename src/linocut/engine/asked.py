"""What the operator asks of the device. Knows no torch: the way in takes it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from linocut.bases.plan import Precision, Purpose, TowerPlace


@dataclass(frozen=True)
class Remote:
    """``devices`` of other nodes that learn with those of this machine; they come to ``listen`` (HOST:PORT) and know
    ``secret``."""

    devices: int
    listen: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Room:
    """``memory_bytes``: what orders and passes may take beside the base, 0 for what is free. ``purpose``: what the plan
    must have room for. ``precision``, ``tower``: as asked, "auto" for what fits. ``told`` is called with the name of
    each part as its loading begins, and the bytes loaded before it and in all. ``devices``: how many learn together;
    ``divided``: each keeps a part of the base. ``remote``: further ones, of other nodes."""

    memory_bytes: int = 0
    purpose: Purpose = "both"
    precision: Precision | Literal["auto"] = "auto"
    tower: TowerPlace | Literal["auto"] = "auto"
    devices: int = 1
    divided: bool = False
    remote: Remote | None = None
    told: Callable[[str, int, int], object] = field(default=lambda _part, _before, _all: None)
