"""Whether clients without a key can lock others out, and for how long. The attack is bounded and stays on 127.0.0.1.

Two attacks, one after the other, from a process of their own: 4,200 connections with a receive buffer of 1 KiB, four
requests for /docs in each, of whose answers nothing is ever read; and 20 connections with 100 such requests each. All
the while /healthz is asked for on a new connection every 50 ms: each is to be answered within a second. Measured too:
the memory of the API process at its highest, and when the last of the attacking connections was cut.

Run by ``make bench``; writes locked_out.md beside this file.
"""

import json
import resource
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from load import cpu_seconds, serving, where

ATTACKS = ((4200, 4), (20, 100))
FEW = 5
"""Open files beyond those of a server at rest that are not counted as held connections."""
SECONDS = 40.0
"""How long an attack may last; what is cut is not opened again."""
REQUEST = b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n"


def attack(port: int, connections: int, requests: int) -> None:
    """Open the connections, ask, read nothing; say when each was cut. In a process of its own."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    watched, opened, refused = select.poll(), {}, 0
    began = time.monotonic()
    for _ in range(connections):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        one.settimeout(5)
        try:
            one.connect(("127.0.0.1", port))
            one.sendall(REQUEST * requests)
        except OSError:
            refused += 1
            continue
        opened[one.fileno()] = one
        watched.register(one.fileno(), select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    all_open = time.monotonic() - began
    cut_at = 0.0
    while time.monotonic() - began < SECONDS:
        for fd, _ in watched.poll(100):
            watched.unregister(fd)
            opened.pop(fd).close()
            cut_at = time.monotonic() - began
    told = {"refused": refused, "all_open": all_open, "left": len(opened), "last_cut": cut_at}
    print(json.dumps(told), flush=True)


class Bystander(threading.Thread):
    """Asks /healthz on a new connection again and again, and remembers how long each took."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self.took: list[float] = []
        self.stop = threading.Event()

    def run(self) -> None:
        """Until ``stop``."""
        while not self.stop.wait(0.05):
            began = time.monotonic()
            try:
                with socket.create_connection(("127.0.0.1", self._port), timeout=60) as one:
                    one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    answered = one.recv(64).startswith(b"HTTP/1.1 200")
            except OSError:
                answered = False
            self.took.append(time.monotonic() - began if answered else 60.0)


def measure(port: int, pid: int, connections: int, requests: int) -> dict[str, float]:
    """One attack. Seconds and MiB."""
    server, peak = psutil.Process(pid), 0
    bystander = Bystander(port)
    bystander.start()
    time.sleep(0.5)  # what the server opens at its first request is open
    cpu = cpu_seconds(pid)
    before, idle_files = server.memory_info().rss, server.num_fds()
    command = [sys.executable, str(Path(__file__).resolve()), str(port), str(connections), str(requests)]
    attacking = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    began, held, last_held = time.monotonic(), 0, 0.0
    while attacking.poll() is None:
        peak = max(peak, server.memory_info().rss)
        held = server.num_fds() - idle_files
        last_held = time.monotonic() - began if held > FEW else last_held
        time.sleep(0.05)
    cpu = cpu_seconds(pid) - cpu
    bystander.stop.set()
    bystander.join()
    assert attacking.stdout is not None
    took = sorted(bystander.took)
    return {
        **json.loads(attacking.stdout.read()), "slowest": took[-1], "median": took[len(took) // 2], "asked": len(took),
        "before": before / 2**20, "peak": peak / 2**20, "last_held": last_held, "held": held,
        "cpu": cpu, "late": sum(seconds > 1 for seconds in took),
    }  # fmt: skip


def main() -> None:
    """Measure and write the page."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for connections, requests in ATTACKS:
            command = ["-m", "linocut.api.serve"]
            with serving(Path(folder) / str(connections), command) as (url, pid):
                told = measure(int(url.rpartition(":")[2]), pid, connections, requests)
            rows.append(
                f"| {connections} x {requests} | {told['slowest'] * 1000:.0f} | {told['median'] * 1000:.1f} | "
                f"{told['late']:.0f} of {told['asked']:.0f} | {told['last_held']:.1f} | {told['cpu']:.1f} | "
                f"{told['before']:.0f} | {told['peak']:.0f} |"
            )
            print(rows[-1], flush=True)
    page = f"""# Locked out

Clients without a key that ask and do not read, and what others notice of them.

| attack | slowest /healthz, ms | median, ms | over 1000 ms | last cut after, s | CPU, s | MiB before | MiB at most |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

Asked for: every /healthz within 1000 ms. {where("locked_out.py")}
"""
    Path(__file__).with_suffix(".md").write_text(page)


if __name__ == "__main__":
    attack(*map(int, sys.argv[1:])) if len(sys.argv) > 1 else main()
