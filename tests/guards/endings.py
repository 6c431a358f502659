"""A pytest plugin for the child process: writes how each test ended, as JSON, to the file that ``ENDINGS`` names."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

ENDINGS = "GUARD_ENDINGS"

_found: dict[str, dict[str, str]] = {}


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> None:
    """Keep the first error of a test, or that it came to its end."""
    error = call.excinfo
    if error is not None:
        told = {"phase": call.when, "error": error.typename, "message": str(error.value)[:300]}
        _found.setdefault(item.nodeid, {"test": item.nodeid, **told})
    elif call.when == "teardown":
        _found.setdefault(item.nodeid, {"test": item.nodeid, "phase": "teardown", "error": "", "message": ""})


def pytest_sessionfinish() -> None:
    """Write them down."""
    Path(os.environ[ENDINGS]).write_text(json.dumps(list(_found.values())))
