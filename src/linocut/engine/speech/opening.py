"""Makes the base's own language model a writer, at the start of an engine."""

import time

import torch

from linocut.bases import Base
from linocut.engine.families.family import Family
from linocut.engine.speech.speaker import Speaker, head_of_voice
from linocut.engine.tools.tool import BaseWrites
from linocut.errors import InvalidRequest
from linocut.observe import log


def speaker_of(base: Base, family: Family, on: torch.device, writes: BaseWrites) -> Speaker:
    """The speaker over the text tower of a base that is loaded; one token of it is tried out. ``InvalidRequest`` for a
    base without a language model, ``RunFailed`` where it gives no finite number."""
    voice = family.voice()
    if voice is None:
        raise InvalidRequest(f"The text tower of {base.name} is no language model: it cannot write (docs/writers.md).")
    precision: torch.dtype = voice.body.dtype
    head_VF = head_of_voice(voice, writes.head, on, precision)
    speaker = Speaker(voice, head_VF, base.name, writes.most_tokens, writes.seconds)
    began = time.monotonic()
    pen, memory = speaker.pen(with_ratio=True), speaker.memory()
    first = tuple(pen.forced())
    with torch.no_grad():
        for ids in (first, first[-1:]):
            speaker.choose(speaker.read(ids, memory), pen.allowed())
    seconds = time.monotonic() - began
    log("engine").info("the base's own language model writes", model=base.name, seconds_of_two_tokens=round(seconds, 3))
    return speaker
