"""One decoder for the session, a shelf for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.datasets.shelf import Shelf

from linocut.db.database import Database
from linocut.pictures.decoder import Decoder


@pytest.fixture(scope="session")
def decoder() -> Iterator[Decoder]:
    """The decoding process that well-behaved tests share."""
    with Decoder() as opened:
        yield opened


@pytest.fixture
def shelf(db: Database, tmp_path: Path, decoder: Decoder) -> Shelf:
    """A user without any dataset, on each database there is."""
    return Shelf.open(db, tmp_path / "store", decoder)
