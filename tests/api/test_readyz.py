"""/readyz when the clock was set while an engine hung."""

import fcntl
import os
import time
from pathlib import Path

import pytest
from tests.api.live import Live

from linocut.runtime import Engines, ready_folder


@pytest.mark.parametrize(
    ("touched", "told"),
    [(0, Engines.READY), (-50, Engines.READY), (50, Engines.READY), (-70, Engines.SILENT), (3600, Engines.SILENT)],
)
def test_a_clock_that_was_set_makes_no_hung_engine_ready(tmp_path: Path, touched: float, told: Engines) -> None:
    """An engine that hangs is seen although its last turn, by the new clock, has not come yet."""
    live = Live(tmp_path, engine_silent_seconds=60.0)
    file = ready_folder(live.settings) / "hung"
    file.parent.mkdir(parents=True)
    try:
        with file.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            os.utime(file, (time.time() + touched, time.time() + touched))
            assert live.runtime.engines() is told
    finally:
        live.runtime.close()
        live.public.close()
        live._listening.close()
