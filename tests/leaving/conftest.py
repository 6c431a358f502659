"""A server with a worker on the fake engine, and people with pictures, models and keys in it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from tests.api.live import Account, Live, running
from tests.db.state_fixtures import database_for_a_server
from tests.walks.steps import FEWEST, V3_GENERATE, ok, trained

from linocut.accounts.organizations import add_member
from linocut.db import tables as t


@pytest.fixture(scope="package")
def live(
    tmp_path_factory: pytest.TempPathFactory, database_kind: str, request: pytest.FixtureRequest
) -> Iterator[Live]:
    """It draws and trains."""
    folder = tmp_path_factory.mktemp("leaving")
    with (
        database_for_a_server(database_kind, request) as database,
        running(folder, min_training_images=FEWEST, **database) as server,
        server.working(),
    ):
        yield server


@dataclass
class Team:
    """``owner`` has a dataset, a model and pictures in an organisation of their own. ``other`` owns another one, to
    which ``owner`` belongs too and with which the model is shared where a test says so."""

    owner: Account
    other: Account
    model_id: str
    uri: str


def share(team: Team) -> None:
    """Share the owner's model with the other organisation."""
    where = {"organization_id": team.other.organization_id}
    ok(team.owner.http.put(f"/models/{team.model_id}/share", json=where))


@pytest.fixture
def team(live: Live) -> Team:
    """Made anew for each test."""
    owner, other = live.account(), live.account()
    done = trained(owner)
    ok(owner.http.post(V3_GENERATE, json={"prompt": "a secret teapot", "num_images": 2}))
    return Team(owner, other, done["model_id"], done["custom_model_uri"])


@pytest.fixture
def shared(live: Live, team: Team) -> Team:
    """The owner belongs to the other organisation too, and shares the model with it."""
    with live.runtime.db.transaction() as tx:
        add_member(tx, team.other.organization_id, team.owner.user_id)
    share(team)
    return team


STAYS = {"audit_log", "ledger", "credit_grants", "spend_commits"}
"""Tables that name people for ever, by their ids."""


def named_in(live: Live, *ids: str) -> dict[str, int]:
    """In which tables these ids stand in any column, and in how many rows; the rows of the ids themselves apart."""
    found = {}
    with live.runtime.db.read() as tx:
        for name, table in t.metadata.tables.items():
            rows = [row for row in tx.execute(select(table)) if any(one in str(tuple(row)) for one in ids)]
            if rows and name not in STAYS:
                found[name] = len(rows)
    return found
