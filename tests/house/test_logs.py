"""With LINOCUT_LOG_JSON every line on stderr is JSON: ours, libraries', Python's warnings, uncaught exceptions."""

import json
import subprocess
import sys

import pytest

NOISY = """
import logging, sys, threading, warnings
from linocut.observe import adopt_libraries, log, set_up_logs

set_up_logs("INFO", as_json=%s)
log("ours").info("one", number=1)
logging.getLogger("a.library").warning("two %%d\\nlines", 2)
logging.getLogger("a.library").info("too quiet to be told")
logging.getLogger("a.library").log(35, "between two levels")
logging.getLogger("a.library").warning("%%d", "no number")
own = logging.getLogger("its.own")
own.addHandler(logging.StreamHandler())
own.propagate = False
adopt_libraries()
own.error("four")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("a.library").exception("five")
warnings.warn("six\\n6", UserWarning)
thread = threading.Thread(target=lambda: 1 / 0, name="the thread")
thread.start()
thread.join()

class Leaves:
    def __del__(self):
        raise KeyError("seven")

Leaves()
raise RuntimeError("eight")
"""


def lines(as_json: bool) -> list[str]:
    done = subprocess.run([sys.executable, "-c", NOISY % as_json], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_every_line_is_json() -> None:
    told = [json.loads(line) for line in lines(as_json=True)]
    assert [one["event"] for one in told[:4]] == ["one", "two 2 lines", "between two levels", "%d"]
    assert [one["room"] for one in told[:2]] == ["ours", "a.library"]
    assert [one["level"] for one in told[:3]] == ["info", "warning", "warning"]
    events = " ".join(one["event"] for one in told)
    assert "four" in events
    assert "UserWarning: six 6" in events
    assert "too quiet" not in events
    wholes = [one for one in told if "Traceback" in one.get("exception", "")]
    assert [one.get("error") for one in wholes] == [None, "ZeroDivisionError", "KeyError", "RuntimeError"]
    assert all({"event", "level", "timestamp", "room"} <= set(one) for one in told)
    assert wholes[1]["thread"] == "the thread"


@pytest.mark.parametrize("word", ["two 2 lines", "six 6", "RuntimeError: eight"])
def test_people_read_the_same(word: str) -> None:
    assert sum(word in line for line in lines(as_json=False)) >= 1
