"""Whether anybody may listen on an address: asked before a server starts, and by the doctor."""

import errno
import socket


def free_port(host: str, port: int) -> int:
    """``port`` if it is free on ``host``, a free one for 0. ``OSError``, which ``why_not`` puts into words."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])


def why_not(host: str, port: int, error: OSError) -> tuple[str, str]:
    """What is wrong, and what mends it."""
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        mend = "127.0.0.1, which only this machine reaches, or 0.0.0.0, which all machines of its networks reach"
        return f"{host} is not an address of this machine", f"Set LINOCUT_HOST (or serve --host) to {mend}."
    if error.errno == errno.EADDRINUSE:
        who = f"ss -ltnp 'sport = :{port}'"
        return f"Another program listens on {host}:{port}", f"{who}   (who it is), or: linocut serve --port {port + 1}"
    found = f"This user may not listen on {host}:{port} ({error.strerror})"
    return found, "linocut serve --port 8731   (ports below 1024 are for root)"
