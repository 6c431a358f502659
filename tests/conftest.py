"""What every test may use: the databases, and the settings of hypothesis.

Campaigns marked ``soak`` run only under ``make soak``; what is marked ``postgresql`` only where there is one.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
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

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# The suite tries the same examples every time and no clock judges them; campaigns look for new ones.
settings.register_profile(
    "suite", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("soak", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("soak" if os.environ.get("LINOCUT_SOAK") else "suite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the campaigns out unless they are asked for by ``-m soak``, and what this machine cannot run."""
    left_out = set() if "soak" in (config.option.markexpr or "") else {"soak"}
    if why_no_postgres() is not None:
        left_out.add("postgresql")
    deselected = [item for item in items if any(item.get_closest_marker(name) for name in left_out)]
    if deselected:
        items[:] = [item for item in items if item not in set(deselected)]
        config.hook.pytest_deselected(items=deselected)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches a test."""
    for name in [n for n in os.environ if n.startswith("LINOCUT_") and n != "LINOCUT_SOAK"]:
        monkeypatch.delenv(name)
    return
