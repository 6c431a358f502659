"""The machine that an engine process runs on: its device, the precision of its base, its threads."""

import os
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Machine:
    """Chosen once a process. Results are promised byte-identical only between machines of equal ``description``."""

    on: torch.device
    precision: torch.dtype
    threads: int

    @property
    def description(self) -> str:
        """What a run writes down beside its result: torch build, device, precision, threads."""
        name = torch.cuda.get_device_name(self.on) if self.on.type == "cuda" else "cpu"
        precision = str(self.precision).removeprefix("torch.")
        return f"torch {torch.__version__}, {name}, {precision}, {self.threads} threads"


def open_machine(threads: int, precision: torch.dtype | None = None) -> Machine:
    """The best device here: CUDA in bfloat16, else the CPU in float32; or in ``precision``.

    Sets torch's threads for the whole process (0: one a core), which may be done once, before any other torch work:
    sums are split by thread, so another number gives other last digits.
    """
    count = threads or len(os.sched_getaffinity(0))
    torch.set_num_threads(count)
    torch.get_num_threads()  # settles it for this thread: the engine's helpers set their own number later
    if torch.cuda.is_available():
        return Machine(torch.device("cuda", torch.cuda.current_device()), precision or torch.bfloat16, count)
    return Machine(torch.device("cpu"), precision or torch.float32, count)
