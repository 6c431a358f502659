"""What every test may use: the databases, and the settings of hypothesis.

What is marked ``long`` runs under ``make test-long``, campaigns marked ``soak`` under ``make soak``, a Ray cluster's
tests under ``make cluster-test``; what is marked ``postgresql`` only where there is one.
"""

import gc
import os
import ssl
from functools import cache

import httpcore2
import pytest
import structlog
from hypothesis import HealthCheck, settings
from tests.db import quick_schema
from tests.db.postgres import why_no_postgres
from tests.db.state_fixtures import (  # noqa: F401  (the databases: for every room)
    database_url,
    db,
    empty_database_url,
    migrated_sqlite,
    open_database,
    postgres,
    pytest_generate_tests,
    pytest_terminal_summary,
)
from tests.marks import BEGIN_WITH, is_asked

from linocut.db import schema

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# The suite tries the same examples every time and no clock judges them; campaigns look for new ones.
settings.register_profile(
    "suite", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("soak", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("soak" if os.environ.get("LINOCUT_SOAK") else "suite")

schema.migrate = quick_schema.migrate

read_certificates = httpcore2.default_ssl_context


@cache
def _certificates(file: str | None, folder: str | None, **how: bool) -> ssl.SSLContext:
    return read_certificates(**how)


# Certificates are read once: every client would read them anew, which takes a twentieth of a second.
httpcore2.default_ssl_context = lambda **how: _certificates(
    os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"), **how
)

# Faults that tests provoke are logged as Python tells them: to draw every variable of every frame takes seconds.
for renderer in structlog.get_config()["processors"]:
    if isinstance(renderer, structlog.dev.ConsoleRenderer):
        renderer.exception_formatter = structlog.dev.plain_traceback


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of other runs unless they are asked for, and what this machine cannot run."""
    impossible = {"postgresql"} if why_no_postgres() is not None else set()
    deselected = []
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        if marks & impossible or not is_asked(marks, config.option.markexpr or "", config.args):
            deselected.append(item)
    if deselected:
        items[:] = [item for item in items if item not in set(deselected)]
        config.hook.pytest_deselected(items=deselected)
    # Long files last would leave one of two workers alone with the last one.
    items.sort(key=lambda item: item.path.parent.name not in BEGIN_WITH)


def pytest_collection_finish() -> None:
    """What is there now stays to the end: no search for garbage need look through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches a test."""
    for name in [n for n in os.environ if n.startswith("LINOCUT_") and n != "LINOCUT_SOAK"]:
        monkeypatch.delenv(name)
    return
