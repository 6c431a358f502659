"""The language between the server and its decoding process: frames of (JSON head, bytes) over a pipe.

A frame is two big-endian 32-bit lengths, then the head, then the body. Nothing in it can run code.
"""

import json
import struct
from collections.abc import Callable
from typing import Any

HEADER = struct.Struct(">II")
MAX_HEAD_BYTES = 64 * 1024

Read = Callable[[int], bytes]
"""Reads exactly that many bytes, or raises ``EOFError``."""


def pack(head: dict[str, Any], body: bytes = b"") -> list[bytes]:
    """The pieces of a frame, to be written one after the other (a body is not copied)."""
    text = json.dumps(head).encode()
    return [HEADER.pack(len(text), len(body)) + text, body]


def unpack(read: Read, max_body_bytes: int) -> tuple[dict[str, Any], bytes]:
    """The next frame. ``EOFError`` when the other side is gone, ``ValueError`` for what no frame looks like."""
    head_bytes, body_bytes = HEADER.unpack(read(HEADER.size))
    if head_bytes > MAX_HEAD_BYTES or body_bytes > max_body_bytes:
        raise ValueError("a frame is larger than agreed")
    head = json.loads(read(head_bytes))
    if not isinstance(head, dict):
        raise ValueError("a frame's head is not an object")
    return head, read(body_bytes)
