"""The machine that an engine process runs on: its device, the precision of its base, its threads."""

import os
from dataclasses import dataclass
from pathlib import Path

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


def told() -> tuple[str, int]:
    """(name of the device that this process draws on, bytes of its memory)."""
    if torch.cuda.is_available():
        on = torch.cuda.current_device()
        return torch.cuda.get_device_name(on), int(torch.cuda.get_device_properties(on).total_memory)
    return "cpu", os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


CPUINFO = Path("/proc/cpuinfo")
_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}
"""What the kernel calls the instructions: of x86-64, and of ARM."""


def has_bfloat16(cpuinfo: Path | None = None) -> bool:
    """Whether every core of this machine computes in bfloat16 itself; False where the kernel does not tell."""
    try:
        lines = (cpuinfo or CPUINFO).read_text().splitlines()
    except OSError:
        return False
    cores = [set(line.partition(":")[2].split()) for line in lines if line.lower().startswith(("flags", "features"))]
    return bool(cores) and all(core & _BFLOAT16 for core in cores)


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


def open_on(device: str, threads: int) -> torch.device:
    """The device with this name ("cpu", "cuda:1"), for a process that works on no other; sets torch's threads."""
    torch.set_num_threads(threads)
    on = torch.device(device)
    if on.type == "cuda":
        torch.cuda.set_device(on)
    return on
