"""How soon the API process answers after it was started, and that it does so without torch (at most 2 s asked for).

Run by ``make bench``; writes api_start.md beside this file.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx2

ROUNDS = 7
LIMIT_SECONDS = 2.0
HERE = Path(__file__).parent


def one_start(data: Path) -> float:
    """Seconds from starting the process until its first answer."""
    (data / "server.json").unlink(missing_ok=True)
    environment = {**os.environ, "LINOCUT_DATA": str(data), "LINOCUT_PORT": "0", "LINOCUT_LOG_LEVEL": "ERROR"}
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "linocut.api.serve"], env=environment)
    try:
        with httpx2.Client(verify=False, timeout=2.0) as http:
            while True:
                try:
                    url = json.loads((data / "server.json").read_text())["url"]
                    http.get(f"{url}/healthz").raise_for_status()
                    return time.perf_counter() - started
                except (OSError, ValueError, httpx2.TransportError):
                    time.sleep(0.005)
    finally:
        process.terminate()
        process.wait(20)


def heavy_modules() -> list[str]:
    """The modules of a GPU stack that importing the API brings along."""
    code = "import sys, linocut.api.serve; print(*({'torch', 'transformers', 'diffusers'} & set(sys.modules)))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def main() -> None:
    """Measure, print and write the result."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = [one_start(Path(folder)) for _ in range(ROUNDS)]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE).stdout
    text = f"""# Start of the API process

| what | result |
|---|---|
| first answer after the start, median of {ROUNDS} | {statistics.median(seconds):.2f} s (at most {LIMIT_SECONDS}) |
| slowest (the first makes the database) | {max(seconds):.2f} s |
| torch, transformers, diffusers imported | {", ".join(heavy_modules()) or "none"} |

Script: `benchmarks/api_start.py`. Date {datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {platform.machine()},
{os.cpu_count()} cores.
"""
    (HERE / "api_start.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
