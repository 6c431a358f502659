"""Helm, in a process of its own: its library brings a second runtime with threads, which no test process should hold.

``python helm.py CHART`` reads one JSON value a line, ``{"ask": "render", "values": {...}}``, and answers with one.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

WHY_NOT = "" if find_spec("helm_python") else "NOT RUN: there is no Helm (pip install 'linocut[deploy]')"


class Refused(Exception):
    """What Helm says of values or templates that are wrong."""


class Chart:
    """A chart that is loaded."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, what: str, values: dict[str, Any] | None = None) -> Any:
        """``lint``, ``values``, or ``render``: the manifests by name. ``Refused``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"ask": what, "values": values}) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        if "refused" in told:
            raise Refused(told["refused"])
        return told["answer"]

    def render(self, values: dict[str, Any]) -> dict[str, str]:
        """The manifests of the release ``rel`` with these values, by name."""
        return dict(self.ask("render", values))


@contextmanager
def chart_at(folder: Path) -> Iterator[Chart]:
    """The chart in ``folder``."""
    command = [sys.executable, __file__, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Chart(process)
        assert process.stdin is not None
        process.stdin.close()


def _main(folder: str) -> None:
    import helm_python as helm

    with helm.Chart.load(folder) as chart:
        asked = {
            "lint": lambda values: helm.lint(folder),
            "values": lambda values: chart.values,
            "render": lambda values: chart.render(values, name="rel", namespace="ns"),
        }
        for line in sys.stdin:
            question = json.loads(line)
            try:
                told = {"answer": asked[question["ask"]](question["values"])}
            except helm.HelmError as error:
                told = {"refused": str(error)}
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    _main(sys.argv[1])
