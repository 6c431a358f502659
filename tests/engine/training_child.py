"""Training runs in processes that can really be killed. Started by ``test_training_sigkill.py``.

The first process imports what is slow to import, then forks one child for each line of JSON on its input and says how
it ended. A child trains in the given workspace with a helper thread for work on the disk, as the engine does, and
writes its events' summary beside the adapter.

``kill_after``: seconds after which the parent sends SIGKILL; 0: never. ``die_at``: the child sends itself SIGKILL
around its n-th operation on the disk (flush, rename, removal), before or after it, so that a write is cut at each of
its stages; 0: never.
"""

import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from tests.engine.training_support import Poisoned, StandIn, dataset, execute, train_order

from linocut.engine.training import standing
from linocut.engine.training.run import train
from linocut.engine.work import Background
from linocut.orders import Event, TrainFinished


def order_of(job: dict[str, Any]) -> Any:
    """The order that every test run of this kind trains."""
    _, samples = dataset()
    return train_order(samples, **job["order"])


def main() -> None:
    torch.set_num_threads(1)
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the answers are the parent's alone
            _train(job)
            os._exit(0)
        if job["kill_after"]:
            time.sleep(job["kill_after"])
            os.kill(child, signal.SIGKILL)  # not yet waited for, so the number is still this child's
        _, status = os.waitpid(child, 0)
        print(json.dumps({"killed": os.WIFSIGNALED(status), "ok": status == 0}), flush=True)


def _train(job: dict[str, Any]) -> None:
    blobs, samples = dataset()
    family: Any = Poisoned(samples[2].caption, job["poison"]) if job.get("poison") else StandIn()
    workspace = Path(job["workspace"])
    if job["die_at"]:
        _die_at(job["die_at"])
    standing.SAVE_SECONDS = float(job["save_seconds"])
    events: list[Event] = []
    routine = train(order_of(job), "run", family, blobs.__getitem__, workspace, events.append)
    helper = ThreadPoolExecutor(1)
    try:
        unit = next(routine)
        while True:
            background = isinstance(unit, Background)
            result = helper.submit(unit.call).result() if background else execute(family, unit)
            unit = routine.send(result)
    except StopIteration:
        last = events[-1]
    facts: dict[str, Any] = {"finished": isinstance(last, TrainFinished)}
    if isinstance(last, TrainFinished):
        facts |= {"chosen_step": last.chosen_step, "scores": last.scores}
    else:
        facts["last"] = repr(last)
    facts["compiler_loaded"] = "torch._dynamo" in sys.modules
    (workspace / "ended.json").write_text(json.dumps(facts))


def _die_at(number: int) -> None:
    """Every operation on the disk counts twice: before and after."""
    left = [number]

    def count() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(function: Any) -> Any:
        def operation(*arguments: Any, **options: Any) -> Any:
            count()
            result = function(*arguments, **options)
            count()
            return result

        return operation

    os.fsync = watched(os.fsync)
    Path.replace = watched(Path.replace)  # type: ignore[method-assign]
    Path.unlink = watched(Path.unlink)  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
