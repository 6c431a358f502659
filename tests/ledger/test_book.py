"""The ledger on both databases: what is charged, once; what is refused; what nobody can change."""

import re
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError
from tests.ledger.shop import CENT, Shop

from linocut.accounts import keys
from linocut.accounts.audit import OPERATOR, entries
from linocut.accounts.spend_limits import Limits, set_limits
from linocut.accounts.types import Caller
from linocut.db.database import Database
from linocut.db.tables import credit_grants, jobs, ledger, reservations
from linocut.errors import Conflict, DailyLimit, InsufficientFunds, InvalidRequest, LinocutError, SpendLimit
from linocut.ids import now
from linocut.jobs import queue
from linocut.jobs.types import LeaseLost
from linocut.ledger import book, reserving
from linocut.ledger.prices import PUBLISHED_FILE
from linocut.ledger.reserving import release
from linocut.ledger.starting import check_prices
from linocut.ledger.types import Charge
from linocut.settings import Settings


@pytest.fixture
def shop(db: Database) -> Shop:
    return Shop(db)


def test_finished_work_is_charged_once_with_all_that_is_known_of_it(shop: Shop) -> None:
    caller = shop.caller()
    shop.grant(caller, 100 * CENT)
    two = Charge("GENERATE", "V3 generate, QUALITY", ("v3",), 2, "QUALITY", "V_3_0")
    job_id = shop.draw(caller, two)
    grant, charge = shop.entries(caller)
    assert (grant.kind, grant.amount, grant.balance) == ("grant", 100 * CENT, 100 * CENT)
    assert (charge.kind, charge.amount, charge.balance, charge.job_id) == ("charge", -18 * CENT, 82 * CENT, job_id)
    assert (charge.quantity, charge.unit_price, charge.device_us) == (2, 9 * CENT, 500_000)
    assert (charge.user_id, charge.api_key_id) == (caller.user_id, caller.api_key_id)
    assert (charge.tool, charge.name, charge.model_version) == ("GENERATE", two.name, "V_3_0")
    assert shop.stands(caller).available == 82 * CENT
    shop.check_sums(caller)


def test_failed_and_cancelled_work_is_not_charged_and_holds_nothing(shop: Shop) -> None:
    caller = shop.caller()
    shop.grant(caller, 6 * CENT)
    for cancelled in (False, True):
        shop.ask(caller)
        assert shop.stands(caller).available == 0
        job = shop.take()
        assert job is not None
        shop.fail(job, cancelled=cancelled)
        assert shop.stands(caller).available == 6 * CENT
    waiting = shop.ask(caller)
    with shop.db.transaction() as tx:
        queue.request_cancel(tx, waiting)
    assert shop.stands(caller).available == 6 * CENT
    assert [entry.kind for entry in shop.entries(caller)] == ["grant"]


def test_a_job_given_back_and_given_up_is_not_charged_by_its_old_worker(shop: Shop) -> None:
    caller = shop.caller()
    shop.grant(caller, 60 * CENT)
    shop.ask(caller)
    first = shop.take()
    assert first is not None
    with shop.db.transaction() as tx:
        queue.release(tx, "w")
    second = shop.take()
    assert second is not None
    shop.finish(second)
    with pytest.raises(LeaseLost):
        shop.finish(first)
    assert [entry.kind for entry in shop.entries(caller)] == ["grant", "charge"]


def test_a_job_has_one_charge_whatever_is_tried(shop: Shop) -> None:
    caller = shop.caller()
    shop.grant(caller, 60 * CENT)
    job_id = shop.draw(caller)
    with shop.db.transaction() as tx:
        book.charge(tx, job_id, 1.0)
    row = {"at": now(), "hour": 1, "organization_id": caller.organization_id, "kind": "charge", "amount": -1}
    told = {"balance": 0, "currency": "USD", "name": "again", "job_id": job_id}
    with pytest.raises(DBAPIError), shop.db.transaction() as tx:
        tx.execute(insert(ledger).values(**row, **told))
    assert [entry.kind for entry in shop.entries(caller)] == ["grant", "charge"]


@pytest.mark.parametrize("how", ["update", "delete"])
def test_no_entry_can_be_changed_or_removed(shop: Shop, how: str) -> None:
    caller = shop.caller()
    shop.grant(caller, 60 * CENT)
    before = shop.entries(caller)
    statement = update(ledger).values(amount=0) if how == "update" else delete(ledger)
    with pytest.raises(DBAPIError, match="append-only"), shop.db.transaction() as tx:
        tx.execute(statement)
    assert shop.entries(caller) == before


def test_credit_covers_what_is_in_progress_too(shop: Shop) -> None:
    caller, other = shop.caller(), shop.caller()
    shop.grant(caller, 12 * CENT)
    shop.grant(other, 600 * CENT)
    shop.ask(caller)
    shop.ask(caller)
    with pytest.raises(InsufficientFunds, match=r"costs 0.06 USD, .* has 0.00 USD .* beside the 0.12 USD"):
        shop.ask(caller)
    shop.ask(other)
    with shop.db.read() as tx:
        asked = tx.execute(select(jobs.c.job_id)).all()
        assert len(asked) == len(tx.execute(select(reservations.c.job_id)).all()) == 3, "nothing is left of a refusal"


def test_what_is_free_needs_no_credit(db: Database) -> None:
    shop = Shop(db, Settings())
    caller = shop.caller()
    shop.draw(caller)
    (entry,) = shop.entries(caller)
    assert (entry.amount, entry.quantity, entry.device_us) == (0, 1, 500_000)


def test_an_invoiced_balance_may_go_below_nothing_and_credit_pays_the_debt_first(db: Database) -> None:
    shop = Shop(db, Settings(prices="published", credit="invoiced"))
    caller = shop.caller()
    shop.draw(caller)
    assert shop.stands(caller).balance == -6 * CENT
    shop.check_sums(caller)
    shop.grant(caller, 4 * CENT)
    shop.check_sums(caller)
    shop.grant(caller, 10 * CENT)
    shop.check_sums(caller)
    assert shop.stands(caller).balance == 8 * CENT


def test_credit_that_ends_first_is_used_first_and_the_rest_of_it_is_written_off(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = shop.caller()
    for_ever = shop.grant(caller, 10 * CENT, name="for ever")
    brief = shop.grant(caller, 10 * CENT, timedelta(days=1), name="brief")
    shop.draw(caller)
    assert left(shop) == {for_ever: 10 * CENT, brief: 4 * CENT}
    later(monkeypatch, timedelta(days=2))
    stands = shop.stands(caller)
    assert (stands.balance, stands.expiring, stands.available) == (14 * CENT, 4 * CENT, 10 * CENT)
    with shop.db.read() as tx:
        told = {
            one.grant_id: (one.consumed, one.left, one.expired) for one in book.grants_of(tx, caller.organization_id)
        }
    assert told == {for_ever: (0, 10 * CENT, 0), brief: (6 * CENT, 0, 4 * CENT)}
    shop.ask(caller)
    assert [(e.kind, e.amount, e.grant_id) for e in shop.entries(caller)][-1] == ("expiry", -4 * CENT, brief)
    with shop.db.read() as tx:
        assert told == {
            one.grant_id: (one.consumed, one.left, one.expired) for one in book.grants_of(tx, caller.organization_id)
        }
    with pytest.raises(InsufficientFunds):
        shop.ask(caller)
    shop.check_sums(caller)


def test_credit_that_ends_under_work_in_progress_still_pays_for_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = shop.caller()
    shop.grant(caller, 10 * CENT, timedelta(days=1))
    shop.ask(caller)
    later(monkeypatch, timedelta(days=2))
    with pytest.raises(InsufficientFunds):
        shop.ask(caller)
    assert shop.stands(caller).available == 0
    job = shop.take()
    assert job is not None
    shop.finish(job)
    assert shop.stands(caller).balance >= 0
    shop.check_sums(caller)


@pytest.mark.parametrize("span", ["day", "month"])
@pytest.mark.parametrize("of_key", [False, True])
def test_spend_limits_hold_to_the_millionth(shop: Shop, span: str, of_key: bool) -> None:
    caller, other = shop.caller("tea"), shop.caller("tea")
    shop.grant(caller, 1000 * CENT)
    subject = caller.api_key_id if of_key else caller.organization_id
    refusal: type[LinocutError] = DailyLimit if span == "day" else SpendLimit
    limit(shop, caller, subject, **{span: 18 * CENT})
    shop.draw(caller)
    shop.ask(caller)
    shop.ask(caller)
    with pytest.raises(refusal, match=r"costs 0.06 USD, .* has spent 0.18 USD .* limit is 0.18 USD"):
        shop.ask(caller)
    if of_key:
        shop.ask(other)
    else:
        with pytest.raises(refusal):
            shop.ask(other)
    limit(shop, caller, subject, **{span: 24 * CENT - 1})
    with pytest.raises(refusal):
        shop.ask(caller)
    limit(shop, caller, subject, **{span: 30 * CENT})
    shop.ask(caller)
    limit(shop, caller, subject)
    shop.ask(caller)


@pytest.mark.parametrize(("of_key", "who"), [(True, "an admin of your organisation"),
                                             (False, "an administrator of this server")])  # fmt: skip
@pytest.mark.parametrize(("span", "refusal"), [("day", DailyLimit), ("month", SpendLimit)])
def test_a_price_above_the_limit_itself_is_not_told_to_wait(
    shop: Shop, span: str, refusal: type[LinocutError], of_key: bool, who: str
) -> None:
    caller = shop.caller()
    shop.grant(caller, 100 * CENT)
    limit(shop, caller, caller.api_key_id if of_key else caller.organization_id, **{span: 6 * CENT - 1})
    with pytest.raises(refusal, match=rf"may spend 0\.059999 USD a {span}\. Ask for less, or ask {who} for"):
        shop.ask(caller)
    limit(shop, caller, caller.api_key_id if of_key else caller.organization_id, **{span: 6 * CENT})
    shop.ask(caller)
    with pytest.raises(refusal, match=rf"Try again later, or ask {who} for a higher limit"):
        shop.ask(caller)


def test_a_key_s_limit_counts_that_key_alone(shop: Shop) -> None:
    caller, other = shop.caller("tea"), shop.caller("tea")
    shop.grant(caller, 1000 * CENT)
    limit(shop, caller, caller.api_key_id, day=6 * CENT)
    shop.draw(other)
    shop.draw(caller)
    shop.ask(other)
    with pytest.raises(DailyLimit, match=r"this key has spent 0\.06 USD"):
        shop.ask(caller)


def test_a_new_day_and_a_new_month_begin_at_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = shop.caller()
    shop.grant(caller, 1000 * CENT)
    at(monkeypatch, "2026-11-30T23:59:59+00:00")
    limit(shop, caller, caller.organization_id, day=6 * CENT, month=12 * CENT)
    shop.draw(caller)
    with pytest.raises(DailyLimit):
        shop.ask(caller)
    at(monkeypatch, "2026-12-01T00:00:00+00:00")
    shop.draw(caller)
    at(monkeypatch, "2026-12-02T00:00:00+00:00")
    shop.draw(caller)
    at(monkeypatch, "2026-12-03T00:00:00+00:00")
    with pytest.raises(SpendLimit):
        shop.ask(caller)


def test_a_rotated_key_has_the_limits_of_the_old_one(shop: Shop) -> None:
    caller = shop.caller()
    shop.grant(caller, 1000 * CENT)
    limit(shop, caller, caller.api_key_id, day=6 * CENT)
    with shop.db.transaction() as tx:
        new = keys.rotate(tx, caller.api_key_id, 0, by=OPERATOR)
    fresh = Caller(caller.user_id, caller.organization_id, new.api_key_id)
    shop.draw(fresh)
    with pytest.raises(DailyLimit, match="this key"):
        shop.ask(fresh)


def test_an_earlier_job_of_a_request_holds_its_price_until_the_last_takes_it_over(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = shop.caller()
    shop.grant(caller, 6 * CENT)
    first = shop.ask(caller, is_stage=True)
    job = shop.take()
    assert job is not None
    shop.finish(job)
    assert [entry.kind for entry in shop.entries(caller)] == ["grant"], "it is charged with the last one"
    with pytest.raises(InsufficientFunds):
        shop.ask(caller)
    with shop.db.transaction() as tx:
        device_us = release(tx, first)
    assert device_us == 500_000
    shop.ask(caller, device_us=device_us)
    last = shop.take()
    assert last is not None
    shop.finish(last)
    assert shop.entries(caller)[-1].device_us == 1_000_000
    shop.grant(caller, 6 * CENT)
    shop.ask(caller, is_stage=True)
    job = shop.take()
    assert job is not None
    shop.finish(job)
    assert shop.stands(caller).available == 0
    later(monkeypatch, reserving.HELD + timedelta(seconds=1))
    assert shop.stands(caller).available == 6 * CENT, "nothing is held for ever"


def test_who_may_not_be_granted(shop: Shop) -> None:
    caller = shop.caller()
    for amount, name, lasts in ((0, "x", None), (1, "", None), (1, "x" * 65, None), (1, "a\nb", None),
                                (1, "x", timedelta(0)), (10**15 + 1, "x", None)):  # fmt: skip
        with pytest.raises(InvalidRequest):
            shop.grant(caller, amount, lasts, name)
    assert shop.entries(caller) == []
    shop.grant(caller, 10**15)
    with pytest.raises(InvalidRequest, match="balance would be above"):
        shop.grant(caller, 1)


def test_grants_and_limits_stand_in_the_audit_log(shop: Shop) -> None:
    caller = shop.caller()
    shop.grant(caller, 5)
    limit(shop, caller, caller.organization_id, day=1)
    with shop.db.read() as tx:
        told = [entry.action for entry in entries(tx, most=2)]
    assert told == ["limit.changed", "credits.granted"]


def limit(shop: Shop, caller: Caller, subject: str, **limits: int) -> None:
    with shop.db.transaction() as tx:
        set_limits(tx, subject, caller.organization_id, Limits(**limits), OPERATOR)


def left(shop: Shop) -> dict[str, int]:
    with shop.db.read() as tx:
        return {row.grant_id: row.left for row in tx.execute(select(credit_grants))}


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    moment = now() + by
    for module in (book, reserving):
        monkeypatch.setattr(module, "now", lambda: moment)


def at(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    told = datetime.fromisoformat(moment)
    for module in (book, reserving):
        monkeypatch.setattr(module, "now", lambda: told)


def test_a_training_that_was_stopped_is_charged_in_part(shop: Shop) -> None:
    """Rounded down, and the line still adds up."""
    caller = shop.caller()
    shop.grant(caller, 100_000_000)
    job_id = shop.ask(caller, Charge("OTHER", "Training", ("training",), 1))
    job = shop.take()
    assert job is not None
    with shop.db.transaction() as tx:
        queue.finish(tx, job_id, job.lease_token, {})
        book.used(tx, job_id, 1.5)
        book.charge(tx, job_id, 0.25, Fraction(1, 3))
    entry = shop.entries(caller)[-1]
    assert (entry.amount, entry.unit_price, entry.quantity) == (-13_333_333, 13_333_333, 1)
    assert entry.device_us == 1_750_000


def test_a_part_of_a_price_is_exact(shop: Shop) -> None:
    """0.143 of 40 dollars is 5.72; as floats it is a millionth less."""
    caller = shop.caller()
    shop.grant(caller, 100_000_000)
    job_id = shop.ask(caller, Charge("OTHER", "Training", ("training",), 1))
    with shop.db.transaction() as tx:
        book.charge(tx, job_id, 0.0, Fraction(143, 1000))
    assert shop.entries(caller)[-1].unit_price == 5_720_000


def test_prices_in_another_currency_than_the_money_that_moved(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "euros.toml"
    file.write_text(PUBLISHED_FILE.read_text().replace('"USD"', '"EUR"'))
    caller = shop.caller()
    with shop.db.read() as tx:
        check_prices(tx, str(file))
    free = Shop(shop.db, Settings())
    free.draw(caller)
    with shop.db.read() as tx:
        check_prices(tx, str(file))
    shop.grant(caller, 1)
    with shop.db.read() as tx, pytest.raises(InvalidRequest, match="is in EUR, and the ledger of this server in USD"):
        check_prices(tx, str(file))
    with shop.db.read() as tx:
        check_prices(tx, "published")
    euros = Shop(shop.db, Settings(prices=str(file)))
    with pytest.raises(Conflict, match="is in USD, and the price list in EUR"):
        euros.ask(caller)
    with pytest.raises(Conflict), shop.db.transaction() as tx:
        book.grant(tx, caller.organization_id, (1, "EUR"), "credit", OPERATOR, None)


def test_no_line_of_the_source_changes_or_removes_an_entry() -> None:
    """What the triggers refuse is nowhere asked for."""
    source = Path(book.__file__).parents[1]
    asked = re.compile(r"(update|delete)\(\s*(tables\.|t\.)?ledger\b|\bledger\.(update|delete)\(")
    assert [path.name for path in source.rglob("*.py") if asked.search(path.read_text())] == []
    assert asked.search("tx.execute(delete(ledger))")
    assert asked.search("ledger.update()")
