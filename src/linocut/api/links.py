"""Signed links to images, and the origin they start with."""

import re
from datetime import datetime, timedelta

from starlette.requests import Request

from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.storage.links import image_url

_HOST = re.compile(r"[A-Za-z0-9.\-_]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")


def origin_of(request: Request, settings: Settings) -> str:
    """``public_url`` where the operator set one; else scheme and host as the client asked for them.

    Any Host header is answered; one that is no host (it would break the link) gives way to the server's own address.
    """
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        address, port = request.scope.get("server") or (settings.host, settings.port)
        host = f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"
    return f"{request.scope.get('scheme', 'http')}://{host}"


def image_link(runtime: Runtime, origin: str, image_id: str, now: datetime) -> str:
    """The link to one image, good for ``settings.link_hours``."""
    expires_at = now + timedelta(hours=runtime.settings.link_hours)
    return image_url(origin, image_id, expires_at, runtime.link_secret)
