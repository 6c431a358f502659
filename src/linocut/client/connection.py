"""The connection to a server: a request out, its answer or the server's own error back."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import quote

import httpx2

from linocut.client.failures import error_of
from linocut.errors import Busy, InvalidRequest, Unauthenticated

Answer = dict[str, Any]
Image = Path | bytes | BinaryIO | str
"""A picture: its file, its bytes, a file that is open, or the link to an image that the server drew."""
DRAWING_SECONDS = 330.0
"""Longer than the server's own longest wait for an image, so that its sentence arrives instead of a time-out."""


class Connection:
    """What every method stands on. It is closed with ``close``, or as a context."""

    def __init__(self, api_key: str, url: str) -> None:
        if not api_key.isascii() or not api_key.isprintable():
            raise Unauthenticated("The API key holds signs that no key has; copy it again, on one line.")
        self._http = httpx2.Client(
            base_url=_address(url), headers={"Api-Key": api_key}, timeout=httpx2.Timeout(60.0, connect=10.0)
        )
        self.url = url.rstrip("/")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def draw_with(self, path: str, images: Mapping[str, Image], fields: Mapping[str, Any]) -> Answer:
        """A form of pictures and texts, without the fields that are None; what is neither text nor number is sent as
        JSON."""
        parts: list[tuple[str, Any]] = [(name, _file(name, one)) for name, one in images.items()]
        for name, value in fields.items():
            if pictures := pictures_of(value):
                parts += [(name, _file(name, one)) for one in pictures]
            elif value is not None:
                text = value if isinstance(value, str) else json.dumps(value)
                parts.append((name, (None, text.encode())))
        return self.json_of("POST", path, files=parts, timeout=DRAWING_SECONDS)

    def send(self, method: str, path: str, **how: Any) -> httpx2.Response:
        """A request and its answer, of whatever kind; the server's error where it refused."""
        try:
            response = self._http.request(method, path, **how)
        except httpx2.TransportError as lost:
            raise Busy(f"No server answers at {self.url}; start one with `linocut serve`, or give --url.") from lost
        if response.is_error:
            raise error_of(response)
        return response

    def json_of(self, method: str, path: str, **how: Any) -> Answer:
        """A request and the JSON object that came back."""
        response = self.send(method, path, **how)
        try:
            answer = response.json()
        except json.JSONDecodeError as other:
            raise Busy(f"What answers at {self.url} is not a linocut server.") from other
        return dict(answer)


def _address(url: str) -> str:
    """The address without a slash at its end. ``InvalidRequest`` for what no server can have."""
    try:
        parts = httpx2.URL(url)
    except httpx2.InvalidURL:
        parts = httpx2.URL("")
    if parts.scheme not in ("http", "https") or not parts.host:
        raise InvalidRequest(f"{url!r} is not the address of a server; write it as http://127.0.0.1:8731.")
    return url.rstrip("/")


def _file(name: str, image: Image) -> tuple[str | None, bytes]:
    """A picture as a part of a form; a link is a part of text."""
    if isinstance(image, str):
        return None, image.encode()
    if isinstance(image, bytes):
        return f"{name}.png", image
    return f"{name}.png", image.read_bytes() if isinstance(image, Path) else image.read()


def pictures_of(value: Any) -> list[Image]:
    """The pictures that a field's value is; none where it is something else, or texts alone."""
    items = list(value) if isinstance(value, list | tuple) else [value]
    return items if any(isinstance(one, Path | bytes) or hasattr(one, "read") for one in items) else []


def segment(identifier: str) -> str:
    """An id as one path segment, whatever a caller passes."""
    return quote(identifier, safe="")
