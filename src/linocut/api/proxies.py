"""Proxies before the server: whose X-Forwarded headers count, and what they say of the address that was asked for."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

from linocut.api.metrics import Metrics
from linocut.observe import log
from linocut.settings import Settings, networks_in

HOST = re.compile(r"[A-Za-z0-9.\-_]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")  # no empty step, none that begins with a dot
_NAMES = ("x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix", "x-forwarded-for", "forwarded")


def scheme_told(scope: Scope, settings: Settings) -> str:
    """The scheme that a trusted proxy was asked with; empty when none says so."""
    scheme = _told(scope, settings, "x-forwarded-proto").lower()
    return scheme if scheme in ("http", "https") else ""


def host_told(scope: Scope, settings: Settings) -> str:
    """The host, perhaps with a port, that a trusted proxy was asked for; empty when none says so."""
    host = _told(scope, settings, "x-forwarded-host")
    return host if HOST.fullmatch(host) else ""


def prefix_told(scope: Scope, settings: Settings) -> str:
    """The path under which a trusted proxy shows this server, such as ``/img``; empty for none."""
    prefix = _told(scope, settings, "x-forwarded-prefix").rstrip("/")
    return prefix if _PREFIX.fullmatch(prefix) else ""


def client_of(scope: Scope, settings: Settings) -> str:
    """The address of who asks: the connection's, or the last one before it that no trusted proxy has."""
    address = _peer(scope)
    chain = [item.strip() for value in Headers(scope=scope).getlist("x-forwarded-for") for item in value.split(",")]
    while chain and is_trusted(address, settings.trusted_proxies):
        before = _address(chain.pop())
        if before is None:
            break
        address = str(before)
    return address


@lru_cache(maxsize=4096)
def is_trusted(address: str, proxies: str) -> bool:
    """Whether an address is among ``proxies`` (as in ``LINOCUT_TRUSTED_PROXIES``)."""
    parsed = _address(address)
    return parsed is not None and any(parsed in network for network in networks_in(proxies))


class Watch:
    """Says once, in the log, that somebody sends X-Forwarded headers that do not count; ``/metrics`` says so from then
    on. Where ``public_url`` says what links begin with, nothing is amiss."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._has_said_so = bool(settings.public_url)

    def look(self, scope: Scope) -> None:
        """Look at one request."""
        if self._has_said_so or not any(name in _NAMES_SENT for name, _ in scope["headers"]):
            return
        address = _peer(scope)
        if not is_trusted(address, self._settings.trusted_proxies):
            self._has_said_so = self._metrics.untrusted_proxy = True
            log("api").warning(
                "X-Forwarded headers are ignored: they come from an address that is not trusted. If a proxy of yours "
                "has it, name it in LINOCUT_TRUSTED_PROXIES (docs/behind-a-proxy.md).",
                address=address,
            )


_NAMES_SENT = frozenset(name.encode() for name in _NAMES)


def _told(scope: Scope, settings: Settings, name: str) -> str:
    """The first value of a header (of several proxies the outermost), where the connection is a trusted proxy's."""
    if not settings.trusted_proxies or not is_trusted(_peer(scope), settings.trusted_proxies):
        return ""
    return Headers(scope=scope).get(name, "").partition(",")[0].strip()


def _peer(scope: Scope) -> str:
    return str((scope.get("client") or ("",))[0])


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address; IPv4 where it is one in IPv6's writing. A port behind it (some proxies send it) does not matter."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
