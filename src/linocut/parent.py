"""A process of a server does not outlive the one that started it: no orphan holds the port at the next start."""

import ctypes
import os
import signal
import sys
import threading
import time

EXIT_UNFIT = 78
"""A child that ends so cannot work as it is set up; another start would change nothing (sysexits: EX_CONFIG)."""

_PR_SET_PDEATHSIG = 1
_LOOK_SECONDS = 0.25


def die_with_parent(parent: int) -> None:
    """End this process at once when the process ``parent`` is gone, also if it is gone already.

    SIGKILL: whoever killed the parent may be starting it again, and waits for the port. What a kill leaves behind is
    swept at the next start.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    if sys.platform != "linux":
        threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
