"""Texts of the wire into structured prompts and back."""

from typing import Any

import msgspec

from linocut.api.fields import read
from linocut.captions import Worded
from linocut.wire import MagicPromptV4Request, MagicPromptV4Response


def ask_magic_prompt(values: dict[str, Any]) -> MagicPromptV4Request:
    """``POST /v1/ideogram-v4/magic-prompt``. ``InvalidRequest``."""
    return read(MagicPromptV4Request, values)


def answer_magic_prompt(said: Worded, ratio: str) -> MagicPromptV4Response:
    """A structured caption and the aspect ratio that it was written for."""
    answer = {"json_prompt": msgspec.json.decode(said.prompt), "aspect_ratio": ratio}
    notes = {"x_linocut": {"notes": said.notes}} if said.notes else {}
    return msgspec.convert(answer | notes, MagicPromptV4Response)
