"""An upload broken off at any byte leaves nothing behind: no row, no picture, no file, no task; the next one works."""

import gc
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.api.live import Account, Live, running
from tests.api.pictures import png, zipped

from linocut.api.call import Call
from linocut.api.multipart import FormReader, Part

FILES = (
    ("a.png", png(1, 200, 150)),
    ("a.txt", b"a tea poster"),
    ("more.zip", zipped({"b.png": png(2), "c.png": png(3)})),
)
BOUNDARY = b"----linocut-Boundary"


def body() -> bytes:
    """A multipart body of a picture, a caption and a ZIP."""
    parts = b""
    for name, content in FILES:
        parts += b"--" + BOUNDARY + b"\r\n"
        parts += f'Content-Disposition: form-data; name="files"; filename="{name}"\r\n'.encode()
        parts += b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n"
    return parts + b"--" + BOUNDARY + b"--\r\n"


def head(dataset_id: str, api_key: str, *, chunked: bool) -> bytes:
    """The request's head."""
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body())}"
    return (
        f"POST /datasets/{dataset_id}/upload_assets HTTP/1.1\r\nHost: x\r\nApi-Key: {api_key}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}\r\n{length}\r\n\r\n"
    ).encode()


def in_chunks(content: bytes, size: int = 1000) -> bytes:
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def cuts(request: bytes, head_bytes: int) -> list[int]:
    """Where to break off: in the head, around every boundary and part header, in between, right before the end."""
    chosen = {1, head_bytes // 2, head_bytes - 1, head_bytes, head_bytes + 1, len(request) - 1}
    position = request.find(BOUNDARY, head_bytes)
    while position >= 0:
        chosen |= {position + offset for offset in (-4, -2, -1, 3, len(BOUNDARY), len(BOUNDARY) + 2, 60, 140)}
        position = request.find(BOUNDARY, position + 1)
    chosen |= set(range(head_bytes, len(request), max(1, (len(request) - head_bytes) // 12)))
    return sorted(cut for cut in chosen if 0 < cut < len(request))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("broken")) as server:
        yield server


@pytest.fixture
def account(live: Live) -> Account:
    return live.account()


def eventually(fact: Callable[[], bool]) -> bool:
    """Whether it comes to be true; the server learns of a closed connection in its own time."""
    deadline = time.monotonic() + 60
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def leftovers(live: Live) -> list[str]:
    """Files of uploads that are under way, or were left behind."""
    return os.listdir(live.settings.data / "spool") + os.listdir(live.settings.data / "store" / "incoming")


def open_spool_files() -> list[str]:
    """The files of uploads that this process, which is the server's, holds open."""
    return [str(path.resolve()) for path in Path("/proc/self/fd").iterdir() if "spool" in str(path.resolve())]


def kept() -> int:
    """What is held in memory of requests under way: the call itself, and its form, part by part."""
    gc.collect()
    return sum(type(thing) in (Call, FormReader, Part) for thing in gc.get_objects())


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
@pytest.mark.parametrize("abort", [False, True], ids=["closed", "reset"])
def test_an_upload_broken_off_at_any_byte_leaves_nothing_behind(
    live: Live, account: Account, chunked: bool, abort: bool
) -> None:
    dataset_id = str(account.http.post("/datasets", json={"name": "x"}).json()["dataset_id"])
    start = head(dataset_id, account.api_key, chunked=chunked)
    request = start + (in_chunks(body()) if chunked else body())
    host, port = live.url.removeprefix("http://").split(":")
    broken = cuts(request, len(start))
    assert len(broken) > 30
    for cut in broken:
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(request[:cut])
            if abort:  # close with RST, as a host that crashes
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert eventually(lambda: leftovers(live) == [])
    assert eventually(lambda: kept() == 0)
    detail = account.http.get(f"/datasets/{dataset_id}").json()
    assert (detail["file_count"], detail["files"]) == (0, [])
    files = [("files", file) for file in FILES]
    report = account.http.post(f"/datasets/{dataset_id}/upload_assets", files=files).json()
    assert (report["success_count"], report["failure_count"]) == (3, 0)
    assert eventually(lambda: leftovers(live) == [])


def test_broken_uploads_do_not_make_the_server_grow(live: Live, account: Account) -> None:
    """Forms, parts and open files of requests that never ended are let go of."""
    dataset_id = str(account.http.post("/datasets", json={"name": "x"}).json()["dataset_id"])
    request = head(dataset_id, account.api_key, chunked=False) + body()
    host, port = live.url.removeprefix("http://").split(":")
    for _ in range(30):
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(request[: len(request) // 2])
    # Both at once: a request that the server had not begun to read at the first look may open its file after it.
    assert eventually(lambda: kept() == 0 and open_spool_files() == [])
