"""The workshop as a fixture, for the rooms that are tested in it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.runs.workshop import Workshop


@pytest.fixture
def open_workshop(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Workshop]]:
    """Opens the test's workshop, on each database there is; again: the same one as another process would have it.

    Files are not flushed to the disk: no test here pulls the plug (tests/storage holds that promise), and it halves
    the time that they take.
    """
    monkeypatch.setattr("linocut.files.os.fsync", lambda _: None)
    opened: list[Workshop] = []

    def open_it(**given: Any) -> Workshop:
        opened.append(Workshop.open(tmp_path / "data", database_url=database_url, **given))
        return opened[-1]

    yield open_it
    for workshop in opened:
        workshop.close()


@pytest.fixture
def workshop(open_workshop: Callable[..., Workshop]) -> Workshop:
    """A fresh workshop."""
    return open_workshop()
