"""Settings that are lists with commas, read."""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from linocut.web_addresses import ORIGIN, is_port

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_OWN_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True)
class Hosts:
    """Names of hosts, in lower case, and networks."""

    names: frozenset[str]
    networks: tuple[IPv4Network | IPv6Network, ...]


@lru_cache
def networks_in(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks out of a list with commas. ``ValueError`` with a sentence for anything else."""
    found = []
    for item in items_in(text):
        try:
            found.append(ip_network(item, strict=False))
        except ValueError:
            raise ValueError(
                f"LINOCUT_TRUSTED_PROXIES has {item!r}, which is no address and no network; it takes a list such as "
                "127.0.0.1,10.0.0.0/8 (names of machines are not looked up; 0.0.0.0/0,::/0 trusts everybody)."
            ) from None
    return tuple(found)


@lru_cache
def origins_in(text: str) -> frozenset[str]:
    """Origins out of a list with commas, as browsers write them; ``*`` alone for all. ``ValueError`` with words."""
    items = items_in(text)
    if items == ["*"]:
        return frozenset(items)
    return frozenset(_origin(item) for item in items)


@lru_cache
def hosts_in(text: str) -> Hosts:
    """Hosts, addresses and networks out of a list with commas. ``ValueError`` with a sentence for anything else."""
    names, networks = set(), []
    for item in items_in(text):
        try:
            networks.append(ip_network(item.strip("[]"), strict=False))
        except ValueError:
            if not _HOST.fullmatch(item) or item.replace(".", "").isdecimal():
                raise ValueError(
                    f"LINOCUT_WEBHOOK_HOSTS has {item!r}, which is no host and no network; it takes a list such as "
                    "hooks.example.org,10.1.0.0/16 (no scheme, no port, no *)."
                ) from None
            names.add(item.lower())
    return Hosts(frozenset(names), tuple(networks))


def _origin(item: str) -> str:
    match = ORIGIN.fullmatch(item)
    if match is None or not is_port(match[3]):
        raise ValueError(
            f"LINOCUT_CORS_ORIGINS has {item!r}, which is no origin; it takes a list such as "
            "https://app.example.org,http://localhost:5173 (scheme, host and port, no path and no slash at the "
            "end), or * alone for all pages."
        )
    port = f":{match[3]}" if match[3] and match[3] != _OWN_PORTS[match[1]] else ""
    return f"{match[1]}://{match[2]}{port}".lower()


def items_in(text: str) -> list[str]:
    """The items of a list with commas."""
    return [item.strip() for item in text.split(",") if item.strip()]
