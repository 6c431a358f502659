"""One database, two API processes, many requests at once: credit, images in flight and requests a minute are exact."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select
from tests.api.live import Account
from tests.api.processes import account_of, api_process, settings_of
from tests.marks import long_but
from tests.walks.steps import V3_GENERATE
from tests.walks.test_two_servers import worker

from linocut.accounts import requests
from linocut.accounts.audit import OPERATOR
from linocut.db.database import Database
from linocut.db.tables import jobs, key_requests, ledger
from linocut.ledger import book
from linocut.settings import Settings

SIZES = pytest.mark.parametrize(("many", "afforded"), long_but([(40, 10)], [(40, 10), (200, 50)]))
"""How many requests come at once, and how many of them may be served."""
CENT = 10_000


@contextmanager
def servers(settings: Settings) -> Iterator[list[Account]]:
    """One owner's clients of two API processes."""
    with (
        ExitStack() as stack,
        account_of(settings, stack) as account,
        api_process(settings) as (_, one),
        api_process(settings) as (_, two),
    ):
        yield [account(one), account(two)]


def at_once(accounts: list[Account], many: int, method: str, path: str, **how: Any) -> list[httpx2.Response]:
    """The answers to so many requests at once, half of them at each server."""

    def one(number: int) -> httpx2.Response:
        again = {"Idempotency-Key": str(number)} if method == "POST" else {}
        return accounts[number % 2].http.request(method, path, headers=again, **how)

    with ThreadPoolExecutor(many) as threads:
        return list(threads.map(one, range(many)))


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    db = Database.open(settings.resolved_database_url)
    try:
        yield db
    finally:
        db.close()


@SIZES
@pytest.mark.long
def test_credit_for_so_many_pays_for_so_many(tmp_path: Path, database_url: str, many: int, afforded: int) -> None:
    settings = settings_of(
        tmp_path, database_url=database_url, prices="published", max_images_in_flight=1000, database_busy_seconds=60.0
    )
    with servers(settings) as accounts, worker(settings), opened(settings) as db:
        organization_id = accounts[0].organization_id
        with db.transaction() as tx:
            book.grant(tx, organization_id, (afforded * 6 * CENT + 5 * CENT, "USD"), "credit", OPERATOR, None)
        told = at_once(accounts, many, "POST", V3_GENERATE, json={"prompt": "tea"})
        counted = Counter((one.status_code, one.json().get("reject_reason")) for one in told)
        assert counted == {(200, None): afforded, (402, "insufficient_funds"): many - afforded}
        with db.read() as tx:
            charged = tx.execute(select(func.count(), func.sum(ledger.c.amount)).where(ledger.c.kind == "charge")).one()
            assert tuple(charged) == (afforded, -afforded * 6 * CENT)
            assert book.balance_of(tx, organization_id) == 5 * CENT
            assert tx.execute(select(func.min(ledger.c.balance))).scalar_one() >= 0


@SIZES
@pytest.mark.long
def test_images_in_flight_and_requests_a_minute_are_exact(
    tmp_path: Path, database_url: str, many: int, afforded: int
) -> None:
    """Nothing works on the images, and under an Idempotency-Key no wait ends them: what is let in stays in flight. Two
    images a request: a seventh fits nowhere. Of the requests after them some are left."""
    settings = settings_of(
        tmp_path,
        database_url=database_url,
        max_images_in_flight=7,
        requests_per_minute=many + afforded,
        generate_timeout_seconds=1.0,
        stop_seconds=0.0,
        database_busy_seconds=60.0,
    )
    with servers(settings) as accounts, opened(settings) as db:
        began = time.monotonic()
        told = at_once(accounts, many, "POST", V3_GENERATE, json={"prompt": "tea", "num_images": 2})
        refused = [one for one in told if one.status_code == 429]
        assert Counter(one.status_code for one in told) == {503: 3, 429: many - 3}
        assert {(one.json()["reject_reason"], one.json()["max_inflight_requests"]) for one in refused} == {
            ("inflight_limit", 7)
        }
        assert all(int(one.headers["retry-after"]) >= 1 for one in refused)
        with db.read() as tx:
            assert tx.execute(select(func.count()).select_from(jobs)).scalar_one() == 3
        told = at_once(accounts, many, "GET", "/models")
        if time.monotonic() - began > requests.WINDOW.total_seconds():  # some of the first are counted no more
            return
        assert Counter(one.status_code for one in told) == {200: afforded, 429: many - afforded}
        for one in told:
            if one.status_code == 429:
                assert one.json()["reject_reason"] == "rate_limit"
                assert 1 <= int(one.headers["retry-after"]) <= 60
        with db.read() as tx:
            assert tx.execute(select(func.count()).select_from(key_requests)).scalar_one() == many + afforded
