"""A log of JSON lines, one event a line, with the wall clock and this process's CPU seconds."""

from __future__ import annotations

import json
import time
from pathlib import Path


class Log:
    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.start = time.monotonic()

    def __call__(self, **event: object) -> None:
        row = {"seconds": round(time.monotonic() - self.start, 1), "cpu": round(time.process_time(), 1), **event}
        with self.path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)
