"""Work that came to nothing: it is free, and how long it had the device is told, on both databases."""

import pytest
from tests.ledger.shop import CENT, Shop

from linocut.db.database import Database
from linocut.ids import now
from linocut.ledger import book
from linocut.ledger.types import Charge
from linocut.ledger.usage import invoices


@pytest.fixture
def shop(db: Database) -> Shop:
    return Shop(db)


def test_how_long_failed_work_had_the_device_is_told_at_no_charge(shop: Shop) -> None:
    caller = shop.caller()
    shop.grant(caller, 12 * CENT)
    two = Charge("GENERATE", "V3 generate, DEFAULT", ("v3",), 2, "DEFAULT", "V_3_0")
    job_id = shop.ask(caller, two)
    with shop.db.transaction() as tx:
        book.used(tx, job_id, 1.5)
    job = shop.take()
    assert job is not None
    shop.fail(job, device_seconds=0.25)
    told = shop.entries(caller)[-1]
    assert (told.kind, told.job_id, told.amount, told.quantity) == ("charge", job_id, 0, 0)
    assert (told.device_us, told.balance, told.user_id) == (1_750_000, 12 * CENT, caller.user_id)
    with shop.db.transaction() as tx:
        book.failed(tx, job_id, 9.0)
        book.charge(tx, job_id, 9.0)
    assert shop.entries(caller)[-1] == told, "once"
    assert shop.stands(caller).available == 12 * CENT
    shop.check_sums(caller)
    with shop.db.read() as tx:
        assert invoices(tx, caller.organization_id, now()) == [], "nothing is owed for it"


def test_a_stage_that_failed_holds_until_its_request_has_failed(shop: Shop) -> None:
    caller = shop.caller()
    shop.grant(caller, 6 * CENT)
    job_id = shop.ask(caller, is_stage=True)
    job = shop.take()
    assert job is not None
    shop.fail(job, device_seconds=0.5)
    assert [entry.kind for entry in shop.entries(caller)] == ["grant"]
    with shop.db.transaction() as tx:
        book.failed(tx, job_id, ends_request=True)
    told = shop.entries(caller)[-1]
    assert (told.kind, told.amount, told.quantity, told.device_us) == ("charge", 0, 0, 500_000)
    assert shop.stands(caller).available == 6 * CENT
