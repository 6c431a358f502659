"""The routine of a write order: a language model writes a caption, behind an endpoint or the base's own."""

import time
from collections.abc import Generator, Sequence
from functools import partial
from typing import Any

from linocut.engine.routines.hands import Hands
from linocut.engine.speech.grammar import Pen
from linocut.engine.speech.speaker import Speaker
from linocut.engine.speech.units import Speak
from linocut.engine.tools.chat import Message, Said, json_in
from linocut.engine.tools.writer import ask_for_text, caption_in, messages_for
from linocut.engine.work import Background, OutOfMemory, Routine, Yielded
from linocut.errors import InvalidRequest, RunFailed
from linocut.observe import log
from linocut.orders import Answered, WriteOrder

PIECE_TOKENS = 256
"""Read at once: on an 8 B model about the arithmetic of a denoising step of a small image."""
ELEMENTS = '"elements":['
"""A caption that the model has brought so far says enough to be drawn from."""


def write(order: WriteOrder, hands: Hands) -> Routine:
    """Ask the writer. Its failure is an answer too: the caption is None then, and ``why`` says why."""
    if hands.speaker is not None:
        name = f"base: {hands.speaker.name}"
        said = yield from _by_the_base(order, hands.speaker)
    else:
        endpoint = hands.tools.endpoints.get("writer")
        if endpoint is None:
            hands.emit(Answered(key=hands.key, answer=unwritten("", "this worker knows none")))
            return
        name = f"endpoint: {endpoint.model}"
        said = yield Background(partial(ask_for_text, endpoint, **_wish(order)), "writer", apart=True)
    if said.value is None:
        hands.emit(Answered(key=hands.key, answer=unwritten(name.partition(": ")[2], said.why)))
        return
    caption, ratio = said.value
    told = {"caption": caption, "ratio": ratio, "written_by": name, "why": said.why}
    hands.emit(Answered(key=hands.key, answer=told))


def unwritten(model: str, why: str) -> dict[str, object]:
    """What is answered when there is no caption."""
    return {"caption": None, "ratio": "", "written_by": model, "why": why}


def _wish(order: WriteOrder) -> dict[str, str]:
    return {"text": order.text, "caption": order.caption, "ratio": order.ratio, "knows": order.knows}


def _by_the_base(order: WriteOrder, speaker: Speaker) -> Generator[Yielded, Any, Said]:
    """What the base's own language model writes: held to the grammar, judged like anybody's, and put right once."""
    messages, why = messages_for(**_wish(order)), ""
    until = time.monotonic() + speaker.seconds
    for _ in range(2):
        pen = speaker.pen(with_ratio=order.ratio == "AUTO")
        try:
            own, ended = yield from _spoken(speaker, messages, pen, until)
        except (RunFailed, OutOfMemory) as failed:
            log("engine").warning("the base's language model failed", error=repr(failed))
            short = isinstance(failed, OutOfMemory)
            return Said(None, "it found no memory" if short else "its answer was not finite")
        if ended and ELEMENTS not in speaker.text(pen.written[:own]):
            return Said(None, f"it had not said enough {ended}")
        text = speaker.text(pen.written)
        try:
            return Said(caption_in(json_in(text)), f"it was ended {ended}" if ended else "")
        except InvalidRequest as wrong:
            why = f"its answer was not valid: {wrong.message}"
            mend = f"{wrong.message} Send the whole JSON object again, corrected, and nothing else."
            messages = [*messages, {"role": "assistant", "content": text}, {"role": "user", "content": mend}]
    return Said(None, why)


def _spoken(
    speaker: Speaker, messages: Sequence[Message], pen: Pen, until: float
) -> Generator[Yielded, Any, tuple[int, str]]:
    """Let the model write with the pen, a token a unit, until the caption is whole -> (how many tokens are its own, why
    it was ended: "after 1000 tokens", say, and empty where it ended by itself)."""
    ids, memory, ended = [*speaker.prompt(messages), *pen.forced()], speaker.memory(), ""
    while not pen.is_done:
        if time.monotonic() > until:
            ended = f"after {speaker.seconds:g} s"
        elif len(pen.written) >= speaker.most_tokens:
            ended = f"after {speaker.most_tokens} tokens"
        if ended:
            break
        while len(ids) > PIECE_TOKENS:
            yield Speak(speaker, memory, tuple(ids[:PIECE_TOKENS]))
            ids = ids[PIECE_TOKENS:]
        token = yield Speak(speaker, memory, tuple(ids), pen.allowed())
        pen.write(token)
        ids = [token, *pen.forced()]
    own = len(pen.written)
    pen.close()
    return own, ended
