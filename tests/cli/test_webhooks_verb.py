"""``linocut webhooks``: keys that are published, a new one, and what is not delivered, without a server."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update
from tests.cli.conftest import Typed

from linocut import ids
from linocut.db.database import Database
from linocut.db.tables import generations


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a database."""
    Database.open(tmp_path / "linocut.db").close()
    return tmp_path


def test_before_anybody_asks_there_is_nothing(typing: Typed, data: Path) -> None:
    assert typing("webhooks", "list", "--data", data)[:2] == (0, "No webhook was ever asked for.\n")
    code, _, said = typing("webhooks", "list", "--data", data / "none")
    assert (code, "no database" in said) == (4, True)


def test_the_newest_key_signs_and_the_old_one_is_published_too(typing: Typed, data: Path) -> None:
    made = [json.loads(typing("webhooks", "rotate", "--data", data, "--json")[1])["key_id"] for _ in range(2)]
    listed = json.loads(typing("webhooks", "list", "--data", data, "--json")[1])
    assert [key["key_id"] for key in listed["keys"]] == made[::-1]
    lines = typing("webhooks", "list", "--data", data)[1].splitlines()
    assert [line.partition("  ")[0] for line in lines] == made[::-1]
    assert [line.endswith(", signs") for line in lines] == [True, False]


def test_what_is_not_delivered_is_listed_without_the_path_of_its_url(typing: Typed, data: Path) -> None:
    now, generation_id = ids.now(), ids.new_id()
    db = Database.open(data / "linocut.db")
    row = {
        "generation_id": generation_id, "job_id": "j", "user_id": "u", "organization_id": "o", "begun": {},
        "created_at": now, "webhook_url": "https://hooks.example.org/secret", "webhook_tries": 2,
        "webhook_next_at": now + timedelta(minutes=5), "webhook_error": "its host answered 500",
    }  # fmt: skip
    with db.transaction() as tx:
        tx.execute(insert(generations).values(**row))
    code, out, _ = typing("webhooks", "list", "--data", data)
    assert code == 0
    assert out.startswith(f"{generation_id}  hooks.example.org  2 tries, next at ")
    assert out.endswith("  its host answered 500\n")
    assert "secret" not in out
    with db.transaction() as tx:
        tx.execute(update(generations).values(webhook_ended_at=now))
    [one] = json.loads(typing("webhooks", "list", "--data", data, "--json")[1])["deliveries"]
    assert (one["given_up"], one["tries"], one["host"]) == (True, 2, "hooks.example.org")
    with db.transaction() as tx:
        tx.execute(update(generations).values(webhook_error=None))
    db.close()
    assert json.loads(typing("webhooks", "list", "--data", data, "--json")[1])["deliveries"] == [], "delivered"
