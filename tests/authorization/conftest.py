"""One house for these tests."""

from collections.abc import Iterator

import pytest
from tests.authorization.house import House

from linocut.accounts import passwords


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The application, its people and their things."""
    made = House(tmp_path_factory.mktemp("authorization"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _no_slow_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows a password here, and a fifth of a second each time is not needed to find that out."""
    monkeypatch.setattr(passwords, "fits", lambda stored, password: False)
