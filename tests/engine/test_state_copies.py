"""What a run's state costs of the host's memory at its most, measured in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from linocut.engine.memory import DEVICE_STATE_COPIES, HOST_STATE_COPIES

CHILD = """
import sys
from pathlib import Path

from linocut.engine.training.checkpoint import CheckpointFolder, Progress
from linocut.engine.training.state import Hyper, TrainState


def peak():
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def fresh(features):
    hyper = Hyper(rank=16, alpha=16.0, seed=1, weight_decay=0.0, clip_norm=1.0, ema=0.9)
    return TrainState({"linear": (features, 16)}, hyper)


checkpoints = CheckpointFolder(Path(sys.argv[2]), "0" * 64, 5)
fresh(1 << 10).update(1e-3)
before = peak()
state = fresh(1 << 18)
if sys.argv[1] == "write":
    for tensor in state.tensors().values():
        tensor.add_(0.1)
    state.update(1e-3)
    checkpoints.save(Progress(step=5), state.tensors())
else:
    state.load(checkpoints.newest().tensors, 5)
print((peak() - before) / state.tensors()["weights"].nbytes)
"""


@pytest.mark.long
def test_the_estimate_holds_while_a_checkpoint_is_written_and_read(tmp_path: Path) -> None:
    # Every block its own mapping, so that what is freed is given back at once and the peak is what was alive.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": str(1 << 18)}

    def copies(what: str) -> float:
        command = [sys.executable, "-c", CHILD, what, str(tmp_path)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)

    assert DEVICE_STATE_COPIES < copies("write") <= HOST_STATE_COPIES + 0.5  # half a copy for what is no tensor
    assert HOST_STATE_COPIES - 2 < copies("read") <= HOST_STATE_COPIES + 0.5
