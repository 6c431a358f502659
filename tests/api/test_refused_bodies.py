"""A refusal before the body was read reaches clients that go on sending; what they are waited for has an end."""

import http.client
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from tests.api.live import Account, Live

from linocut.api import incoming

MIB = 1 << 20
FORM = {"Content-Type": "multipart/form-data; boundary=X"}
BODY = b"--X\r\n" + bytes(60 * MIB)


@pytest.fixture
def upload(account: Account) -> str:
    return f"/datasets/{account.http.post('/datasets', json={'name': 'x'}).json()['dataset_id']}/upload_assets"


def _host(live: Live) -> str:
    return live.url.removeprefix("http://")


def _asked(live: Live, path: str, body: bytes, headers: dict[str, str], *, chunked: bool) -> tuple[int, bytes]:
    """What the library that sends everything before it reads gets to see."""
    connection = http.client.HTTPConnection(_host(live), timeout=30)
    if chunked:
        pieces: Iterator[bytes] = (body[start : start + MIB] for start in range(0, len(body), MIB))
        connection.request("POST", path, pieces, headers, encode_chunked=True)
    else:
        connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.parametrize("chunked", [False, True], ids=["of a told length", "in chunks"])
@pytest.mark.parametrize(
    ("status", "path", "more", "sentence"),
    [
        (401, "{upload}", {"Api-Key": "wrong"}, b"Send a valid API key"),
        (404, "/datasets/none/upload_assets", {}, b"There is no such dataset"),
        (404, "/nothing", {}, b"nothing at this address"),
        (405, "/healthz", {}, b"does not take POST"),
        (400, "{upload}", {"Content-Type": "text/plain"}, b"Send the body as multipart/form-data"),
        (415, "{upload}", {"Content-Encoding": "gzip"}, b"Content-Encoding"),
        (400, "{upload}", {"Idempotency-Key": "x" * 300}, b"Idempotency-Key"),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_a_refusal_reaches_who_still_sends(
    live: Live,
    account: Account,
    upload: str,
    status: int,
    path: str,
    more: dict[str, str],
    sentence: bytes,
    chunked: bool,
) -> None:
    headers = {**FORM, "Api-Key": account.api_key, **more}
    told, body = _asked(live, path.format(upload=upload), BODY[: 20 * MIB], headers, chunked=chunked)
    assert told == status
    assert sentence in body


@pytest.mark.parametrize("size", [51 * MIB, 60 * MIB, 120 * MIB])
def test_a_body_that_is_too_large_is_told_so(live: Live, account: Account, upload: str, size: int) -> None:
    body = b"--X\r\n" + bytes(size)
    told, answer = _asked(live, upload, body, {**FORM, "Api-Key": account.api_key}, chunked=False)
    assert told == 413
    assert b"larger than 50 MiB" in answer


def test_a_body_that_grows_too_large_is_told_so(live: Live, account: Account, upload: str) -> None:
    head = b'--X\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    told, answer = _asked(live, upload, head + BODY, {**FORM, "Api-Key": account.api_key}, chunked=True)
    assert told == 413
    assert b"larger than 50 MiB" in answer


def test_urllib_sees_it(live: Live, account: Account, upload: str) -> None:
    request = urllib.request.Request(live.url + upload, BODY, {**FORM, "Api-Key": account.api_key})
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(request, timeout=30)
    assert told.value.code == 413
    assert b"larger than 50 MiB" in told.value.read()


SCRIPT = """
const [url, key, size] = process.argv.slice(1);
const headers = {"Api-Key": key, "Content-Type": "multipart/form-data; boundary=X"};
const answer = await fetch(url, {method: "POST", body: new Uint8Array(Number(size)), headers});
console.log(answer.status, (await answer.json()).error);
console.log((await fetch(new URL("/healthz", url))).status);
"""


@pytest.mark.parametrize(("key", "status"), [("", "413"), ("wrong", "401")])
def test_fetch_sees_it(node: str, live: Live, account: Account, upload: str, key: str, status: str) -> None:
    command = [node, "--input-type=module", "-e", SCRIPT, live.url + upload, key or account.api_key, str(60 * MIB)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert told.stdout.startswith(status), told.stderr
    assert told.stdout.endswith("200\n")


@pytest.mark.parametrize("expect", ["", "100-continue"])
@pytest.mark.parametrize("more", [(), ("-H", "Transfer-Encoding: chunked")])
def test_curl_sees_it(curl: str, live: Live, account: Account, expect: str, more: tuple[str, ...]) -> None:
    command = [curl, "-sS", "-m", "30", "-w", " %{http_code}", "-H", f"Expect: {expect}", "-H", "Api-Key: wrong", *more]
    command += ["--data-binary", "@-", f"{live.url}/v1/ideogram-v3/generate"]
    told = subprocess.run(command, input=BODY[: 20 * MIB], capture_output=True, timeout=60)
    assert told.stdout.endswith(b" 401"), told.stderr
    assert b"Send a valid API key" in told.stdout


def test_who_waits_to_be_asked_is_not_asked(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends nothing without "100 Continue" is told the refusal, and never to go on."""
    monkeypatch.setattr(incoming, "EXPECTING_SECONDS", 0.05)
    monkeypatch.setattr(incoming, "SILENT_SECONDS", 0.05)
    with socket.create_connection(_host(live).split(":"), timeout=30) as connection:
        connection.sendall(b"POST /datasets HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
        told = b"".join(iter(lambda: connection.recv(65536), b""))
    assert told.startswith(b"HTTP/1.1 401")
    assert b"100 Continue" not in told


@pytest.mark.parametrize(
    ("limits", "pieces"),
    [
        ({"SILENT_SECONDS": 0.1}, 1),
        ({"LINGER_SECONDS": 0.3}, 1000),
        ({"ANNOUNCED_BYTES": 8 * MIB}, 1000),
        ({"MOST_LINGERING": 0}, 1000),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_nobody_is_read_from_for_ever(
    live: Live, monkeypatch: pytest.MonkeyPatch, limits: dict[str, float], pieces: int
) -> None:
    """After the answer: a client that falls silent, that goes on and on, or that sends too much is cut."""
    for name, value in limits.items():
        monkeypatch.setattr(incoming, name, value)
        monkeypatch.setattr(f"linocut.api.edge.{name}", value, raising=False)
    with socket.create_connection(_host(live).split(":"), timeout=30) as connection:
        connection.sendall(b"POST /datasets HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 401")
        began, sent = time.monotonic(), 0
        try:
            for _ in range(pieces):
                connection.sendall(bytes(256 * 1024))
                sent += 256 * 1024
                time.sleep(0.01 if "LINGER_SECONDS" in limits else 0)
            assert connection.recv(65536) == b""
        except OSError:
            pass
        assert time.monotonic() - began < 10
    assert sent < 200 * MIB


def test_a_body_that_is_read_to_its_end_keeps_the_connection(live: Live) -> None:
    connection = http.client.HTTPConnection(_host(live), timeout=30)
    for _ in range(3):
        connection.request("POST", "/datasets", bytes(MIB), {"Api-Key": "wrong"})
        answer = connection.getresponse()
        assert answer.status == 401
        answer.read()
    assert connection.sock is not None


PACKINGS = ["gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "compress", "gzip, br", "identity, gzip", "made-up"]


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("path", ["/datasets", "/v1/ideogram-v3/generate", "{upload}"])
def test_a_packed_body_is_415(account: Account, upload: str, packing: str, path: str) -> None:
    kind = FORM if "upload" in path or "generate" in path else {"Content-Type": "application/json"}
    headers = {**kind, "Content-Encoding": packing}
    answer = account.http.post(path.format(upload=upload), content=b"\x1f\x8b\x08", headers=headers)
    assert answer.status_code == 415
    assert "Content-Encoding" in answer.json()["error"]
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("packing", ["identity", "Identity", "", "identity, identity"])
def test_a_body_as_it_is_may_say_so(account: Account, packing: str) -> None:
    answer = account.http.post("/datasets", json={"name": "plain"}, headers={"Content-Encoding": packing})
    assert answer.status_code == 200
