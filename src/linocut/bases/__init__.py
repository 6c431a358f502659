"""Bases: what is known of them, which one a folder holds, how one is fetched, and what of it fits on a device.

On the ground floor: the processes without torch read bases too. Nothing here imports torch.
"""

from linocut.bases.folder import FAMILIES, MINI, check_parts, facts_of, load_base
from linocut.bases.identity import Memory
from linocut.bases.types import Abilities, Base, Licence, Sampling, TrainingDefaults

__all__ = [
    "FAMILIES",
    "MINI",
    "Abilities",
    "Base",
    "Licence",
    "Memory",
    "Sampling",
    "TrainingDefaults",
    "check_parts",
    "facts_of",
    "load_base",
]
