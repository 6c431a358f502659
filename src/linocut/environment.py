"""The settings as this process was given them, and a sentence for each that is wrong or not known.

``Settings`` itself only validates; every process and every verb reads its settings here, so that a wrong value is told
in the same words everywhere.
"""

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from linocut.errors import InvalidRequest
from linocut.settings import Settings

PREFIX = "LINOCUT_"
CLIENTS = ("LINOCUT_URL", "LINOCUT_API_KEY", "LINOCUT_API_KEY_FILE")
"""What the client verbs read."""
TESTS = ("LINOCUT_FAKE_STEP_SECONDS", "LINOCUT_SOAK")
"""What the fake engine and the tests read."""

MOST_SHOWN = 60
"""Characters of a wrong value that its sentence repeats."""

_KINDS: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}


def settings_with(**given: object) -> Settings:
    """The environment's settings, with what the command line gives (not None) in their place.

    ``InvalidRequest`` names each variable or option that is wrong, what it is and what it takes.
    """
    settings, wrong = settings_where_right(**given)
    if wrong:
        raise InvalidRequest(wrong)
    return settings


def settings_where_right(**given: object) -> tuple[Settings, str]:
    """The settings, with the default in place of each wrong one, and a sentence for each of those; "" for none."""
    told: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**told), ""
    except ValidationError as error:
        faults = error.errors()
    sentences = " ".join(_sentence(fault, told) for fault in faults)
    names = {str(fault["loc"][0]) for fault in faults if fault["loc"]}
    names |= {name.lower() for name in re.findall(rf"{PREFIX}(\w+)", sentences)}  # two that do not fit are both told
    defaults = {name: Settings.model_fields[name].default for name in names if name in Settings.model_fields}
    return Settings(**{**told, **defaults}), sentences


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence for each variable of the prefix that nothing reads, with the known name that is most like it."""
    named = sorted(name for name in environment if name.startswith(PREFIX))
    known = [*(f"{PREFIX}{name.upper()}" for name in Settings.model_fields), *CLIENTS]
    return [_unknown(name, known) for name in named if name.upper() not in known and name not in TESTS]


def _unknown(name: str, known: list[str]) -> str:
    own = [one.removeprefix(PREFIX) for one in known]  # the prefix alone makes all of them alike
    near = difflib.get_close_matches(name.upper().removeprefix(PREFIX), own, n=1, cutoff=0.6)
    meant = f"did you mean {PREFIX}{near[0]}?" if near else "docs/settings.md lists the variables that it reads."
    return f"linocut reads no variable {name}; {meant}"


def _sentence(error: ErrorDetails, given: Mapping[str, object]) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    called = f"--{name.replace('_', '-')}" if name in given else f"{PREFIX}{name.upper()}"
    reason = error.get("ctx", {}).get("error")
    if reason is not None and error["type"] in ("value_error", "assertion_error"):  # a validator's own sentence
        return str(reason) if called in str(reason) else f"{called}: {reason}"
    value = str(error["input"])
    shown = value if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]}…"
    return f"{called} is {shown!r}; it takes {_takes(name)}."


def _takes(name: str) -> str:
    """What a setting takes, in words: ``a whole number from 0 to 65535``."""
    field = Settings.model_fields[name]
    limits: dict[str, Any] = {}
    for rule in field.metadata:
        for limit in ("ge", "gt", "le", "lt", "pattern"):
            if getattr(rule, limit, None) is not None:
                limits[limit] = getattr(rule, limit)
    if "pattern" in limits:
        return "one of " + ", ".join(re.sub(r"[\^$()]", "", str(limits["pattern"])).split("|"))
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(get_args(field.annotation))
    kind: Any = field.annotation
    words = _KINDS.get(kind, "another value")
    if "gt" in limits:
        return f"{words} above {limits['gt']}" + (f", at most {limits['le']}" if "le" in limits else "")
    if "le" in limits:
        return f"{words} from {limits['ge']} to {limits['le']}"
    return f"{words} of at least {limits['ge']}" if "ge" in limits else words
