"""Bases: what is known of them, which one a folder holds, how one is fetched, and what of it fits on a device.

On the ground floor: the processes without torch read bases too. Nothing here imports torch.
"""

from linocut.bases.folder import MINI, check_parts, facts_of, load_base
from linocut.bases.identity import Memory
from linocut.bases.types import (
    FAMILIES,
    FAMILY_NAMES,
    TAKE_NEGATIVE_TEXT,
    TAKE_REFERENCES,
    Base,
    Licence,
    Sampling,
    TrainingDefaults,
)

__all__ = [
    "FAMILIES",
    "FAMILY_NAMES",
    "MINI",
    "TAKE_NEGATIVE_TEXT",
    "TAKE_REFERENCES",
    "Base",
    "Licence",
    "Memory",
    "Sampling",
    "TrainingDefaults",
    "check_parts",
    "facts_of",
    "load_base",
]
