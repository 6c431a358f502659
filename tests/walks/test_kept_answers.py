"""What is kept of ``GET /models/{model_id}``: only for as long as nobody has committed, whoever that may be."""

from contextlib import closing
from typing import Any

import pytest
from tests.api.live import Account, Live
from tests.walks.steps import fill, model, train

from linocut.accounts import keys
from linocut.api.routes.models import _model_id as route
from linocut.custom_models import service as registry
from linocut.db.database import Database

ASKED = 2_000
"""Requests after each revoke: the rate of wrong answers that this would miss is under 1 in 1,000."""


@pytest.fixture(scope="module")
def owned(idle: Live) -> tuple[Account, str]:
    """An account and a model of its own that is queued: nobody changes it."""
    account = idle.account()
    return account, train(account, fill(account))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the models that were really looked up."""
    seen: list[str] = []
    look_up = registry.get_visible

    def counted(tx: Any, caller: Any, model_id: str) -> Any:
        seen.append(model_id)
        return look_up(tx, caller, model_id)

    monkeypatch.setattr(route.registry, "get_visible", counted)
    return seen


def test_it_is_read_once_until_somebody_commits(idle: Live, owned: tuple[Account, str], reads: list[str]) -> None:
    account, model_id = owned
    first = model(account, model_id)
    for _ in range(5):
        assert model(account, model_id) == first
    assert len(reads) == (1 if idle.runtime.db.is_sqlite else 6)
    account.http.put(f"/models/{model_id}/share", json={"organization_id": account.organization_id})
    reads.clear()
    model(account, model_id)
    model(account, model_id)
    assert len(reads) == (1 if idle.runtime.db.is_sqlite else 2)


def test_nobody_gets_what_was_kept_for_another(idle: Live, owned: tuple[Account, str]) -> None:
    account, model_id = owned
    model(account, model_id)
    stranger = idle.account()
    assert stranger.http.get(f"/models/{model_id}").status_code == 404
    assert idle.public.get(f"/models/{model_id}").status_code == 401
    assert idle.public.get(f"/models/{model_id}", headers={"Authorization": "Bearer none"}).status_code == 401
    bearer = idle.public.get(f"/models/{model_id}", headers={"Authorization": f"Bearer {account.api_key}"})
    assert bearer.json()["model"] == model(account, model_id)


def test_a_key_that_another_process_revokes_reads_nothing_more(idle: Live) -> None:
    account = idle.account()
    model_id = train(account, fill(account))
    model(account, model_id)
    with closing(Database.open(idle.settings.resolved_database_url)) as elsewhere:  # as `linocut keys revoke` does
        for _ in range(50):
            model(account, model_id)
        with elsewhere.transaction() as tx:
            keys.revoke_key(tx, account.api_key_id)
        answers = [account.http.get(f"/models/{model_id}").status_code for _ in range(ASKED)]
    assert answers == [401] * ASKED


def test_a_change_of_the_model_is_seen_by_the_next_request(idle: Live) -> None:
    account = idle.account()
    model_id = train(account, fill(account))
    assert model(account, model_id)["status"] in ("CREATING", "TRAINING")
    account.http.post(f"/models/{model_id}/cancel")
    assert model(account, model_id)["status"] == "ERRORED"
