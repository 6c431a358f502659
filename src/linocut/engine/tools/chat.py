"""A language model behind an HTTP endpoint that speaks OpenAI's chat completions: the operator's own, asked only where
a setting names it. Imports no torch.

What it answers is checked by whoever asks, and put right once. Its key stands in no sentence and in no log line.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2

from linocut.errors import InvalidRequest
from linocut.observe import log

T = TypeVar("T")
Message = Mapping[str, Any]

CONNECT_SECONDS = 5.0
TRIES = 2
"""An endpoint that does not answer, or says that it is busy or broken, is asked once more."""
PAUSE_SECONDS = 0.5
MOST_BYTES = 1_000_000
"""Of an answer; a caption has some thousand."""


@dataclass(frozen=True)
class Endpoint:
    """Where a model answers: ``url`` ends before ``/chat/completions``; ``key`` may be empty. ``seconds``: the longest
    wait for one answer."""

    url: str
    model: str
    key: str = field(repr=False, default="")
    seconds: float = 30.0


@dataclass(frozen=True)
class Said:
    """What was made of an answer: ``value``, or None with ``why``: what was wrong, the end of a sentence."""

    value: Any
    why: str = ""


class NoAnswer(Exception):
    """The endpoint gave none; the text says why, as the end of a sentence."""


def ask_for(endpoint: Endpoint, messages: Sequence[Message], read: Callable[[Any], T]) -> Said:
    """``read`` of the JSON object in the model's answer. An answer that ``read`` refuses (``InvalidRequest``) is told
    what is wrong with it and may be given again, once. Never raises: call it in a helper thread."""
    said = list(messages)
    why = ""
    for _ in range(2):
        try:
            text = _answer(endpoint, said)
        except NoAnswer as none:
            log("engine").warning("a language model gave no answer", model=endpoint.model, why=str(none))
            return Said(None, str(none))
        try:
            return Said(read(json_in(text)))
        except InvalidRequest as wrong:
            why = f"its answer was not valid: {wrong.message}"
            log("engine").warning("a language model gave no valid answer", model=endpoint.model, why=wrong.message)
            mend = f"{wrong.message} Send the whole JSON object again, corrected, and nothing else."
            said += [{"role": "assistant", "content": text}, {"role": "user", "content": mend}]
    return Said(None, why)


def json_in(text: str) -> dict[str, Any]:
    """The JSON object in a text, whatever stands around it. ``InvalidRequest``."""
    begins, ends = text.find("{"), text.rfind("}")
    try:
        found = json.loads(text[begins : ends + 1])
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidRequest("The answer holds no JSON object.")
    return found


def _answer(endpoint: Endpoint, messages: Sequence[Message]) -> str:
    body: dict[str, Any] = {"model": endpoint.model, "messages": list(messages), "temperature": 0}
    body["response_format"] = {"type": "json_object"}
    until = time.monotonic() + endpoint.seconds
    for left in reversed(range(TRIES)):
        try:
            return _sent(endpoint, body, until)
        except NoAnswer as none:
            if left == 0 or not none.args[1:] or time.monotonic() + PAUSE_SECONDS > until:
                raise NoAnswer(none.args[0]) from None  # the cause may hold the request, and its key
            if none.args[1] == "format":
                body.pop("response_format", None)
        time.sleep(PAUSE_SECONDS)
    raise NoAnswer("it gave no answer")


def _sent(endpoint: Endpoint, body: Mapping[str, Any], until: float) -> str:
    """One request. ``NoAnswer`` with a second argument where another may succeed."""
    headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    address = f"{endpoint.url.rstrip('/').removesuffix('/chat/completions')}/chat/completions"
    seconds = max(0.1, until - time.monotonic())
    try:
        with httpx2.stream(
            "POST", address, json=body, headers=headers, timeout=httpx2.Timeout(seconds, connect=CONNECT_SECONDS)
        ) as response:
            data = bytearray()
            for piece in response.iter_bytes():
                data += piece
                if len(data) > MOST_BYTES or time.monotonic() > until:
                    raise NoAnswer("its answer was too long or too slow")
    except httpx2.TimeoutException:
        raise NoAnswer(f"it gave no answer within {endpoint.seconds:g} s", "again") from None
    except (httpx2.HTTPError, httpx2.InvalidURL):
        raise NoAnswer("it cannot be reached", "again") from None
    if response.status_code == 400 and "response_format" in body:
        raise NoAnswer("it answered with status 400", "format")
    if response.status_code != 200:
        again = response.status_code == 429 or response.status_code >= 500
        raise NoAnswer(f"it answered with status {response.status_code}", *(["again"] if again else []))
    return _content(bytes(data))


def _content(data: bytes) -> str:
    try:
        content = json.loads(data)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise NoAnswer("what answers there does not speak the chat API") from None
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if not isinstance(content, str):
        raise NoAnswer("its answer holds no text")
    return content
