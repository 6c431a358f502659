"""The names of ``linocut.bases`` under their older address."""

from linocut.bases import (
    FAMILIES,
    FAMILY_NAMES,
    MINI,
    TAKE_NEGATIVE_TEXT,
    TAKE_REFERENCES,
    Base,
    Sampling,
    TrainingDefaults,
    check_parts,
    load_base,
)
from linocut.bases.known import pipelines

PIPELINES = pipelines()

__all__ = [
    "FAMILIES",
    "FAMILY_NAMES",
    "MINI",
    "PIPELINES",
    "TAKE_NEGATIVE_TEXT",
    "TAKE_REFERENCES",
    "Base",
    "Sampling",
    "TrainingDefaults",
    "check_parts",
    "load_base",
]
