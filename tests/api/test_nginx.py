"""The lines of nginx that docs/behind-a-proxy.md shows, run: TLS, links, uploads, refusals, events, a path."""

import http.client
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from tests.api.live import Account, Live, running
from tests.api.pictures import png

PAGE = Path(__file__).parents[2] / "docs" / "behind-a-proxy.md"
MIB = 1 << 20
AROUND = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; user root;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {shown}
}}
"""
CERTIFICATE = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=img.example.org -keyout {key} -out {pem}"


@dataclass
class Proxied:
    """A server behind nginx. ``port``: where nginx listens."""

    live: Live
    port: int

    def account(self, path: str = "") -> Account:
        """An account whose client goes through nginx."""
        account = self.live.account()
        url = f"https://127.0.0.1:{self.port}{path}"
        headers = {"Api-Key": account.api_key, "Host": f"img.example.org:{self.port}"}
        account.http = httpx2.Client(base_url=url, verify=False, headers=headers, timeout=30)
        return account


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("nginx")
    with running(folder, trusted_proxies="127.0.0.1") as live, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        shown, under_a_path = re.findall(r"^```nginx\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
        shown = shown.replace("    location / {", f"{under_a_path}\n    location / {{")
        shown = shown.replace("127.0.0.1:8731", live.url.removeprefix("http://")).replace("443", f"127.0.0.1:{port}")
        shown = shown.replace("/etc/ssl/", f"{folder}/")
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder, shown=shown))
        made = CERTIFICATE.format(key=folder / "img.example.org.key", pem=folder / "img.example.org.pem")
        subprocess.run(made.split(), check=True, capture_output=True)
        command = ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", str(folder / "error.log")]
        process = subprocess.Popen(command)
        try:
            _wait_for(port, process)
            yield Proxied(live, port)
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "nginx does not take these lines"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("nginx does not answer")


@pytest.mark.parametrize("path", ["", "/img"])
def test_links_lead_back_through_it(nginx: str, proxied: Proxied, path: str) -> None:
    account = proxied.account(path)
    with proxied.live.working():
        answer = account.http.post("/v1/ideogram-v3/generate", json={"prompt": "a teapot"}).json()
    link = answer["data"][0]["url"]
    assert link.startswith(f"https://img.example.org:{proxied.port}{path}/api/images/ephemeral/")
    shown = account.http.get(link.replace("img.example.org", "127.0.0.1").replace("/img/api", "/img/api"))
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")


@pytest.mark.parametrize("path", ["", "/img"])
def test_the_reference_s_links_stay_inside(nginx: str, proxied: Proxied, path: str) -> None:
    http_ = proxied.account(path).http
    page = http_.get("/docs")
    assert page.status_code == 200
    link = re.search(r'href="([^"#]*openapi[^"]*)"', page.text)
    assert link is not None
    assert http_.get(str(page.url.join(link[1]))).json()["openapi"].startswith("3.1")


def test_uploads_pass(nginx: str, proxied: Proxied) -> None:
    account = proxied.account()
    dataset = account.http.post("/datasets", json={"name": "x"}).json()["dataset_id"]
    report = account.http.post(f"/datasets/{dataset}/upload_assets", files=[("files", ("a.png", png(1)))]).json()
    assert report["success_count"] == 1


@pytest.mark.parametrize(("status", "size"), [(401, 20 * MIB), (413, 60 * MIB)])
def test_refusals_pass(nginx: str, proxied: Proxied, status: int, size: int) -> None:
    account = proxied.account()
    dataset = account.http.post("/datasets", json={"name": "x"}).json()["dataset_id"]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", proxied.port, timeout=30, context=context)
    headers = {"Content-Type": "multipart/form-data; boundary=X"}
    headers["Api-Key"] = "wrong" if status == 401 else account.api_key
    connection.request("POST", f"/datasets/{dataset}/upload_assets", b"--X\r\n" + bytes(size), headers)
    answer = connection.getresponse()
    assert answer.status == status
    assert b'"error"' in answer.read()


def test_events_come_as_they_happen(nginx: str, proxied: Proxied) -> None:
    """The first one arrives while the stream goes on: nothing is collected on the way."""
    account = proxied.account()
    dataset = account.http.post("/datasets", json={"name": "x"}).json()["dataset_id"]
    files = [("files", (f"{n}.png", png(n))) for n in range(15)]
    account.http.post(f"/datasets/{dataset}/upload_assets", files=files)
    body = {"dataset_id": dataset, "model_name": f"m{proxied.port}"}
    model = account.http.post("/v1/ideogram-v3/train-model", json=body).json()["model_id"]
    with account.http.stream("GET", f"/models/{model}/events") as stream:
        assert next(stream.iter_raw()).startswith(b"retry:")
    assert account.http.post(f"/models/{model}/cancel").status_code == 200


def test_nobody_but_the_proxy_counts(nginx: str, proxied: Proxied) -> None:
    """What a client of the proxy invents is overwritten by the lines shown."""
    account = proxied.account()
    invented = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/evil"}
    with proxied.live.working():
        answer = account.http.post("/v1/ideogram-v3/generate", json={"prompt": "a teapot"}, headers=invented).json()
    assert answer["data"][0]["url"].startswith(f"https://img.example.org:{proxied.port}/api/")
