"""Invoices over months: they add up, and the oldest is paid first."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.ledger.shop import CENT, IMAGE, Shop

from linocut.db.database import Database
from linocut.errors import InvalidRequest
from linocut.ledger import book, reserving, usage
from linocut.ledger.calendar import next_month
from linocut.ledger.types import Charge
from linocut.ledger.usage import Chosen, segments, sums
from linocut.settings import Settings

DEAR = Charge("GENERATE", "V3 generate, QUALITY", ("v3",), 2, "QUALITY", "V_3_0")
TODAY = datetime(2026, 11, 28, 12, tzinfo=UTC)


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    for module in (book, reserving):
        monkeypatch.setattr(module, "now", lambda: moment)


def test_the_oldest_is_paid_first(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(db, Settings(prices="published", credit="invoiced"))
    caller = shop.caller()
    paid: dict[int, datetime] = {}
    for month, charges in ((8, [IMAGE, DEAR]), (9, []), (10, [DEAR, DEAR]), (11, [IMAGE])):
        for charge in charges:
            at(monkeypatch, datetime(2026, month, 30 if month != 11 else 28, 23, 59, 59, tzinfo=UTC))
            shop.draw(caller, charge)
    told = invoices(shop, caller.organization_id)
    assert [(one.starts_at.month, one.total, one.is_draft, one.paid_at) for one in told] == [
        (11, 6 * CENT, True, None), (10, 36 * CENT, False, None), (8, 24 * CENT, False, None),
    ]  # fmt: skip
    for invoice in told:
        assert invoice.total == sum(line.quantity * line.by["unit_price"] for line in invoice.lines)
    paid[8] = datetime(2026, 11, 5, tzinfo=UTC)
    at(monkeypatch, paid[8])
    shop.grant(caller, 24 * CENT)
    assert [one.paid_at for one in invoices(shop, caller.organization_id)] == [None, None, paid[8]]
    shop.grant(caller, 36 * CENT - 1)
    assert [one.paid_at for one in invoices(shop, caller.organization_id)] == [None, None, paid[8]]
    shop.grant(caller, 1)
    assert [one.paid_at for one in invoices(shop, caller.organization_id)] == [None, paid[8], paid[8]]


def test_what_credit_covered_before_is_paid_at_the_month_s_end(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(db)
    caller = shop.caller()
    at(monkeypatch, datetime(2026, 9, 30, 12, tzinfo=UTC))
    shop.grant(caller, 24 * CENT)
    shop.draw(caller, DEAR)
    (invoice,) = invoices(shop, caller.organization_id)
    assert invoice.paid_at == invoice.ends_at == datetime(2026, 10, 1, tzinfo=UTC)


def test_a_free_server_s_invoices_come_to_nothing_and_are_paid(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(db, Settings())
    caller = shop.caller()
    at(monkeypatch, datetime(2026, 10, 2, tzinfo=UTC))
    shop.draw(caller)
    (invoice,) = invoices(shop, caller.organization_id)
    assert (invoice.total, invoice.paid_at) == (0, invoice.ends_at)
    assert invoices(shop, shop.caller().organization_id) == []


def test_usage_falls_into_the_right_hour_and_day(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(db, Settings(prices="published", credit="invoiced"))
    caller = shop.caller()
    moments = [datetime(2026, 11, 27, 23, 59, 59, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC),
               datetime(2026, 11, 28, 0, 59, 59, tzinfo=UTC), datetime(2026, 11, 28, 1, tzinfo=UTC)]  # fmt: skip
    for moment in moments:
        at(monkeypatch, moment)
        shop.draw(caller)
    chosen = Chosen(moments[0], moments[-1], caller.organization_id)
    with db.read() as tx:
        by_hour = sums(tx, chosen, ("hour",))
        by_day = sums(tx, Chosen(moments[0], TODAY, caller.organization_id), ("day",))
    assert [(usage.began(one.by["hour"], 1).hour, one.quantity) for one in by_hour] == [(23, 1), (0, 2)], "end excluded"
    assert [(usage.began(one.by["day"], 24).day, one.quantity) for one in by_day] == [(27, 1), (28, 3)]


def test_segments_cover_the_time_and_are_not_too_many() -> None:
    start = datetime(2026, 11, 27, 23, 30, tzinfo=UTC)
    assert segments(start, start + timedelta(minutes=30), 1) == [datetime(2026, 11, 27, 23, tzinfo=UTC)]
    assert [one.hour for one in segments(start, start + timedelta(minutes=31), 1)] == [23, 0]
    assert [one.day for one in segments(start, start + timedelta(days=1), 24)] == [27, 28]
    assert len(segments(TODAY, TODAY + timedelta(hours=1000), 1)) == 1000
    with pytest.raises(InvalidRequest, match="at most 1000"):
        segments(TODAY, TODAY + timedelta(hours=1001), 1)
    with pytest.raises(InvalidRequest, match="later"):
        segments(TODAY, TODAY, 1)


def test_months_follow_each_other() -> None:
    months = [datetime(2026, 12, 1, tzinfo=UTC)]
    for _ in range(13):
        months.append(next_month(months[-1]))
    assert [(one.year, one.month) for one in months] == [(2026, 12), *((2027, m) for m in range(1, 13)), (2028, 1)]


def invoices(shop: Shop, organization_id: str) -> list[usage.Invoice]:
    with shop.db.read() as tx:
        return usage.invoices(tx, organization_id, TODAY + timedelta(hours=13))
