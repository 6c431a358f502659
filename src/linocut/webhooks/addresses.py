"""Which addresses of the network a webhook may lead to: those of the public internet, and what the operator allows.

Pure. The tables are IANA's registries of special-purpose addresses (RFC 6890 and its successors). Python's own
``is_global`` is asked as well, because it grows with Python.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_network

from linocut.settings import Hosts

Address = IPv4Address | IPv6Address

_NOT_PUBLIC_V4 = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # a cloud's metadata service under a public address
    )
)  # fmt: skip
_PUBLIC_V6 = ip_network("2000::/3")
"""All that is assigned. Outside lie loopback, local, mapped and translated IPv4 addresses, and multicast."""
_NOT_PUBLIC_V6 = tuple(ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
"""Tunnels (Teredo, 6to4), which hold an IPv4 address of anybody's choice, and documentation."""


def is_public(address: Address) -> bool:
    """Whether anybody may be led there: no private, local, shared, metadata, mapped or multicast address is."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    return address in _PUBLIC_V6 and not any(address in network for network in _NOT_PUBLIC_V6)


def all_allowed(host: str, addresses: Iterable[Address], hosts: Hosts) -> bool:
    """Whether a webhook may go to ``host``, which has these addresses: each is public, or the operator allows it.

    One address that is not allowed is enough to refuse: nobody has an honest reason to mix them.
    """
    if host.lower() in hosts.names:
        return True
    return all(is_public(one) or any(one in network for network in hosts.networks) for one in addresses)
