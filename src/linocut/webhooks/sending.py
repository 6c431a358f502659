"""One delivery over HTTPS: the host is looked up once, its addresses are checked, and only they are connected to.

The certificate must be the host's, whatever address it was reached at. No redirect is followed, no proxy of the
environment is used, no answer is read beyond its status.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

import httpcore2

from linocut.settings import Hosts
from linocut.webhooks.targets import Refused, Resolver, Target, addresses_of


class Undelivered(Exception):
    """A delivery has failed: why, as the end of a sentence ("its host answered 500")."""


class Sender:
    """Sends to where ``hosts`` allows it, each delivery within ``seconds``. Trusts what the system trusts
    (``SSL_CERT_FILE`` names other authorities)."""

    def __init__(self, hosts: Hosts, seconds: float, resolver: Resolver | None = None) -> None:
        self._hosts, self._seconds, self._resolver = hosts, seconds, resolver
        self._trust = httpcore2.default_ssl_context()

    async def send(self, target: Target, headers: Mapping[str, str], body: bytes) -> None:
        """POST ``body``. ``Undelivered`` for anything but an answer of 200 to 299 in time."""
        try:
            async with asyncio.timeout(self._seconds):
                addresses = await addresses_of(target, self._hosts, self._seconds, self._resolver)
                status = await self._post(target, addresses, headers, body)
        except TimeoutError:
            raise Undelivered(f"its host did not answer within {self._seconds:g} seconds") from None
        except Refused as refused:
            raise Undelivered(str(refused)) from refused
        except _FAULTS as fault:
            raise Undelivered(_told(fault)) from fault
        if 300 <= status < 400:
            raise Undelivered(f"its host answered {status}, and redirects are not followed")
        if not 200 <= status < 300:
            raise Undelivered(f"its host answered {status}")

    async def _post(self, target: Target, addresses: Sequence[str], headers: Mapping[str, str], body: bytes) -> int:
        url = httpcore2.URL(scheme=b"https", host=target.host.encode(), port=target.port, target=target.path.encode())
        gate, told = _Only(addresses), [*headers.items(), ("Host", target.netloc), ("Connection", "close")]
        async with (
            httpcore2.AsyncConnectionPool(
                ssl_context=self._trust, max_connections=1, http2=False, network_backend=gate
            ) as pool,
            pool.stream("POST", url, headers=told, content=body) as answer,
        ):
            return int(answer.status)


class _Only(httpcore2.AsyncNetworkBackend):
    """Connects to these addresses, in turn, whatever host is asked for."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses, self._network = addresses, httpcore2.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *given: Any, **how: Any) -> httpcore2.AsyncNetworkStream:
        """A connection to the first of the addresses that takes one."""
        del host
        trouble: Exception = httpcore2.ConnectError("no address")
        for address in self._addresses:
            try:
                return await self._network.connect_tcp(address, port, *given, **how)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as away:
                trouble = away
        raise trouble

    async def sleep(self, seconds: float) -> None:
        """As asked."""
        await self._network.sleep(seconds)


_FAULTS = (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, ssl.SSLError, OSError)


def _told(fault: BaseException) -> str:
    """Why, without an address."""
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its host's certificate is not good: {cause.verify_message.rstrip('.')}"
        if isinstance(cause, ssl.SSLError):
            return "its host does not speak TLS as it should"
        cause = cause.__cause__ or cause.__context__
    if isinstance(fault, httpcore2.ProtocolError):
        return "its host does not speak HTTP as it should"
    if isinstance(fault, httpcore2.ConnectError):
        return "its host takes no connection at that port"
    return "the connection to its host broke off"
