"""Large, slow, broken-off uploads: refused while they stream, spooled to disk, swept in any case."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.api.live import Account, Live, raw
from tests.api.pictures import png

from linocut.api.shared import sweep_spool

HEAD = b'--b\r\nContent-Disposition: form-data; name="files"; filename="big.png"\r\n\r\n'
MIB = 1 << 20


@pytest.fixture
def dataset_id(account: Account) -> str:
    return str(account.http.post("/datasets", json={"name": "x"}).json()["dataset_id"])


def _spooled(live: Live) -> list[Path]:
    return list((live.settings.data / "spool").iterdir())


def _wait_until_swept(live: Live) -> None:
    deadline = time.monotonic() + 60
    while _spooled(live) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _spooled(live) == []


def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(
    live: Live, account: Account, dataset_id: str
) -> None:
    head = (
        f"POST /datasets/{dataset_id}/upload_assets HTTP/1.1\r\nHost: x\r\nApi-Key: {account.api_key}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {51 * MIB}\r\n\r\n"
    )
    status, _, body = raw(live, head.encode())
    assert status == 413
    assert body["error"] == "The body is larger than 50 MiB; send less at a time."
    assert _spooled(live) == []


def test_files_for_no_dataset_are_not_awaited(live: Live, account: Account) -> None:
    head = (
        f"POST /datasets/none/upload_assets HTTP/1.1\r\nHost: x\r\nApi-Key: {account.api_key}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {40 * MIB}\r\n\r\n"
    )
    assert raw(live, head.encode())[0] == 404


def test_a_body_that_does_not_say_is_refused_at_the_limit(live: Live, account: Account, dataset_id: str) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield HEAD
        while sent < 300 * MIB:
            sent += MIB
            yield b"x" * MIB

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = account.http.post(f"/datasets/{dataset_id}/upload_assets", content=endless(), headers=headers)
    assert answer.status_code == 413
    assert sent < 130 * MIB, "the limit, what is thrown away after the answer, and what is on its way"
    _wait_until_swept(live)


def test_a_file_over_its_own_limit_is_that_file_s_fault_only(account: Account, dataset_id: str) -> None:
    files = [("files", ("big.png", png(1) + b"\0" * (26 * MIB))), ("files", ("good.png", png(2)))]
    report = account.http.post(f"/datasets/{dataset_id}/upload_assets", files=files).json()
    assert [f["failure_reason"] for f in report["failed_assets"]] == ["FILE_TOO_LARGE"]
    assert report["success_count"] == 1


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(
    live: Live, account: Account, dataset_id: str
) -> None:
    host, port = live.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = (
            f"POST /datasets/{dataset_id}/upload_assets HTTP/1.1\r\nHost: x\r\nApi-Key: {account.api_key}\r\n"
            f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {20 * MIB}\r\n\r\n"
        )
        connection.sendall(head.encode() + HEAD + b"x" * MIB)
        deadline = time.monotonic() + 60
        while not _spooled(live) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert _spooled(live) != []  # it is on the disk while it arrives
    _wait_until_swept(live)
    assert account.http.get(f"/datasets/{dataset_id}").json()["file_count"] == 0


def test_a_broken_body_leaves_nothing_behind(live: Live, account: Account, dataset_id: str) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = account.http.post(f"/datasets/{dataset_id}/upload_assets", content=HEAD + b"x" * 100_000, headers=headers)
    assert answer.status_code == 400
    _wait_until_swept(live)


def test_gets_are_answered_while_pictures_are_taken_in(
    live: Live, account: Account, dataset_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ingest runs beside the loop: one that hangs holds up nobody."""
    from linocut.api import uploads

    begun, may_end = threading.Event(), threading.Event()
    ingest = uploads.datasets.ingest

    def slow(*arguments: object) -> object:
        begun.set()
        assert may_end.wait(60)
        return ingest(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(uploads.datasets, "ingest", slow)
    answers: list[httpx2.Response] = []

    def upload() -> None:
        answers.append(account.http.post(f"/datasets/{dataset_id}/upload_assets", files={"files": ("a.png", png(1))}))

    uploading = threading.Thread(target=upload)
    uploading.start()
    try:
        assert begun.wait(60)
        assert live.public.get("/healthz", timeout=2).status_code == 200
        assert live.public.get("/datasets", headers={"Api-Key": account.api_key}, timeout=2).status_code == 200
    finally:
        may_end.set()
        uploading.join()
    assert answers[0].json()["success_count"] == 1
    assert _spooled(live) == []


def test_a_silent_client_is_not_awaited_for_ever(
    live: Live, account: Account, dataset_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linocut.api.body.PATIENCE_SECONDS", 0.2)
    head = (
        f"POST /datasets/{dataset_id}/upload_assets HTTP/1.1\r\nHost: x\r\nApi-Key: {account.api_key}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n"
    )
    status, _, body = raw(live, head.encode() + HEAD)
    assert status == 408
    assert "arrived at less than 8 KiB a second" in body["error"]
    _wait_until_swept(live)


def test_what_a_killed_process_left_is_swept_at_the_start(tmp_path: Path) -> None:
    dead, mine, alive = "4194399-a", f"{os.getpid()}-b", f"{os.getppid()}-c"
    for name in (dead, mine, alive, "strange"):
        (tmp_path / name).mkdir()
    sweep_spool(tmp_path)
    assert [folder.name for folder in tmp_path.iterdir()] == [alive]


def test_an_upload_says_what_was_not_clear_and_what_waits(account: Account, dataset_id: str) -> None:
    damaged = "eine schöne grüne Tür über der Straße".encode() + b"\xff"
    parts = [
        ("files", ("a/cup.png", png(1))), ("files", ("a/cup.txt", damaged)), ("files", ("b/cup.png", png(2))),
        ("files", ("b/cup.txt", b"of b")), ("files", ("lost.caption", b"waits")),
    ]  # fmt: skip
    answer = account.http.post(f"/datasets/{dataset_id}/upload_assets", files=parts).json()
    assert len(answer["successful_assets"]) == 4
    damage = "no UTF-8 and read as \ufffd; save it as UTF-8 and send it again."
    assert answer["x_linocut"]["notes"] == [
        f"cup.txt: 1 byte of it is {damage}",
        "1 caption waits for a picture of the same name: lost.caption. Upload the picture, or upload the caption again "
        "under the name of one that is here; until then no picture has it.",
    ]
    files = account.http.get(f"/datasets/{dataset_id}").json()["files"]
    assert [file["caption"] for file in files] == ["eine schöne grüne Tür über der Straße\ufffd", "of b"]
    assert [file["x_linocut"].get("notes") for file in files] == [[f"The caption had bytes that are {damage}"], None]
    again = account.http.post(f"/datasets/{dataset_id}/upload_assets", files=[("files", ("c.png", png(3)))]).json()
    assert "x_linocut" not in again


def test_a_caption_in_another_code_page_is_refused(account: Account, dataset_id: str) -> None:
    parts = [("files", ("cup.png", png(1))), ("files", ("cup.txt", "красный кот".encode("cp1251")))]
    answer = account.http.post(f"/datasets/{dataset_id}/upload_assets", files=parts).json()
    (failed,) = answer["failed_assets"]
    assert (failed["file_name"], failed["failure_reason"]) == ("cup.txt", "INVALID_CAPTION")
    assert "save it as UTF-8" in failed["message"]
