"""The console's built files (``make console``), read and packed once. No name of a request leads elsewhere."""

import gzip
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from linocut.api.pages import takes_gzip
from linocut.errors import NotFound

FOLDER = Path(__file__).parent / "console"
INDEX = "index.html"
NOT_BUILT = "The console is not built here; `make console` does it. The API and /docs are served all the same."
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No inline script or style, nothing evaluated, nothing of another origin. ``blob:`` is what a page has read with the
session's header, which an ``<img>`` cannot send."""
_ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}
_FOR_EVER = "public, max-age=31536000, immutable"
"""Of a file whose name has its content's hash in it."""
_PACKED_TYPES = ("text/", "image/svg+xml", "application/json")
_MEDIA_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_UNHASHED = (INDEX, "mark.svg")


@dataclass(frozen=True)
class _File:
    plain: bytes
    packed: bytes | None
    media_type: str


def is_built() -> bool:
    """Whether there is a console to send."""
    return (FOLDER / INDEX).is_file()


def built_file(request: Request, name: str) -> Response:
    """200 with a built file, gzipped for who takes it. ``NotFound``."""
    if not is_built():
        raise NotFound(NOT_BUILT)
    found = _files(FOLDER, (FOLDER / INDEX).stat().st_mtime_ns).get(name)
    if found is None:
        raise NotFound("The console has no such file; load the page again.")
    headers = {**_ALWAYS, "Cache-Control": "no-cache" if name in _UNHASHED else _FOR_EVER}
    if found.packed is not None and takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(found.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=found.media_type)
    return Response(found.plain, headers=headers, media_type=found.media_type)


@lru_cache(maxsize=1)
def _files(folder: Path, _built_at: int) -> dict[str, _File]:
    """All of them; read again where the console was built again while the server runs."""
    return {path.name: _read(path) for path in sorted(folder.iterdir()) if path.is_file()}


def _read(path: Path) -> _File:
    plain = path.read_bytes()
    media_type = _media_type(path.name)
    packed = gzip.compress(plain, mtime=0) if media_type.startswith(_PACKED_TYPES) else None
    return _File(plain, packed, media_type)


def _media_type(name: str) -> str:
    """Not the system's table: a machine without one would send scripts as plain text, which do not run then."""
    return _MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
