"""Which tests run in ``make test``, ``make test-long``, ``make soak`` or ``make cluster-test``, and which first."""

from collections.abc import Container, Iterable, Sequence
from typing import Any

import pytest

OTHER_RUNS = ("cluster", "soak", "long")
"""The marks of tests that are no part of ``make test``. A test with two of them is of the run that stands first."""

BEGIN_WITH = ("faults", "workers")
"""The folders that are run first: real processes, long files."""


def is_asked(marks: Container[str], expression: str, arguments: Sequence[str]) -> bool:
    """Whether a test with these marks is to run, after pytest's ``-m`` expression and its other arguments.

    A long test that the command line names (``file.py::test_it``) is asked for too.
    """
    run = next((name for name in OTHER_RUNS if name in marks), None)
    named = run == "long" and any("::" in argument for argument in arguments)
    return run is None or run in expression or named


def long_but(quick: Iterable[object], cases: Iterable[Any]) -> list[Any]:
    """Cases for ``parametrize``: those in ``quick`` are left as they are, every other one is marked ``long``.

    A case of several values is a tuple; ``quick`` names it as a whole. Each of ``quick`` must be a case: one that was
    renamed would leave the test out of ``make test`` without a word.
    """
    listed, kept = list(cases), list(quick)
    assert all(one in listed for one in kept), f"{kept} are not all among {listed}"
    return [
        case if case in kept else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.long)
        for case in listed
    ]
