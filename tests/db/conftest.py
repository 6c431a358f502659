"""These tests run the migrations as a server does (see quick_schema.py)."""

import pytest
from tests.db.quick_schema import MIGRATE

from linocut.db import schema


@pytest.fixture(autouse=True)
def _migrations_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "migrate", MIGRATE)
