"""Which scored checkpoints are handed out while a run goes on, so that one can be promoted. Pure."""

from collections.abc import Mapping
from pathlib import Path


def is_kept(most: int, scores: Mapping[int, float], step: int, score: float) -> bool:
    """Whether the checkpoint of ``step`` is among the ``most`` best by ``score`` (lower is better; of equal ones the
    earlier counts). Step 0 is the bare base, which is no checkpoint."""
    better = sum(one <= score for at, one in scores.items() if at not in (0, step))
    return step > 0 and better < most


def kept_file(workspace: Path, step: int) -> Path:
    """Where its adapter lies until somebody has taken it."""
    return workspace / f"kept-{step:08d}.safetensors"
