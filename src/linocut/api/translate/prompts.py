"""Structured prompts into the published answer."""

from typing import Any

import msgspec

from linocut.captions import Worded
from linocut.generation.types import Written
from linocut.wire import MagicPromptV4Response


def answer_magic_prompt(
    said: Worded, ratio: str, written: Written | None, left_out: tuple[str, ...] = ()
) -> MagicPromptV4Response:
    """A structured caption, the aspect ratio that it was written for, who wrote it, and what was left out."""
    notes = [*left_out, *(written.notes if written else ()), *said.notes]
    extras: dict[str, Any] = {"written_by": written.by if written else "grammar"}
    if notes:
        extras["notes"] = notes
    answer = {"json_prompt": msgspec.json.decode(said.prompt), "aspect_ratio": ratio, "x_linocut": extras}
    return msgspec.convert(answer, MagicPromptV4Response)
