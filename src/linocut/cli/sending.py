"""Files and folders into requests that the server takes, sent one after the other, and again when it is busy."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from linocut.cli.say import note
from linocut.client import Client
from linocut.errors import Busy, InvalidRequest
from linocut.ids import new_id

PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
CAPTIONS = {".txt", ".json"}
UPLOADED = PICTURES | CAPTIONS | {".zip"}

MOST_PICTURES = 100
MOST_BYTES = 45 * 1024 * 1024
"""Of the files of one request: less than the 50 MiB that it may have with all its headers."""

WAITS_SECONDS = (1.0, 2.0, 4.0, 8.0)
"""Before each further try of a request that met a busy server or a broken connection."""


def requests_of(places: Sequence[Path]) -> list[list[Path]]:
    """The files of folders (their sub-folders left out) and the files named, in requests of at most 100 pictures and
    45 MiB. A caption comes after its picture; folders never share a request, where equal names would meet.

    ``InvalidRequest`` for what is no picture, caption, ZIP or folder, for a file that no request can hold, and when
    there is nothing to send.
    """
    named = [place for place in places if not place.is_dir()]
    for place in named:
        if not place.is_file():
            raise InvalidRequest(f"{place} is neither a file nor a folder; give one that holds your pictures.")
        if place.suffix.lower() not in UPLOADED:
            raise InvalidRequest(f"{place} is no JPEG, PNG, WebP, .txt, .json or ZIP file; leave it out.")
    groups = [named, *(_files_of(place) for place in places if place.is_dir())]
    requests = [request for group in groups for request in _split(group)]
    if not requests:
        raise InvalidRequest(f"{', '.join(map(str, places))} holds no JPEG, PNG, WebP or ZIP file and no caption.")
    return requests


def send(client: Client, dataset_id: str, files: Sequence[Path]) -> dict[str, Any]:
    """One request's report; a retry carries the same Idempotency-Key, so that it has one effect."""
    key = new_id()
    return patiently(lambda: client.upload(dataset_id, files, idempotency_key=key))


def patiently(ask: Callable[[], dict[str, Any]], sleep: Callable[[float], None] | None = None) -> dict[str, Any]:
    """``ask``, and again after a pause when the server is busy or away. ``Busy`` after the last try."""
    for wait in WAITS_SECONDS:
        try:
            return ask()
        except Busy as busy:
            note(f"{busy.message} Trying again in {wait:.0f} s.")
            (sleep or time.sleep)(wait)
    return ask()


def _files_of(folder: Path) -> list[Path]:
    files = (path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return sorted(path for path in files if path.suffix.lower() in UPLOADED)


def _split(files: Sequence[Path]) -> list[list[Path]]:
    requests: list[list[Path]] = []
    size = pictures = 0
    for path in sorted(files, key=lambda path: (path.stem, path.suffix.lower() in CAPTIONS)):
        file_size, is_picture = path.stat().st_size, path.suffix.lower() not in CAPTIONS
        if file_size > MOST_BYTES:
            raise InvalidRequest(
                f"{path} has {file_size / 2**20:.0f} MiB and a request takes {MOST_BYTES >> 20}: scale the picture "
                "down, or unpack the ZIP and give the folder."
            )
        if not requests or size + file_size > MOST_BYTES or pictures + is_picture > MOST_PICTURES:
            requests.append([])
            size = pictures = 0
        requests[-1].append(path)
        size, pictures = size + file_size, pictures + is_picture
    return requests
