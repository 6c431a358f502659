"""A process that is asked to stop hears it, whatever its main thread is doing just then."""

import signal
import subprocess
import sys

import pytest
from tests.api.processes import until

WAITS = """
import os, signal, sys
from linocut.stopping import when_asked_is_set
stop = when_asked_is_set()
number = signal.Signals(int(sys.argv[1]))
"""
IN_THE_LOCK = """
with stop._cond:  # as in the middle of wait()
    os.kill(os.getpid(), number)
    for _ in range(100):
        pass  # the handler is called here
    assert not stop.is_set()
"""
ANY_MOMENT = """
me, killer = os.getpid(), os.fork()
if killer == 0:
    os.close(1), os.close(2)
    while os.getppid() == me:
        os.kill(me, number)
    os._exit(0)
for _ in range(300):
    stop = when_asked_is_set()
    while not stop.wait(0.00001):
        pass
os.kill(killer, signal.SIGKILL)
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("does", [IN_THE_LOCK, ANY_MOMENT], ids=["in the lock", "at any moment"])
def test_it_is_heard(name: str, does: str) -> None:
    command = [sys.executable, "-c", f"{WAITS}{does}assert stop.wait(10)\nos._exit(7)", str(int(signal.Signals[name]))]
    process = subprocess.Popen(command)
    try:
        until(lambda: process.poll() is not None, "an end", 20)
        assert process.returncode == 7
    finally:
        process.kill()
