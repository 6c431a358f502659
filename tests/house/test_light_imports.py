"""The processes without a GPU stack stay without it, and start fast."""

import resource
import subprocess
import sys

import pytest
from tests.pace import slowness

API_START_SECONDS = 2.0


def _modules(module: str) -> list[str]:
    code = f"import sys, {module}; print(*sys.modules)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def _cpu_seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_the_api_imports_in_two_seconds() -> None:
    """Of processor time, as fast as the machine is now. By the clock: benchmarks/api_start.py."""
    took = []
    for _ in range(3):
        before = _cpu_seconds_of_children()
        _modules("linocut.api.app")
        took.append((_cpu_seconds_of_children() - before) / slowness())
    assert 0.05 < min(took) < API_START_SECONDS


@pytest.mark.parametrize("module", ["linocut.api.app", "linocut.api.serve", "linocut.cli.main"])
def test_it_never_imports_torch_before_it_must(module: str) -> None:
    heavy = {"torch", "transformers", "diffusers", "onnxruntime", "rapidocr", "cv2", "scipy"}
    assert not heavy & set(_modules(module))
