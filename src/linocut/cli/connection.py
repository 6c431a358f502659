"""Which server a verb talks to and with which key. A key never stands in argv, where every process could read it."""

import os
from pathlib import Path
from typing import Annotated

import typer

from linocut.client import Client
from linocut.errors import Unauthenticated

DEFAULT_URL = "http://127.0.0.1:8731"
KEY_FILE = Path("~/.config/linocut/key")

UrlOption = Annotated[str, typer.Option("--url", envvar="LINOCUT_URL", help="The server's address.")]
KeyFileOption = Annotated[
    Path,
    typer.Option(
        "--key-file",
        envvar="LINOCUT_API_KEY_FILE",
        readable=False,
        help="File with the key, if LINOCUT_API_KEY is unset.",
    ),
]


def api_key(key_file: Path) -> str:
    """The caller's key: LINOCUT_API_KEY, else the file's content. ``Unauthenticated`` says how to get one."""
    if key := os.environ.get("LINOCUT_API_KEY", "").strip():
        return key
    try:
        return key_file.expanduser().read_text().strip()
    except UnicodeDecodeError as other:
        raise Unauthenticated(f"{key_file} holds no API key; it is not a text file.") from other
    except (OSError, RuntimeError) as missing:  # RuntimeError: no home folder to look into
        raise Unauthenticated(
            f"There is no API key: set LINOCUT_API_KEY, or put the key into {key_file}. "
            "`linocut keys create` makes one on the server's machine."
        ) from missing


def connect(url: str, key_file: Path) -> Client:
    """A client of the server at ``url`` with the caller's key."""
    return Client(api_key(key_file), url)
