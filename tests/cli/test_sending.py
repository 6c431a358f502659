"""Requests that the server takes: how files are split, and that a busy server is asked again with the same key."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from linocut.cli import sending
from linocut.cli.gathering import Part, gather
from linocut.cli.sending import MOST_BYTES, MOST_PICTURES, WAITS_SECONDS, patiently, requests_of, send
from linocut.errors import Busy, InvalidRequest, NotFound


def sized(path: Path, size: int = 1) -> Path:
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


def requests_for(*places: Path) -> list[list[Part]]:
    return requests_of(gather(places))


def test_a_request_has_at_most_a_hundred_pictures_and_their_captions(tmp_path: Path) -> None:
    for number in range(250):
        sized(tmp_path / f"{number:03}.png")
        sized(tmp_path / f"{number:03}.txt")
    requests = requests_for(tmp_path)
    assert [sum(not part.is_caption for part in request) for request in requests] == [100, 100, 50]
    assert sum(map(len, requests)) == 500
    for request in requests:  # a caption follows its picture, in the same request
        assert [part.pair for part in request[::2]] == [part.pair for part in request[1::2]]
        assert not any(part.is_caption for part in request[::2])
    assert MOST_PICTURES == 100


def test_a_request_has_at_most_its_bytes(tmp_path: Path) -> None:
    for number in range(7):
        sized(tmp_path / f"{number}.jpg", MOST_BYTES // 3)
    assert [len(request) for request in requests_for(tmp_path)] == [3, 3, 1]


def test_a_picture_and_its_caption_are_never_parted_however_the_caption_is_named(tmp_path: Path) -> None:
    third = MOST_BYTES // 3
    for picture, caption in (
        ("1.png", "1.caption"),
        ("P2.jpg", "p2.TXT"),
        ("p3.PNG", "p3.PNG.txt"),
        ("4.webp", "4.json"),
    ):
        sized(tmp_path / picture, third)
        sized(tmp_path / caption, 1)
    assert [[part.name for part in request] for request in requests_for(tmp_path)] == [
        ["1.png", "1.caption", "4.webp", "4.json"],
        ["P2.jpg", "p2.TXT", "p3.PNG", "p3.PNG.txt"],
    ]


def test_folders_share_a_request_under_names_that_keep_them_apart(tmp_path: Path) -> None:
    """So the server sees which pictures have a caption beside them."""
    for name in ("one", "two", "one/in"):
        (tmp_path / name).mkdir()
        sized(tmp_path / name / "same.png")
    alone = sized(tmp_path / "alone.webp")
    (request,) = requests_for(tmp_path / "one", alone, tmp_path / "two")
    assert [part.path.parent.name for part in request] == [tmp_path.name, "one", "in", "two"]
    assert [part.name for part in request] == ["alone.webp", "same.png", "in/same.png", "same.png"]
    assert [part.sent_as for part in request] == ["1/alone.webp", "0/same.png", "0/in/same.png", "2/same.png"]


def test_a_picture_and_its_caption_that_are_named_one_by_one_are_sent_from_one_folder(tmp_path: Path) -> None:
    places = [sized(tmp_path / "cup.png"), sized(tmp_path / "cup.txt")]
    assert [[part.sent_as for part in request] for request in requests_for(*places)] == [["0/cup.png", "0/cup.txt"]]


def test_what_no_request_can_hold(tmp_path: Path) -> None:
    big = sized(tmp_path / "all.zip", MOST_BYTES + 1)
    with pytest.raises(InvalidRequest, match="unpack the ZIP"):
        requests_for(big)


class Server:
    """A client of a server that is busy for the first ``failures`` requests."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.keys: list[str | None] = []

    def upload(
        self, dataset_id: str, files: list[tuple[str, Path]], *, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        self.keys.append(idempotency_key)
        if len(self.keys) <= self.failures:
            raise Busy("Not now.")
        return {"dataset_id": dataset_id}


def test_a_busy_server_is_asked_again_with_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(sending, "time", SimpleNamespace(sleep=waited.append))  # other threads sleep on
    server = Server(failures=3)
    assert send(server, "d", []) == {"dataset_id": "d"}  # type: ignore[arg-type]
    assert len(server.keys) == 4
    assert len(set(server.keys)) == 1
    assert server.keys[0]
    assert waited == [1.0, 2.0, 4.0]
    send(server, "d", [])  # type: ignore[arg-type]
    assert server.keys[-1] != server.keys[0]


def test_patience_ends_and_other_errors_are_told_at_once() -> None:
    asked: list[int] = []

    def busy() -> dict[str, Any]:
        asked.append(1)
        raise Busy("Not now.")

    with pytest.raises(Busy):
        patiently(busy, sleep=lambda _: None)
    assert len(asked) == 1 + len(WAITS_SECONDS)

    def missing() -> dict[str, Any]:
        asked.append(1)
        raise NotFound("None.")

    with pytest.raises(NotFound):
        patiently(missing, sleep=lambda _: None)
    assert len(asked) == 2 + len(WAITS_SECONDS)
