"""Where a webhook goes: a URL taken apart once, strictly, and its host looked up and checked.

The parts are what is checked and what is connected to: there is no second reading of the URL that could differ.
"""

import asyncio
import re
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address

from linocut.errors import InvalidRequest
from linocut.settings import Hosts
from linocut.webhooks.addresses import Address, all_allowed

LONGEST_URL = 2048
LOOK_UPS_AT_ONCE = 32
"""Threads that wait for the system's resolver, in one process. They end when it gives up."""

_URL = re.compile(
    r"(?i:https)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<rest>(?:[/?][A-Za-z0-9/?._~%!$&'()*+,;=:@-]*)?)"
)

Resolver = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as text; ``OSError`` where it has none."""


class Refused(Exception):
    """The host may not be reached, or has no address: a sentence that begins with "its host"."""


@dataclass(frozen=True)
class Target:
    """Host (a name, or an address without brackets), port, and the path with its query."""

    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """Host and port as the header Host has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"


def target_of(url: str, field: str = "webhook_url") -> Target:
    """The parts of a webhook's URL. ``InvalidRequest`` for another scheme, a name or password, a length above 2048."""
    if len(url) > LONGEST_URL:
        raise InvalidRequest(f"{field} has {len(url)} characters; the most is {LONGEST_URL}.", field=field)
    scheme, _, behind = url.partition("://")
    if scheme.lower() != "https" or "://" not in url:
        raise InvalidRequest(f"{field} must begin with https://; nothing is sent unencrypted.", field=field)
    if "@" in re.split(r"[/?#]", behind, maxsplit=1)[0]:
        raise InvalidRequest(
            f"{field} must not hold a name or a password before its host; check the signature instead.", field=field
        )
    if "#" in url:
        raise InvalidRequest(f"{field} must not have a fragment (#…), which is never sent; leave it out.", field=field)
    found = _URL.fullmatch(url)
    port = int(found["port"] or 443) if found else 0
    if found is None or not 0 < port < 65536 or not _is_host(found["host"]):
        raise InvalidRequest(
            f"{field} is not a URL that can be called: it takes https://, a host, a port if need be, and a path, in "
            "ASCII with other signs %-encoded.",
            field=field,
        )
    rest = found["rest"]
    return Target(found["host"].strip("[]"), port, rest if rest.startswith("/") else f"/{rest}")


async def addresses_of(target: Target, hosts: Hosts, seconds: float, resolver: Resolver | None = None) -> list[str]:
    """The addresses of a target's host, looked up once and each of them allowed. ``Refused``."""
    try:
        async with asyncio.timeout(seconds):
            found = await _in_thread(resolver or looked_up, target)
    except TimeoutError:
        raise Refused(f"its host could not be looked up within {seconds:g} seconds") from None
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise Refused("its host has no address; check the name")
    if not all_allowed(target.host, [_address(one) for one in found], hosts):
        raise Refused(
            "its host leads to a private, local or otherwise special address, which this server's operator has not "
            "allowed (LINOCUT_WEBHOOK_HOSTS)"
        )
    return list(found)


def looked_up(host: str, port: int) -> list[str]:
    """Every address of a host, by the system's resolver."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def _address(text: str) -> Address:
    return ip_address(text.partition("%")[0])  # a zone says by which of our cables it is reached


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return ".." not in host
    with suppress(ValueError):
        return ip_address(host[1:-1]).version == 6
    return False


_free = threading.BoundedSemaphore(LOOK_UPS_AT_ONCE)


async def _in_thread(resolver: Resolver, target: Target) -> Sequence[str]:
    """What the resolver finds, in a thread that nobody has to wait for: a process ends while it hangs."""
    while not _free.acquire(blocking=False):
        await asyncio.sleep(0.05)
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Sequence[str]] = loop.create_future()

    def tell(addresses: Sequence[str] | None, trouble: Exception | None) -> None:
        if found.done():
            return
        if trouble is None:
            found.set_result(addresses or [])
        else:
            found.set_exception(trouble)

    def look() -> None:
        addresses, trouble = None, None
        try:
            addresses = resolver(target.host, target.port)
        except (OSError, UnicodeError) as gone:
            trouble = gone
        finally:
            _free.release()
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(tell, addresses, trouble)

    threading.Thread(target=look, name="look-up", daemon=True).start()
    return await found
