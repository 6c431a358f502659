"""The tables that other tests are given at once are those that the migrations make."""

import sqlite3
from pathlib import Path

import pytest
from tests.db import quick_schema

from linocut.db import schema
from linocut.db.database import Database


def _content(file: Path) -> list[str]:
    opened = sqlite3.connect(file)
    try:
        return list(opened.iterdump())
    finally:
        opened.close()


def test_the_quick_tables_are_those_of_the_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Database.open(tmp_path / "slow.db").close()
    monkeypatch.setattr(schema, "migrate", quick_schema.migrate)
    Database.open(tmp_path / "quick.db").close()
    assert _content(tmp_path / "quick.db") == _content(tmp_path / "slow.db")
    assert len(_content(tmp_path / "slow.db")) > 30
