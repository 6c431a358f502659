"""A server that runs: whether it answers, and whom it trusts."""

from pathlib import Path

import httpx2

from linocut.cli.checks.finding import Finding
from linocut.cli.connection import api_key
from linocut.client import Client
from linocut.errors import Busy, LinocutError


def server(url: str) -> Finding:
    """Whether it answers and can draw."""
    try:
        ready = httpx2.get(f"{url.rstrip('/')}/readyz", timeout=5.0)
    except httpx2.TransportError:
        return Finding("server", False, f"nothing answers at {url}", "linocut serve   (or give --url)")
    if ready.status_code != httpx2.codes.OK:
        mend = "Wait until its base is loaded; if that takes minutes, look at what `linocut serve` prints."
        return Finding("server", False, "answers, but has no engine ready", mend)
    return Finding("server", True, f"ready at {url}")


def proxy(url: str) -> Finding:
    """Whether a proxy before the server is one that it trusts: what the server has seen so far."""
    try:
        told = httpx2.get(f"{url.rstrip('/')}/metrics", timeout=5.0).text
    except httpx2.TransportError:
        return Finding("proxy", True, "not looked at: the server does not answer")
    if "linocut_untrusted_proxy 1" in told.splitlines():
        found = "X-Forwarded headers come from an address that is not trusted, so links ignore them"
        mend = "export LINOCUT_TRUSTED_PROXIES=<the proxy's address>   (the log names it; docs/behind-a-proxy.md)"
        return Finding("proxy", False, found, mend)
    return Finding("proxy", True, "none that is not trusted")


def key(url: str, key_file: Path) -> Finding:
    """Whether the server takes the caller's key."""
    try:
        with Client(api_key(key_file), url) as client:
            client.datasets()
    except Busy as away:
        return Finding("key", False, away.message, "linocut serve   (or give --url)")
    except LinocutError as error:
        mend = "linocut keys create   (then: export LINOCUT_API_KEY=<the key that it prints>)"
        return Finding("key", False, error.message, mend)
    return Finding("key", True, "accepted")
