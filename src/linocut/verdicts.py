"""What somebody said of a picture: who, and whether it may be shown. Plain data, for every floor."""

from dataclasses import dataclass
from typing import Literal

SafetyMode = Literal["off", "on", "required"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``component``: who judged (a tool, or a rule); "" where nobody could. ``is_safe`` None: not evaluated, which is
    never the same as safe. ``reason``: why it is not shown, in a few words."""

    component: str
    is_safe: bool | None
    reason: str = ""

    @property
    def withholds(self) -> bool:
        """Whether the picture is not given out."""
        return self.is_safe is False


@dataclass(frozen=True, kw_only=True)
class SafetyRule:
    """How pictures are judged. ``on``: where a classifier is installed; ``required``: or not at all. A picture whose
    score reaches ``threshold`` is not safe. ``model``: an ONNX file of the operator's; "": the one that is installed.
    """

    mode: SafetyMode = "off"
    threshold: float = 0.8
    model: str = ""


UNJUDGED = Verdict(component="", is_safe=None)
UNSAFE_PICTURE = "the picture's content"
REFUSAL_CARD = "the base drew a refusal"
NOT_JUDGED = "it could not be judged"
"""Reasons."""
