"""Texts of the wire into structured prompts and back."""

from typing import Any

import msgspec

from linocut.api.fields import read
from linocut.wire import MagicPromptV4Request, MagicPromptV4Response


def ask_magic_prompt(values: dict[str, Any]) -> MagicPromptV4Request:
    """``POST /v1/ideogram-v4/magic-prompt``. ``InvalidRequest``."""
    return read(MagicPromptV4Request, values)


def answer_magic_prompt(caption: str, ratio: str) -> MagicPromptV4Response:
    """A structured caption (compact JSON) and the aspect ratio that it was written for."""
    answer = {"json_prompt": msgspec.json.decode(caption), "aspect_ratio": ratio}
    return msgspec.convert(answer, MagicPromptV4Response)
