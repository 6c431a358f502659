"""The names of ``linocut.bases`` under their older address."""

from linocut.bases import FAMILIES, MINI, Base, Sampling, TrainingDefaults, check_parts, load_base
from linocut.bases.known import pipelines

PIPELINES = pipelines()

__all__ = ["FAMILIES", "MINI", "PIPELINES", "Base", "Sampling", "TrainingDefaults", "check_parts", "load_base"]
