"""Users and organisations are refused at once, come back whole within their time, and are gone after it."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from tests.api.live import Live, running
from tests.api.pictures import png
from tests.leaving.conftest import Team, named_in
from tests.walks.steps import V3_GENERATE, fill, ok, train

from linocut.accounts import audit, links, members, people
from linocut.accounts.audit import OPERATOR
from linocut.accounts.organizations import add_member, ensure_organization, ensure_user, organizations_of
from linocut.datasets.garbage import collect_garbage
from linocut.db import tables as t
from linocut.errors import Conflict
from linocut.ids import now
from linocut.leaving import departures
from linocut.leaving.purge import purge_due
from linocut.workers.housekeeping import Housekeeping

MANAGE = "/manage/api"
PLACE = f"{MANAGE}/organization"


def name_of(live: Live, organization_id: str) -> str:
    with live.runtime.db.read() as tx:
        query = select(t.organizations.c.name).where(t.organizations.c.organization_id == organization_id)
        return str(tx.execute(query).scalar_one())


def leave(live: Live, team: Team) -> str:
    """The owner removes their organisation; until when it can be brought back."""
    place = {"organization_id": team.owner.organization_id}
    told = team.owner.http.post(f"{PLACE}/delete", params=place, json={"name": name_of(live, place["organization_id"])})
    return str(ok(told)["purge_time"])


def over(live: Live, *ids: str) -> dict[str, int]:
    """The time of these is over; what the chores do then, blobs too."""
    with live.runtime.db.transaction() as tx:
        for table, key in ((t.users, t.users.c.user_id), (t.organizations, t.organizations.c.organization_id)):
            tx.execute(update(table).where(key.in_(ids)).values(purge_at=now() - timedelta(seconds=1)))
    gone = purge_due(live.runtime.db, now())
    collect_garbage(live.runtime.db, live.runtime.store, now() + timedelta(seconds=1), grace=timedelta(0))
    return gone


def blobs(live: Live) -> set[str]:
    return {sha256 for sha256, _ in live.runtime.store.listing()}


def verified(live: Live) -> tuple[str, ...]:
    with live.runtime.db.read() as tx:
        return audit.verify(tx).faults


def test_an_organisation_is_refused_at_once_and_comes_back_whole(live: Live, team: Team) -> None:
    owner, place = team.owner, {"organization_id": team.owner.organization_id}
    image = ok(owner.http.post(V3_GENERATE, json={"prompt": "tea"}))["data"][0]["url"]
    for wrong in ("another name", ""):
        assert owner.http.post(f"{PLACE}/delete", params=place, json={"name": wrong}).status_code == 400
    leave(live, team)
    key = {"Api-Key": owner.api_key}
    assert live.public.get("/models", headers=key).status_code == 401
    assert live.public.get(image).status_code == 404
    assert owner.http.get(f"{PLACE}/members", params=place).status_code == 404
    assert owner.http.get(f"{PLACE}/export", params=place).status_code == 404
    assert ok(owner.http.get(f"{MANAGE}/profiles"))["profiles"] == []
    assert owner.http.post(f"{PLACE}/delete", params=place, json={"name": "x"}).status_code == 404
    (leaving,) = ok(owner.http.get(f"{PLACE}/leaving"))["organizations"]
    assert leaving["organization_id"] == place["organization_id"]
    assert team.other.http.post(f"{PLACE}/restore", params=place).status_code == 404
    assert owner.http.post(f"{PLACE}/restore", params=place).status_code == 204
    assert owner.http.post(f"{PLACE}/restore", params=place).status_code == 404
    assert live.public.get("/models", headers=key).status_code == 200
    assert live.public.get(image).status_code == 200
    assert len(ok(owner.http.get(f"{MANAGE}/profiles"))["profiles"]) == 1


def test_only_owners_remove_an_organisation(live: Live, team: Team) -> None:
    place = {"organization_id": team.owner.organization_id}
    body = {"name": name_of(live, team.owner.organization_id)}
    assert team.other.http.post(f"{PLACE}/delete", params=place, json=body).status_code == 404
    with live.runtime.db.transaction() as tx:
        add_member(tx, team.owner.organization_id, team.other.user_id, "ADMIN")
    for what in (lambda: team.other.http.post(f"{PLACE}/delete", params=place, json=body),
                 lambda: team.other.http.get(f"{PLACE}/export", params=place)):  # fmt: skip
        assert what().status_code == 403


def test_an_organisation_whose_time_is_over_leaves_nothing(live: Live, team: Team) -> None:
    owner, organization_id = team.owner, team.owner.organization_id
    mine = fill(owner, 6)
    theirs = ok(team.other.http.post("/datasets", json={"name": "The same"}))["dataset_id"]
    ok(team.other.http.post(f"/datasets/{theirs}/upload_assets", files=[("files", ("a.png", png(0)))]))
    before = blobs(live)
    with live.runtime.db.read() as tx:
        both = tx.scalars(select(t.assets.c.image_sha256).where(t.assets.c.dataset_id == theirs)).one()
        only = set(tx.scalars(select(t.assets.c.image_sha256).where(t.assets.c.dataset_id == mine))) - {both}
        adapter = tx.execute(select(t.models.c.adapter_sha256).where(t.models.c.model_id == team.model_id)).scalar_one()
    assert both in before
    leave(live, team)
    assert purge_due(live.runtime.db, now())["organizations"] == 0, "there is time"
    assert named_in(live, team.model_id)
    assert over(live, organization_id)["organizations"] == 1
    assert named_in(live, team.model_id, mine, owner.api_key_id) == {}
    assert named_in(live, organization_id) == {"organizations": 1}
    left = blobs(live)
    assert both in left, "another organisation has the same picture"
    assert adapter not in left
    assert not only & left or only & left == only & _named(live), "what others have too stays, the rest goes"
    assert verified(live) == ()
    assert owner.http.post(f"{PLACE}/restore", params={"organization_id": organization_id}).status_code == 404
    assert over(live, organization_id)["organizations"] == 0, "once"
    assert ok(owner.http.get(f"{MANAGE}/session"))["user_id"] == owner.user_id, "its members are users still"
    with live.runtime.db.transaction() as tx:
        ensure_organization(tx, "a name that is free")


def _named(live: Live) -> set[str]:
    with live.runtime.db.read() as tx:
        return {str(one) for column in t.file_columns() for one in tx.scalars(select(column)) if one}


def test_a_shared_model_stays_with_those_who_need_it(live: Live, shared: Team) -> None:
    owner, other = shared.owner, shared.other
    leave(live, shared)
    over(live, owner.organization_id)
    assert ok(other.http.get(f"/models/{shared.model_id}"))["model"]["is_owned"] is False
    with live.runtime.db.read() as tx:
        mine = select(t.models.c.user_id).where(t.models.c.model_id == shared.model_id)
        assert tx.execute(mine).scalar_one() == owner.user_id, "its owner belongs elsewhere too, and takes it along"


def test_a_user_is_refused_at_once_and_comes_back_whole(live: Live, team: Team) -> None:
    owner = team.owner
    handle = ok(owner.http.get(f"{MANAGE}/session"))["display_handle"]
    assert owner.http.post(f"{MANAGE}/delete_user", json={"display_handle": "another"}).status_code == 400
    ask = {"display_handle": handle}
    with_none = owner.http.post(f"{MANAGE}/delete_user", json={**ask, "current_password": "there is none"})
    assert (with_none.status_code, with_none.json()["error"][:25]) == (403, "You have no password yet;")
    told = ok(owner.http.post(f"{MANAGE}/delete_user", json=ask))
    assert told["display_handle"] == handle
    assert live.public.get("/models", headers={"Api-Key": owner.api_key}).status_code == 401
    assert owner.http.get(f"{MANAGE}/session").status_code == 401
    with live.runtime.db.transaction() as tx:
        assert departures.restore_user(tx, owner.user_id, OPERATOR) == handle
    assert live.public.get("/models", headers={"Api-Key": owner.api_key}).status_code == 200
    assert owner.http.get(f"{MANAGE}/session").status_code == 401, "sessions have ended; signing in again is theirs"


def test_somebody_with_a_password_comes_back_by_it(live: Live) -> None:
    from linocut.accounts import passwords

    account = live.account()
    with live.runtime.db.transaction() as tx:
        people.set_password_hash(tx, account.user_id, passwords.hash_of("correct horse battery"), by=OPERATOR)
        handle = people.get(tx, account.user_id).handle
    ask = {"display_handle": handle}
    for wrong in ({}, {"current_password": "wrong horse battery"}):
        assert account.http.post(f"{MANAGE}/delete_user", json={**ask, **wrong}).status_code == 403
    good = {**ask, "current_password": "correct horse battery"}
    ok(account.http.post(f"{MANAGE}/delete_user", json=good))
    sign_in = {"account": handle, "password": "correct horse battery"}
    assert live.public.post(f"{MANAGE}/sign_in", json=sign_in).status_code == 401
    wrong_one = {"account": handle, "password": "wrong horse battery"}
    assert live.public.post(f"{MANAGE}/restore_user", json=wrong_one).status_code == 401
    assert live.public.post(f"{MANAGE}/restore_user", json=sign_in).status_code == 204
    assert live.public.post(f"{MANAGE}/sign_in", json=sign_in).status_code == 200
    assert live.public.post(f"{MANAGE}/restore_user", json=sign_in).status_code == 401, "nobody is being removed"


def test_a_user_whose_time_is_over_leaves_models_to_those_who_need_them(live: Live, shared: Team) -> None:
    owner, other = shared.owner, shared.other
    with live.runtime.db.transaction() as tx:
        tx.execute(update(t.users).where(t.users.c.user_id == owner.user_id).values(email="gone@example.org"))
        departures.remove_user(tx, owner.user_id, 14, OPERATOR)
    draw = {"prompt": "tea", "custom_model_uri": shared.uri}
    assert other.http.post(V3_GENERATE, json=draw).status_code == 200, "it draws on meanwhile"
    assert over(live, owner.user_id, owner.organization_id) == {"organizations": 1, "users": 1}
    seen = ok(other.http.get(f"/models/{shared.model_id}"))["model"]
    assert (seen["is_owned"], seen["dataset_id"]) == (True, None)
    assert other.http.post(V3_GENERATE, json=draw).status_code == 200
    assert other.http.get(f"/models/{shared.model_id}/weights").status_code == 200
    assert set(named_in(live, owner.user_id)) == {"users"}
    with live.runtime.db.read() as tx:
        row = tx.execute(select(t.users).where(t.users.c.user_id == owner.user_id)).one()
        assert "model.handed_over" in {one.action for one in audit.entries(tx, most=8)}
    assert (row.name, row.email, row.password_hash) == (f"removed {owner.user_id}", None, None)
    assert verified(live) == ()


def test_the_last_owner_does_not_leave_others_behind(live: Live) -> None:
    first, second = live.account(), live.account()
    with live.runtime.db.transaction() as tx:
        add_member(tx, first.organization_id, second.user_id)
    with pytest.raises(Conflict, match="last owner"), live.runtime.db.transaction() as tx:
        departures.remove_user(tx, first.user_id, 14, OPERATOR)
    with live.runtime.db.transaction() as tx:
        add_member(tx, first.organization_id, second.user_id, "OWNER")
        departures.remove_user(tx, first.user_id, 14, OPERATOR)
        assert members.owners_of(tx, first.organization_id) == [second.user_id]
    place = {"organization_id": first.organization_id}
    mine = {"members": [{"user_id": second.user_id}]}
    told = ok(second.http.post(f"{PLACE}/demote_admins", params=place, json=mine))["results"][0]
    assert not told["success"], "an owner who is being removed does not count"
    listed = ok(second.http.get(f"{PLACE}/members", params=place))["members"]
    assert [one["user_id"] for one in listed] == [second.user_id]


def test_a_name_that_is_being_removed_is_not_taken_over(live: Live) -> None:
    account = live.account()
    with live.runtime.db.transaction() as tx:
        departures.remove_organization(tx, account.organization_id, 14, OPERATOR)
    for make in (lambda tx: ensure_organization(tx, name_of(live, account.organization_id)),):
        with pytest.raises(Conflict, match="orgs restore"), live.runtime.db.transaction() as tx:
            make(tx)
    with live.runtime.db.transaction() as tx:
        handle = people.get(tx, account.user_id).handle
        tx.execute(update(t.users).where(t.users.c.user_id == account.user_id).values(email="taken@example.org"))
        departures.remove_user(tx, account.user_id, 14, OPERATOR)
    with pytest.raises(Conflict, match="users restore"), live.runtime.db.transaction() as tx:
        ensure_user(tx, handle)
    with pytest.raises(Conflict), live.runtime.db.transaction() as tx:
        people.create(tx, "another one", "taken@example.org", by=OPERATOR)


def test_once_the_time_is_over_nobody_comes_back(live: Live) -> None:
    account = live.account()
    with live.runtime.db.transaction() as tx:
        departures.remove_organization(tx, account.organization_id, 0, OPERATOR)
        departures.remove_user(tx, account.user_id, 0, OPERATOR)
    for restore, one in ((departures.restore_user, account.user_id),
                         (departures.restore_organization, account.organization_id)):  # fmt: skip
        with pytest.raises(Conflict, match="is over"), live.runtime.db.transaction() as tx:
            restore(tx, one, OPERATOR)


KILLED = """
import os, signal, sys
from linocut.db.database import Database
from linocut.ids import now
from linocut.leaving.purge import purge_due
from linocut.workers.housekeeping import Housekeeping
from contextlib import contextmanager
from pathlib import Path
left, real = int(sys.argv[2]), Database.transaction

@contextmanager
def dying(self, **given):
    global left
    with real(self, **given) as tx:
        yield tx
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

db = Database.open(sys.argv[1] if "://" in sys.argv[1] else Path(sys.argv[1]))
Database.transaction = dying
purge_due(db, now())
"""


@pytest.mark.long
def test_a_removal_that_is_killed_goes_on_later(live: Live, shared: Team) -> None:
    """Killed in its first, second, third … transaction, before it is committed, and begun again each time."""
    owner = shared.owner
    fill(owner, 6)
    with live.runtime.db.transaction() as tx:
        departures.remove_user(tx, owner.user_id, 0, OPERATOR)
    database, died = live.settings.resolved_database_url, 0
    for transactions in range(5):  # the whole removal has some fifteen: 1 + 2 + 3 + 4 are done after these
        ended = subprocess.run([sys.executable, "-c", KILLED, str(database), str(transactions)], env=dict(os.environ))
        died += ended.returncode == -signal.SIGKILL
    assert died == 5
    with live.runtime.db.read() as tx:
        row = tx.execute(select(t.users).where(t.users.c.user_id == owner.user_id)).one()
    assert (row.purged_at, row.name.startswith("user ")) == (None, True), "the name goes last"
    over(live, owner.user_id, owner.organization_id)
    assert set(named_in(live, owner.user_id)) == {"users"}
    assert ok(shared.other.http.get(f"/models/{shared.model_id}"))["model"]["is_owned"] is True
    assert verified(live) == ()


@pytest.mark.long
def test_what_is_in_progress_is_given_up(tmp_path: Path) -> None:
    """On a server without a worker: a training and an image wait."""
    with running(tmp_path, min_training_images=4, generate_timeout_seconds=0.2) as server:
        account = server.account()
        model_id = train(account, fill(account))
        queued = account.http.post(V3_GENERATE, json={"prompt": "tea"}, headers={"Idempotency-Key": "kept"})
        assert queued.status_code == 503
        with server.runtime.db.transaction() as tx:
            departures.remove_organization(tx, account.organization_id, 14, OPERATOR)
        with server.runtime.db.read() as tx:
            statuses = set(tx.scalars(select(t.jobs.c.status)))
            model = tx.execute(select(t.models.c.status).where(t.models.c.model_id == model_id)).scalar_one()
        assert (statuses, model) == ({"FAILED"}, "ERRORED")
        over(server, account.organization_id)
        assert named_in(server, account.organization_id) == {"organizations": 1}


def test_the_chores_of_a_server_remove_those_whose_time_is_over(live: Live) -> None:
    account = live.account()
    with live.runtime.db.transaction() as tx:
        departures.remove_user(tx, account.user_id, 0, OPERATOR)
    chores = Housekeeping(live.settings)
    try:
        chores.clean()
    finally:
        chores.close()
    assert set(named_in(live, account.user_id)) == {"users"}


def test_the_first_owner_s_link_leads_to_an_organisation_that_stands(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        gone, user_id = server.account(), ""
        with server.runtime.db.transaction() as tx:
            user_id = links.use(tx, links.make(tx, "owner", OPERATOR), "a hash", "first@example.org", OPERATOR)
            departures.remove_organization(tx, gone.organization_id, 14, OPERATOR)
            links.use(tx, links.make(tx, "owner", OPERATOR), "a hash", "first@example.org", OPERATOR)
            (home,) = organizations_of(tx, user_id)
            assert (home != gone.organization_id, members.role_of(tx, home, user_id)) == (True, "OWNER")
