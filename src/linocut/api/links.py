"""Signed links to images, and the origin they start with."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from starlette.requests import Request

from linocut.api.proxies import HOST, host_told, prefix_told, scheme_told
from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.storage.links import image_url


def origin_of(request: Request, settings: Settings) -> str:
    """``public_url`` where the operator set one; else scheme, host and path as the client asked for them: this server,
    or a trusted proxy before it.

    Any Host header is answered; one that is no host (it would break the link) gives way to the server's own address.
    """
    return settings.public_url.rstrip("/") or _asked_for(request, settings)


def is_own(link: str, request: Request, settings: Settings) -> bool:
    """Whether a link has the scheme and host of ``public_url``, or those that this request asked for."""
    own = {_scheme_and_host(settings.public_url), _scheme_and_host(_asked_for(request, settings))}
    return _scheme_and_host(link) in own - {None}


def _scheme_and_host(address: str) -> tuple[str, str, int] | None:
    """Scheme, host and port, the usual port left out or not; None for what is no web address."""
    try:
        parts = urlsplit(address)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def _asked_for(request: Request, settings: Settings) -> str:
    scope = request.scope
    host = host_told(scope, settings) or request.headers.get("host", "")
    if not HOST.fullmatch(host):
        address, port = scope.get("server") or (settings.host, settings.port)
        host = f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"
    scheme = scheme_told(scope, settings) or scope.get("scheme", "http")
    return f"{scheme}://{host}{prefix_told(scope, settings)}"


def image_link(runtime: Runtime, origin: str, image_id: str, now: datetime) -> str:
    """The link to one image, good for ``settings.link_hours``."""
    expires_at = now + timedelta(hours=runtime.settings.link_hours)
    return image_url(origin, image_id, expires_at, runtime.link_secret)


def link_to_sign_in(origin: str, text: str) -> str:
    """Where a one-time link is used. Its text is behind the #: no server and no log on the way sees it."""
    return f"{origin}/manage/sign_in#link={text}"
