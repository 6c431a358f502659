"""A key that stops to be good while a request is under way: what is begun is not carried out for it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection
from tests.api.every import OPERATIONS, asked, body_of, label
from tests.api.live import Account, Live
from tests.api.pictures import png
from tests.marks import long_but
from tests.walks.steps import V3_GENERATE, V3_TRAIN, fill, ok, train

from linocut.accounts import keys, organizations
from linocut.api import runner
from linocut.api.operation import Draws, Operation, Places, Serves, Works, Writes
from linocut.db.tables import api_keys, assets, audit_head, audit_log, idempotency_keys, jobs, members, metadata
from linocut.storage.store import Store

API = Path(runner.__file__).parent
End = Callable[[Connection, Account], object]


def _removed(tx: Connection, account: Account) -> object:
    mine = (members.c.user_id == account.user_id) & (members.c.organization_id == account.organization_id)
    return tx.execute(members.delete().where(mine))


ENDS: dict[str, End] = {"revoked": lambda tx, one: keys.revoke_key(tx, one.api_key_id), "removed": _removed}
CHANGING = [one for one in OPERATIONS if isinstance(one.does, Writes | Works | Draws | Places) and not one.is_console]
LATER = [one for one in OPERATIONS if one.key_needed and isinstance(one.does, Serves)]


@pytest.fixture(params=long_but(["revoked"], ENDS))
def end(request: pytest.FixtureRequest, idle: Live) -> Callable[[Account], None]:
    """Ends what a key is good for, in one of the two ways."""

    def at_once(account: Account) -> None:
        with idle.runtime.db.transaction() as tx:
            ENDS[request.param](tx, account)

    return at_once


def everything(live: Live) -> dict[str, list[Any]]:
    """Every row of every table, but for keys, members, and the log that tells of their end."""
    with live.runtime.db.read() as tx:
        tables = [table for table in metadata.sorted_tables if table not in (api_keys, members, audit_log, audit_head)]
        return {table.name: sorted(map(str, tx.execute(table.select()))) for table in tables}


@pytest.fixture(scope="module")
def things(idle: Live) -> tuple[Account, dict[str, str]]:
    """An account with one of everything, and the ids of it."""
    account = idle.account()
    dataset_id = fill(account)
    asset_id = ok(account.http.get(f"/datasets/{dataset_id}/assets"))["assets"][0]["asset_id"]
    known = {"dataset_id": dataset_id, "asset_id": asset_id, "model_id": train(account, dataset_id)}
    return account, {**known, "organization_id": account.organization_id}


@pytest.fixture
def owned(idle: Live, things: tuple[Account, dict[str, str]]) -> tuple[Account, dict[str, str]]:
    """The same, whose owner is a member (again)."""
    with idle.runtime.db.transaction() as tx:
        organizations.add_member(tx, things[0].organization_id, things[0].user_id)
    return things


def another_key(live: Live, account: Account) -> Account:
    """Another user of nobody's organisation cannot see the same things; another key of the same user can."""
    with live.runtime.db.transaction() as tx:
        made = keys.create_key(tx, user_id=account.user_id, organization_id=account.organization_id)
    http = httpx2.Client(base_url=live.url, headers={"Api-Key": made.api_key}, timeout=30)
    return Account(made.api_key, made.api_key_id, account.user_id, account.organization_id, http, account.token)


@pytest.mark.parametrize("key", long_but([None], [None, "again"]), ids=["plain", "idempotent"])
def test_nothing_is_changed_by_what_such_a_key_has_begun(
    idle: Live,
    owned: tuple[Account, dict[str, str]],
    end: Callable[[Account], None],
    monkeypatch: pytest.MonkeyPatch,
    key: str | None,
) -> None:
    """The key ends when it has been looked up, and before anything of the body is read: in every operation."""
    account, known = owned
    carried_out = runner._carried_out
    for operation in CHANGING:
        one = another_key(idle, account)

        async def late(operation: Operation, call: Any, one: Account = one) -> Any:
            end(one)
            return await carried_out(operation, call)

        before = everything(idle)
        with monkeypatch.context() as patched:
            patched.setattr(runner, "_carried_out", late)
            told = _ask(one, operation, known, {} if key is None else {"Idempotency-Key": key})
        assert (label(operation), told.status_code) == (label(operation), 401)
        assert everything(idle) == before
        one.http.close()


@pytest.mark.parametrize("operation", LATER, ids=label)
def test_nothing_is_told_to_such_a_key_either(
    idle: Live,
    owned: tuple[Account, dict[str, str]],
    end: Callable[[Account], None],
    monkeypatch: pytest.MonkeyPatch,
    operation: Operation,
) -> None:
    account, known = owned
    one, carried_out = another_key(idle, account), runner._carried_out

    async def late(operation: Operation, call: Any) -> Any:
        end(one)
        return await carried_out(operation, call)

    monkeypatch.setattr(runner, "_carried_out", late)
    assert _ask(one, operation, known, {}).status_code == 401
    one.http.close()


def _ask(account: Account, operation: Operation, known: dict[str, str], headers: dict[str, str]) -> httpx2.Response:
    path = asked(operation, known)
    return account.http.request(operation.method, path, headers=headers, **body_of(operation, known))


@pytest.mark.parametrize("path", [V3_TRAIN, "/datasets/{dataset_id}/upload_assets"])
def test_the_last_bytes_come_too_late(
    idle: Live, owned: tuple[Account, dict[str, str]], end: Callable[[Account], None], path: str
) -> None:
    """The attack itself: all of a request but its last bytes, then the end of the key, then the rest."""
    account, known = owned
    one = another_key(idle, account)
    body: dict[str, Any] = {"json": {"dataset_id": known["dataset_id"], "model_name": "Too late"}}
    if path != V3_TRAIN:
        body = {"files": [("files", ("late.png", png(99)))]}
    whole = one.http.build_request("POST", path.format(**known), **body)
    content = whole.read()

    def slowly() -> Any:
        yield content[:-3]
        threading.Event().wait(0.2)  # the server has read it and waits for more
        end(one)
        yield content[-3:]

    headers = {"Content-Type": whole.headers["content-type"], "Content-Length": str(len(content))}
    before = everything(idle)
    assert one.http.post(path.format(**known), content=slowly(), headers=headers).status_code == 401
    assert everything(idle) == before
    one.http.close()


def test_an_upload_takes_no_picture_more(
    idle: Live, owned: tuple[Account, dict[str, str]], end: Callable[[Account], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each picture is a transaction of its own: what was taken under the good key stays, and nothing comes after it."""
    account, _ = owned
    one, put, at_its_end = another_key(idle, account), Store.put, list[str]()
    once = threading.Lock()  # two pictures are taken at once
    dataset_id = ok(account.http.post("/datasets", json={"name": "half"}))["dataset_id"]

    def watched(*given: Any) -> Any:
        done = put(*given)
        with once:
            if not at_its_end and taken():
                end(one)
                at_its_end.extend(taken())
        return done

    def taken() -> list[str]:
        with idle.runtime.db.read() as tx:
            rows = tx.execute(assets.select().filter_by(dataset_id=dataset_id)).all()
        return [row.file_name for row in rows]

    monkeypatch.setattr(Store, "put", watched)
    pictures = [("files", (f"{number}.png", png(200 + number))) for number in range(5)]
    told = one.http.post(f"/datasets/{dataset_id}/upload_assets", files=pictures)
    assert told.status_code == 401
    assert taken() == at_its_end
    assert 0 < len(at_its_end) < len(pictures)
    one.http.close()


def test_a_stream_ends_with_its_key(
    idle: Live, owned: tuple[Account, dict[str, str]], end: Callable[[Account], None]
) -> None:
    account, known = owned
    model_id = train(account, known["dataset_id"])
    one = another_key(idle, account)
    with one.http.stream("GET", f"/models/{model_id}/events", timeout=20) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "retry: 2000"
        while not next(lines).startswith("event: status"):
            pass
        end(one)
        assert ": the key is no longer good" in list(lines)
    assert one.http.get(f"/models/{model_id}/events").status_code == 401
    one.http.close()


def test_an_answer_that_is_remembered_is_not_told_to_such_a_key(
    idle: Live, end: Callable[[Account], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, carried_out = idle.account(), runner._carried_out
    headers, body = {"Idempotency-Key": "k"}, {"name": "once"}
    ok(one.http.post("/datasets", json=body, headers=headers))

    async def late(operation: Operation, call: Any) -> Any:
        end(one)
        return await carried_out(operation, call)

    monkeypatch.setattr(runner, "_carried_out", late)
    assert one.http.post("/datasets", json=body, headers=headers).status_code == 401
    with idle.runtime.db.read() as tx:
        mine = idempotency_keys.select().filter_by(api_key_id=one.api_key_id)
        assert len(tx.execute(mine).all()) == 1


def test_images_that_were_drawn_meanwhile_are_not_told_to_such_a_key(live: Live) -> None:
    """The job is placed under a good key; the links of its images are not given to one that is good no more."""
    account = live.account()
    with live.runtime.db.read() as tx:
        before = len(tx.execute(jobs.select()).all())
    place = runner.drawn

    async def late(*arguments: Any) -> Any:
        waiter = arguments[0].shared.waiter
        wait = waiter.wait

        async def waited(*given: Any) -> Any:
            done = await wait(*given)
            with live.runtime.db.transaction() as tx:
                keys.revoke_key(tx, account.api_key_id)
            return done

        waiter.wait = waited
        try:
            return await place(*arguments)
        finally:
            waiter.wait = wait

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runner, "drawn", late)
        assert account.http.post(V3_GENERATE, json={"prompt": "tea"}).status_code == 401
    with live.runtime.db.read() as tx:
        assert len(tx.execute(jobs.select()).all()) == before + 1


def test_no_handler_goes_around_the_key() -> None:
    """``call.db`` looks the key up; ``runtime.db`` does not, and is for what the server does for itself."""
    files = [*(API / "routes").rglob("*.py"), API / "uploads.py", API / "training.py"]
    assert len(files) > 20
    around = [file.name for file in files if "runtime.db" in file.read_text()]
    assert around == ["readyz.py"], "which is asked by nobody in particular"
