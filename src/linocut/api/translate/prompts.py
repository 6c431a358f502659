"""Structured prompts into the published answer."""

import msgspec

from linocut.captions import Worded
from linocut.wire import MagicPromptV4Response


def answer_magic_prompt(said: Worded, ratio: str) -> MagicPromptV4Response:
    """A structured caption and the aspect ratio that it was written for."""
    answer = {"json_prompt": msgspec.json.decode(said.prompt), "aspect_ratio": ratio}
    notes = {"x_linocut": {"notes": said.notes}} if said.notes else {}
    return msgspec.convert(answer | notes, MagicPromptV4Response)
