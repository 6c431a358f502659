"""Files into requests that the server takes, sent one after the other, and again when it is busy."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from linocut.cli.gathering import Gathered, Part
from linocut.cli.say import note
from linocut.client import Client
from linocut.errors import Busy, InvalidRequest
from linocut.ids import new_id

MOST_PICTURES = 100
MOST_BYTES = 45 * 1024 * 1024
"""Of the files of one request: less than the 50 MiB that it may have with all its headers."""

WAITS_SECONDS = (1.0, 2.0, 4.0, 8.0)
"""Before each further try of a request that met a busy server or a broken connection."""


def requests_of(gathered: Gathered) -> list[list[Part]]:
    """The files in requests of at most 100 pictures and 45 MiB.

    A picture and its caption go together, the caption after it. Folders share a request: the server then sees which
    picture of a name has a caption beside it. ``InvalidRequest`` for a file that no request can hold.
    """
    requests: list[list[Part]] = []
    size = pictures = 0
    for pair in (pair for folder in gathered.folders for pair in _pairs(folder)):
        pair_size, pair_pictures = sum(map(_size, pair)), sum(not part.is_caption for part in pair)
        if not requests or size + pair_size > MOST_BYTES or pictures + pair_pictures > MOST_PICTURES:
            requests.append([])
            size = pictures = 0
        requests[-1] += pair
        size, pictures = size + pair_size, pictures + pair_pictures
    return requests


def upload_all(
    client: Client, dataset_id: str, requests: Sequence[Sequence[Part]], sent: Callable[[int], None]
) -> list[dict[str, Any]]:
    """Send the requests, name on stderr what the server refuses and what it remarks; its reports."""
    reports = []
    for parts in requests:
        report = send(client, dataset_id, parts)
        for refused in report["failed_assets"]:
            why = refused.get("message") or refused["failure_reason"]
            note(f"not taken: {refused.get('file_name')}: {why}")
        reports.append(report)
        sent(len(parts))
    return reports


def send(client: Client, dataset_id: str, parts: Sequence[Part]) -> dict[str, Any]:
    """One request's report; a retry carries the same Idempotency-Key, so that it has one effect."""
    key = new_id()
    files = [(part.sent_as, part.path) for part in parts]
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


def _pairs(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Pictures with their captions behind them; the files of a pair that is too large for one request, one by one."""
    ordered = sorted(parts, key=lambda part: (part.pair, part.is_caption, part.name))
    for _, group in groupby(ordered, key=lambda part: part.pair):
        pair = list(group)
        if sum(map(_size, pair)) <= MOST_BYTES and len(pair) <= MOST_PICTURES:
            yield pair
        else:
            yield from ([part] for part in pair)


def _size(part: Part) -> int:
    size = part.path.stat().st_size
    if size > MOST_BYTES:
        raise InvalidRequest(
            f"{part.path} has {size / 2**20:.0f} MiB and a request takes {MOST_BYTES >> 20}: scale the picture down, "
            "or unpack the ZIP and give the folder."
        )
    return size
