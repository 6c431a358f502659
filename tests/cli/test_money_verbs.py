"""``linocut usage`` and ``linocut credits`` as an operator types them."""

import csv
import io
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.api.live import base_folder
from tests.cli.conftest import Typed
from tests.ledger.shop import Shop

from linocut.accounts.types import Caller
from linocut.api import serve
from linocut.db.database import Database
from linocut.db.tables import api_keys
from linocut.errors import InvalidRequest
from linocut.ledger.prices import PUBLISHED_FILE
from linocut.settings import Settings


@pytest.fixture
def used(typing: Typed, tmp_path: Path) -> Caller:
    """An organisation called home whose key has drawn two images."""
    typing("keys", "create", "--label", "=site", "--data", tmp_path)
    with closing(Database.open(tmp_path / "linocut.db")) as db:
        shop = Shop(db, Settings(prices="published", credit="invoiced"))
        with db.read() as tx:
            row = tx.execute(api_keys.select()).one()
        caller = Caller(row.user_id, row.organization_id, row.api_key_id)
        for _ in range(2):
            shop.draw(caller)
    return caller


def test_usage_is_summed_up_in_every_way(typing: Typed, tmp_path: Path, used: Caller) -> None:
    data = ("--data", tmp_path)
    code, out, _ = typing("usage", "--json", *data)
    (row,) = json.loads(out)
    assert (code, row["name"], row["quantity"], row["amount"]) == (0, "V3 generate, DEFAULT", 2, "0.120000")
    assert row["device_seconds"] == 1.0
    for by, called in (("member", "owner"), ("organization", "home"), ("key", "=site"), ("model", None)):
        (row,) = json.loads(typing("usage", "--by", by, "--json", *data)[1])
        assert (row["called"], row["quantity"]) == (called, 2)
    for by in ("day", "hour", "tool", "version"):
        assert json.loads(typing("usage", "--by", by, "--org", "home", "--json", *data)[1])[0]["quantity"] == 2
    assert "0.12 USD" in typing("usage", *data)[1]
    rows = list(csv.DictReader(io.StringIO(typing("usage", "--by", "key", "--csv", *data)[1])))
    assert [(row["called"], row["amount"]) for row in rows] == [("'=site", "0.120000")], "no formula"
    assert typing("usage", "--until", "2020-01-02", "--since", "2020-01-01", *data)[1].startswith("Nothing")


@pytest.mark.parametrize(("wrong", "code", "words"), [
    (("--by", "colour"), 2, "none of day"), (("--since", "yesterday"), 2, "write 2026-11-01"),
    (("--since", "2026-11-02", "--until", "2026-11-01"), 2, "not later"), (("--org", "nobody"), 4, "there are: home"),
    (("--csv", "--json"), 2, "--csv or for --json"),
    (("--since", "0001-01-01T00:00:00+14:00"), 2, "between the years 1970 and 9000"),
    (("--until", "9999-12-31T23:59:59-12:00"), 2, "between the years 1970 and 9000"),
    (("--since", "1969-12-31"), 2, "between the years 1970 and 9000"),
])  # fmt: skip
def test_what_usage_does_not_take(
    typing: Typed, tmp_path: Path, used: Caller, wrong: tuple[str, ...], code: int, words: str
) -> None:
    told = typing("usage", *wrong, "--data", tmp_path)
    assert told[0] == code
    assert words in " ".join(told[2].replace("│", " ").split())


def test_credit_is_added_shown_and_limited(typing: Typed, tmp_path: Path, used: Caller) -> None:
    data = ("--data", tmp_path)
    code, out, _ = typing("credits", "add", "home", "25", "--name", "November", "--expires", "2035-01-01", *data)
    assert (code, out) == (0, "Added 25.00 USD to home: 24.88 USD are available.\n")
    typing("credits", "limit", "home", "--day", "0.50", "--month", "20", *data)
    typing("credits", "limit", "home", "--key", used.api_key_id, "--day", "0.25", *data)
    facts: dict[str, Any] = json.loads(typing("credits", "show", "home", "--json", *data)[1])
    assert facts["available"] == facts["balance"] == "24.88 USD"
    assert (facts["limit_a_day"], facts["limit_a_month"], facts["spent_today"]) == ("0.50 USD", "20.00 USD", "0.12 USD")
    assert facts["keys"] == {used.api_key_id: {"day": "0.25 USD", "month": None}}
    (grant,) = facts["grants"]
    assert (grant["name"], grant["left"], grant["expires"]) == ("November", "24.88 USD", "2035-01-01T00:00:00+00:00")
    assert "grant" in typing("credits", "show", used.organization_id, *data)[1]
    told = typing("credits", "limit", "home", "--day", "none", *data)[1]
    assert told == "home may spend any amount a day and 20.00 USD a month.\n"
    assert "24.88 USD available" in typing("credits", "list", *data)[1]
    assert typing("credits", "commit", "home", "500", "--from", "2026-11-01", "--to", "2026-12-01", *data)[0] == 0


@pytest.mark.parametrize(("wrong", "code", "words"), [
    (("add", "home", "0"), 1, "above 0"), (("add", "home", "x"), 1, "amount is 'x'"), (("add", "nobody", "1"), 4, "no"),
    (("add", "home", "1", "--expires", "2020-01-01"), 1, "over already"), (("limit", "home"), 2, "Name --day"),
    (("limit", "home", "--day", "much"), 1, "--day is 'much'"),
    (("limit", "home", "--key", "x", "--day", "1"), 4, "key"),
    (("commit", "home", "5", "--from", "2026-12-01", "--to", "2026-11-01"), 1, "ends after it starts"),
])  # fmt: skip
def test_what_credits_does_not_take(
    typing: Typed, tmp_path: Path, used: Caller, wrong: tuple[str, ...], code: int, words: str
) -> None:
    told = typing("credits", *wrong, "--data", tmp_path)
    assert told[0] == code
    assert words in told[2]


def euros(folder: Path) -> str:
    """The published list in euros."""
    file = folder / "euros.toml"
    file.write_text(PUBLISHED_FILE.read_text().replace('"USD"', '"EUR"'))
    return str(file)


def test_a_first_credit_without_a_price_list_says_what_it_decides(typing: Typed, tmp_path: Path) -> None:
    """A server with a list in euros does not start after it."""
    data = ("--data", tmp_path)
    typing("orgs", "create", "home", *data)
    code, out, said = typing("credits", "add", "home", "25", *data)
    assert (code, out) == (0, "Added 25.00 USD to home: 25.00 USD are available.\n")
    assert "it is USD from now on" in said
    assert typing("credits", "add", "home", "1", *data)[2] == "", "it is decided"
    code, _, said = typing("credits", "add", "home", "25", *data, PRICES=euros(tmp_path))
    assert (code, "in EUR, and the ledger of this server in USD" in said) == (1, True)


@pytest.mark.parametrize("words", [
    ("credits", "list"), ("credits", "show", "home"), ("credits", "add", "home", "1"),
    ("credits", "limit", "home", "--day", "1"),
    ("credits", "commit", "home", "5", "--from", "2026-11-01", "--to", "2026-12-01"), ("usage",),
])  # fmt: skip
def test_no_verb_tells_the_ledger_s_money_in_another_currency(
    typing: Typed, tmp_path: Path, used: Caller, words: tuple[str, ...]
) -> None:
    code, out, said = typing(*words, "--data", tmp_path, PRICES=euros(tmp_path))
    assert (code, out) == (1, "")
    assert "LINOCUT_PRICES is in EUR, and the ledger of this server in USD" in said


def test_the_currency_of_a_shell_without_prices_is_told_too(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    typing("orgs", "create", "home", *data)
    typing("credits", "add", "home", "25", *data, PRICES=euros(tmp_path))
    code, _, said = typing("credits", "list", *data)
    assert (code, "LINOCUT_PRICES is free, which is in USD, and the ledger of this server in EUR" in said) == (1, True)


def test_an_organisation_that_is_being_removed_is_not_unknown(typing: Typed, tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    made = json.loads(typing("orgs", "create", "tea", "--json", *data)[1])
    typing("orgs", "delete", "tea", *data)
    for named in ("tea", made["organization_id"]):
        for words in (("credits", "show", named), ("usage", "--org", named)):
            code, _, said = typing(*words, *data)
            assert (code, "is being removed; linocut orgs list says until when" in said) == (1, True)


def test_the_published_list_is_a_file_that_may_be_used(typing: Typed, tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(typing("credits", "prices")[1])
    told = json.loads(typing("credits", "prices", "--json", PRICES=str(file))[1])
    wanted = zip(("FLASH", "TURBO", "DEFAULT", "QUALITY"), ("0.03", "0.03", "0.06", "0.09"), strict=True)
    assert told["prices"]["v3"] == {speed: f"{price} USD" for speed, price in wanted}
    assert json.loads(typing("credits", "prices", "--json")[1])["free"] is True


def test_a_server_with_a_wrong_list_does_not_start(typing: Typed, tmp_path: Path) -> None:
    told = typing("credits", "list", "--data", tmp_path, PRICES=str(tmp_path / "none.toml"))
    assert (told[0], "which is no file" in told[2]) == (1, True)


def test_serve_ends_with_the_reason(tmp_path: Path) -> None:
    """Before it listens; ``linocut serve`` tells what its API said (tests/workers)."""
    base = base_folder(tmp_path / "base")
    settings = Settings(data=tmp_path / "data", base=str(base), engine="fake", prices=str(tmp_path / "none.toml"))
    interval = sys.getswitchinterval()
    try:
        with pytest.raises(InvalidRequest, match=r"LINOCUT_PRICES is 'none\.toml', which is no file"):
            serve.run(settings)
    finally:
        sys.setswitchinterval(interval)
