"""For the tests that hold for every operation: the table, and a request that each of them takes."""

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from numpy import ones
from starlette.types import ASGIApp
from tests.api.pictures import png
from tests.contract.documents import MINE, OURS
from tests.lora_files.lora_support import by_hand

from linocut.api.discovery import OPERATIONS, not_built
from linocut.api.operation import Operation
from linocut.api.published import PUBLISHED
from linocut.engine.fake_files import LINEAR

UNBUILT = not_built(PUBLISHED, OPERATIONS)
ALL = (*OPERATIONS, *UNBUILT)
WITH_KEY = tuple(operation for operation in ALL if operation.key_needed)
WITH_BODY = tuple(operation for operation in OPERATIONS if operation.body is not None)


LORA = by_hand({f"{LINEAR}.lora_A.weight": ones((1, 192), "f4"), f"{LINEAR}.lora_B.weight": ones((192, 1), "f4")})
"""A LoRA file that fits the base of these tests."""


NUMBERS = {"position": "0"}
"""Parts of an address that are numbers."""


def label(operation: Operation) -> str:
    """How a test names an operation, and what its refusals should name it by."""
    return f"{operation.method} {operation.path}"


def address(operation: Operation, known: Mapping[str, str] | None = None) -> str:
    """The operation's address, with the ids that are known, and "x" for the others."""
    return re.sub(r"\{(\w+)\}", lambda name: (known or {}).get(name[1], NUMBERS.get(name[1], "x")), operation.path)


def asked(operation: Operation, known: Mapping[str, str] | None = None) -> str:
    """The same, with an example of each query parameter that must be sent."""
    parameters = MINE[label(operation)]["parameters"] if operation.is_built else []
    query = {
        p["name"]: p["schema"]["examples"][0]
        for p in parameters
        if p["in"] == "query" and p["required"] and "examples" in p["schema"]
    }
    return address(operation, known) + (f"?{urlencode(query)}" if query else "")


def body_of(operation: Operation, known: Mapping[str, str] | None = None, *, another: bool = False) -> dict[str, Any]:
    """The arguments of an HTTP client that send the operation's own example; ``another``: a different one.

    Ids in it are the known ones, files are small pictures (as a mask, the first is dark enough).
    """
    if operation.body is None:
        return {}
    content = MINE[label(operation)]["requestBody"]["content"]
    fields = {name: (known or {}).get(name, value) for name, value in next(iter(content.values()))["example"].items()}
    if operation.path == "/v1/edit":  # files or links, one of them; and words that it knows
        fields |= {"images": None, "prompt": "change the background to blue"}
    if another:
        changed = next((name for name in fields if name not in operation.files and not name.endswith("_id")), None)
        if changed is not None:
            fields[changed] = _another(fields[changed], _choices(operation, changed))
    if operation.encodings[0] == "application/json":
        return {"json": fields}
    files = [
        (name, (f"{name}.png", LORA if name == "file" else png(2 if another and name != "mask" else 1)))
        for name in fields
        if name in operation.files
    ]
    texts = {name: value for name, value in fields.items() if name not in operation.files}
    return {"files": files + [(name, (None, _as_text(value))) for name, value in texts.items()]}


def _choices(operation: Operation, name: str) -> list[Any]:
    """The values that a field may have, where they are a closed set."""
    schema = OURS["components"]["schemas"][operation.body.__name__ if operation.body else ""]["properties"][name]
    return list(schema.get("enum", []))


def _another(value: Any, choices: list[Any]) -> Any:
    """A value that asks for something else: another choice, another text, an object whose first field is another."""
    if choices:
        return next(one for one in choices if one != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, dict):
        first = next(iter(value))
        return {**value, first: _another(value[first], [])}
    return f"{value} or yellow" if str(value).endswith("blue") else f"{value} again"


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True)
class Told:
    """What an application answered."""

    status: int
    headers: dict[str, str]
    content: bytes


def tell(
    app: ASGIApp, method: str, path: str, headers: Mapping[str, str], body: Iterable[bytes | Callable[[], None]] = ()
) -> Told:
    """One request to an application without a server. ``body``: its pieces, and what is done between two of them.

    An application that needs more than that to answer waits for ever: it is ended after a minute. Once it has
    answered, the client goes.
    """
    pieces, sent, answered = iter(body), [], asyncio.Event()

    async def receive() -> Any:
        for piece in pieces:
            if isinstance(piece, bytes):
                return {"type": "http.request", "body": piece, "more_body": True}
            piece()
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            answered.set()

    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"", "scheme": "http", "client": ("inside", 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "http_version": "1.1", "server": ("inside", 80), "raw_path": path.encode(),
    }  # fmt: skip
    asyncio.run(asyncio.wait_for(app(scope, receive, send), 60))
    told = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Told(sent[0]["status"], told, b"".join(message.get("body", b"") for message in sent[1:]))
