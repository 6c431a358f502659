"""Structured prompts into the published answer."""

import msgspec

from linocut.wire import MagicPromptV4Response


def answer_magic_prompt(caption: str, ratio: str) -> MagicPromptV4Response:
    """A structured caption (compact JSON) and the aspect ratio that it was written for."""
    answer = {"json_prompt": msgspec.json.decode(caption), "aspect_ratio": ratio}
    return msgspec.convert(answer, MagicPromptV4Response)
