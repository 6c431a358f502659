"""A hub of our own: the routes that the hub has for a repository and its files, and the faults that it may have."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """Repositories by name -> path -> bytes. ``cut``: after how many bytes the next answers of a file end, one each;
    ``garbled``: how many answers of a file are damaged in their middle."""

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commits: dict[str, str] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    token: str = ""
    cut: dict[str, list[int]] = field(default_factory=dict)
    garbled: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(path, its Range header) of each file that was asked for."""
    sent: int = 0
    down: int = 0
    """The status of every answer, where it is not 0."""
    url: str = ""


def of_folder(folder: Path) -> dict[str, bytes]:
    """What a repository with the files of a folder holds."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    """Serves ``hub`` at its ``url``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            if hub.down:
                self._refuse(hub.down, "")
                return
            api = re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/([^/?]+)(\?.*)?", self.path)
            file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+?)(\?.*)?", self.path)
            match = api or file
            if match is None or match[1] not in hub.repositories:
                self._refuse(401 if not self.headers.get("Authorization") else 404, "RepoNotFound")
            elif match[1] in hub.gated and self.headers.get("Authorization") != f"Bearer {hub.token}":
                self._refuse(403 if self.headers.get("Authorization") else 401, "GatedRepo")
            elif match[2] not in ("main", hub.commits.get(match[1], COMMIT)):
                self._refuse(404, "RevisionNotFound")
            elif api:
                self._json(_info(hub, match[1]))
            else:
                self._file(match[1], match[3], body)

        def _file(self, repository: str, path: str, body: bool) -> None:
            data = hub.repositories[repository].get(path)
            if data is None:
                self._refuse(404, "EntryNotFound")
                return
            begin = int((re.match(r"bytes=(\d+)-", self.headers.get("Range") or "") or [0, 0])[1])
            hub.asked.append((path, self.headers.get("Range") or ""))
            if begin >= len(data) and begin:
                self._refuse(416, "")
                return
            rest = data[begin:]
            if hub.garbled.get(path, 0) > 0:
                hub.garbled[path] -= 1
                middle = len(rest) // 2
                rest = rest[:middle] + bytes([rest[middle] ^ 0xFF]) + rest[middle + 1 :]
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(rest)))
            self.send_header("X-Repo-Commit", hub.commits.get(repository, COMMIT))
            self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
            self.end_headers()
            if not body:
                return
            most = hub.cut[path].pop(0) if hub.cut.get(path) else len(rest)
            hub.sent += len(rest[:most])
            self.wfile.write(rest[:most])
            if most < len(rest):
                self.wfile.flush()
                self.close_connection = True
                self.connection.close()

        def _json(self, value: Any) -> None:
            data = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            if code:
                self.send_header("X-Error-Code", code)
                self.send_header("X-Error-Message", "told by the hub")
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _info(hub: Hub, repository: str) -> dict[str, Any]:
    siblings = []
    for path, data in hub.repositories[repository].items():
        blob = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
        one: dict[str, Any] = {"rfilename": path, "size": len(data), "blobId": blob}
        if path.endswith((".safetensors", ".bin")):
            one["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
        siblings.append(one)
    return {
        "id": repository, "modelId": repository, "sha": hub.commits.get(repository, COMMIT), "siblings": siblings,
        "private": False, "tags": [], "downloads": 0,
    }  # fmt: skip
