"""Files of pages that are sent as they are."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from starlette.responses import Response

STRICT = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


def static(name: str, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """A file that lies beside this one."""
    return Response(content(name), media_type=media_type, headers=dict(headers or {}))


@cache
def content(name: str) -> bytes:
    """The bytes of a file that lies beside this one."""
    return files("linocut.api").joinpath(name).read_bytes()
