"""One server with a worker on the fake engine for all of these walks, on each database there is; each walk has accounts
of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.live import Account, Live, running
from tests.db.state_fixtures import database_for_a_server
from tests.walks.money import grant
from tests.walks.steps import FEWEST, fill

from linocut.api import console_files

SMALL = {"min_training_images": FEWEST}
"""Decoding pictures is most of what these walks would spend their time on."""


@pytest.fixture(scope="package")
def live(
    tmp_path_factory: pytest.TempPathFactory, database_kind: str, request: pytest.FixtureRequest
) -> Iterator[Live]:
    """A server that draws and trains."""
    folder = tmp_path_factory.mktemp("walks")
    with (
        database_for_a_server(database_kind, request) as database,
        running(folder, **SMALL, **database) as server,
        server.working(),
    ):
        yield server


@pytest.fixture(scope="package")
def idle(
    tmp_path_factory: pytest.TempPathFactory, database_kind: str, request: pytest.FixtureRequest
) -> Iterator[Live]:
    """A server without any worker: what is queued stays queued. It waits half a second for images."""
    folder = tmp_path_factory.mktemp("idle")
    with (
        database_for_a_server(database_kind, request) as database,
        running(folder, generate_timeout_seconds=0.5, **SMALL, **database) as server,
    ):
        yield server


@pytest.fixture
def account(live: Live) -> Account:
    """A fresh user in a fresh organisation."""
    return live.account()


@pytest.fixture
def dataset_id(account: Account) -> str:
    """A dataset that can be trained on."""
    return fill(account)


@pytest.fixture(autouse=True)
def _no_console(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The pages of the server itself are walked through, whether or not the console is built in this checkout."""
    monkeypatch.setattr(console_files, "FOLDER", tmp_path / "no console")


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with the published prices, and a worker on the fake engine."""
    folder = tmp_path_factory.mktemp("shop")
    settings = {"prices": "published", "min_training_images": FEWEST}
    with running(folder, **settings) as server:
        server.account("first", "first of all")  # the server's administrator
        with server.working():
            yield server


@pytest.fixture
def rich(shop: Live) -> Account:
    """Somebody with a hundred dollars of credit."""
    account = shop.account()
    grant(shop, account, 10_000)
    return account
