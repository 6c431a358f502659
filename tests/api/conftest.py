"""One server for all of these tests; each test has accounts of its own."""

from collections.abc import Iterator

import pytest
from tests.api.live import Account, Live, running


@pytest.fixture(scope="package")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server without a worker."""
    with running(tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture
def account(live: Live) -> Account:
    """A fresh user in a fresh organisation."""
    return live.account()
