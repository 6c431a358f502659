"""Where people reach the server, for the links that a verb prints: as its settings say, as it says while it runs, or a
guess."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from linocut.settings import Settings

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
"""What a server may listen on, and where this machine reaches it then."""


@dataclass(frozen=True)
class Reached:
    """An origin, such as ``https://img.example.org``. ``warning``: a sentence where it is a guess, else empty."""

    origin: str
    warning: str = ""


def reached(settings: Settings) -> Reached:
    """The server of these settings: LINOCUT_PUBLIC_URL, else the address that the server in the data folder says it
    listens on."""
    if settings.public_url:
        return Reached(settings.public_url.rstrip("/"))
    url, is_there = _noted(settings.data / "server.json")
    if is_there:
        return Reached(url)
    host = ANYWHERE.get(settings.host, f"[{settings.host}]" if ":" in settings.host else settings.host)
    return Reached(
        url or f"http://{host}:{settings.port}",
        "No server runs on this data folder, so the address in the link is a guess; LINOCUT_PUBLIC_URL sets it.",
    )


def _noted(note: Path) -> tuple[str, bool]:
    """The address in the note of a server, "" without one, and whether that server is there: one that was killed
    leaves its note behind."""
    try:
        said = json.loads(note.read_text())
        url, process = str(said["url"]), int(said["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", False
    try:
        os.kill(process, 0)
    except PermissionError:  # it is somebody else's, and there
        return url, True
    except (ProcessLookupError, OverflowError):
        return url, False
    return url, True
