"""A chat endpoint of a test: it gives the answers that it is told, one after another, and keeps what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from linocut.engine.tools.chat import Endpoint

KEY = "sk-not-to-be-told-0123456789"


@dataclass
class Chat:
    """``answers``: a text (200), a status, or None for none at all; the last one is given again and again."""

    answers: list[str | int | None]
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def endpoint(self, seconds: float = 5.0) -> Endpoint:
        return Endpoint(self.url, "eyes-1", KEY, seconds)


@contextmanager
def chat(*answers: str | int | None) -> Iterator[Chat]:
    """The endpoint, listening."""
    told = Chat(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            told.keys.append(str(self.headers["Authorization"]))
            given = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
            if given is None:
                told.released.wait(20)
                return
            body = json.dumps({"choices": [{"message": {"role": "assistant", "content": given}}]}).encode()
            self.send_response(given if isinstance(given, int) else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        told.released.set()
        server.shutdown()
        server.server_close()
