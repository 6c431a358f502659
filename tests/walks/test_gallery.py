"""What was drawn: listed, found, drawn again, and deleted."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, insert, select, update
from tests.api.live import Account, Live
from tests.api.pictures import png
from tests.walks.steps import V3_GENERATE, V4_GENERATE, ok, trained
from tests.walks.test_editing import mask

from linocut import ids
from linocut.accounts import organizations
from linocut.accounts.types import Caller
from linocut.api.discovery import OPERATIONS
from linocut.api.operation import Draws
from linocut.api.remembering import IMAGE_OPERATIONS
from linocut.datasets.garbage import collect_garbage
from linocut.db.tables import drawing_inputs, drawings, images, job_inputs, jobs, members
from linocut.generation.drawings import Wanted, listed
from linocut.storage.store import Store
from linocut.workers.pruning import prune

KETTLE = {
    "high_level_description": "a blue kettle", "compositional_deconstruction": {"background": "white", "elements": []}
}  # fmt: skip


def page(account: Account, **query: Any) -> dict[str, Any]:
    return ok(account.http.get("/images", params=query))


def prompts(account: Account, **query: Any) -> list[str]:
    return [one["prompt"] for one in page(account, **query)["images"]]


def draw(account: Account, prompt: str, **fields: Any) -> list[dict[str, Any]]:
    answer = ok(account.http.post(V3_GENERATE, json={"prompt": prompt, "aspect_ratio": "1x1", **fields}))
    return list(answer["data"])


def member_of(live: Live, owner: Account) -> Account:
    """Somebody else in the same organisation, with no more rights than a member."""
    with live.runtime.db.read() as tx:
        table = organizations.organizations
        name = tx.scalar(select(table.c.name).where(table.c.organization_id == owner.organization_id))
    other = live.account(organization=str(name))
    with live.runtime.db.transaction() as tx:
        mine = members.c.user_id == other.user_id, members.c.organization_id == owner.organization_id
        tx.execute(update(members).where(*mine).values(role="MEMBER"))
    assert other.organization_id == owner.organization_id
    return other


def test_every_operation_that_draws_is_one_that_is_listed() -> None:
    drawing = {one.path.rpartition("/")[2] for one in OPERATIONS if isinstance(one.does, Draws)}
    assert drawing - {"describe"} == IMAGE_OPERATIONS


def test_newest_first_with_all_that_asked_for_it(live: Live, account: Account) -> None:
    assert page(account) == {"images": [], "next_cursor": None, "total": 0}
    first = draw(account, "a red fish", seed=7, num_images=2, negative_prompt="water")
    [second] = draw(account, "a green leaf")
    found = page(account)
    assert [one["prompt"] for one in found["images"]] == ["a green leaf", "a red fish", "a red fish"]
    assert found["total"] == 3
    leaf = found["images"][0]
    assert leaf["seed"] == second["seed"] == leaf["parameters"]["seed"]
    fish = {one["seed"]: one for one in found["images"][1:]}
    assert set(fish) == {7, 8}
    told = fish[8]
    assert (told["operation"], told["path"], told["user_id"]) == ("generate", V3_GENERATE, account.user_id)
    assert told["parameters"] == {
        "prompt": "a red fish", "seed": 8, "aspect_ratio": "1x1", "negative_prompt": "water"
    }  # fmt: skip
    assert told["resolution"] == "1024x1024"
    assert told["x_linocut"]["base"] == live.runtime.base.identity
    assert told["x_linocut"]["notes"] == first[1]["x_linocut"]["notes"]
    assert live.public.get(told["url"]).content == live.public.get(first[1]["url"]).content
    assert ok(account.http.get(f"/images/{told['image_id']}"))["parameters"] == told["parameters"]


def test_drawn_again_it_is_the_same_image(live: Live, account: Account) -> None:
    draw(account, "a red fish", num_images=2)
    told = page(account)["images"][0]
    again = ok(account.http.post(told["path"], json=told["parameters"]))["data"]
    assert len(again) == 1
    assert live.public.get(again[0]["url"]).content == live.public.get(told["url"]).content


@pytest.mark.parametrize(("path", "fields", "files"), [
    ("/v1/ideogram-v3/inpaint", {"prompt": "a red fish", "seed": "3"}, ["image", "mask"]),
    ("/v1/ideogram-v3/reframe", {"resolution": "1024x1024", "seed": "3"}, ["image"]),
    ("/v1/remove-background", {}, ["image"]),
    ("/upscale", {"image_request": '{"prompt": "tea", "seed": 3}'}, ["image_file"]),
    ("/v1/edit", {"prompt": "make the background blue", "seed": "3"}, ["images"]),
    ("/v1/ideogram-v3/layerize-text", {"seed": "3"}, ["image"]),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_pictures_are_remembered_and_draw_again(
    live: Live, account: Account, path: str, fields: dict[str, str], files: list[str]
) -> None:
    sent = [(name, ("blob", mask() if name == "mask" else png(1))) for name in files]
    first = account.http.post(path, files=[*sent, *((name, (None, text)) for name, text in fields.items())])
    ok(first)
    told = page(account)["images"][0]
    assert told["path"] == path
    assert [one["field"] for one in told["inputs"]] == files
    assert all((one["width"], one["height"]) == (48, 32) for one in told["inputs"])
    kept = [(one["field"], ("blob", account.http.get(one["url"]).content)) for one in told["inputs"]]
    texts = [(name, (None, str(value) if not isinstance(value, dict) else json.dumps(value)))
             for name, value in told["parameters"].items()]  # fmt: skip
    ok(account.http.post(path, files=[*kept, *texts]))
    newer = page(account)["images"][0]
    assert newer["image_id"] != told["image_id"]
    assert newer["parameters"] == told["parameters"]
    everything = [live.public.get(one["url"]).content for one in page(account)["images"]]
    half = len(everything) // 2
    assert sorted(everything[:half]) == sorted(everything[half:])


def test_found_by_words_model_operation_and_day(live: Live, account: Account) -> None:
    uri = trained(account)["custom_model_uri"]
    draw(account, "Ein ÄPFEL 100%_baum")
    draw(account, "a tea poster", custom_model_uri=uri)
    ok(account.http.post(V4_GENERATE, json={"json_prompt": KETTLE}))
    picture = {"image": ("blob", png(1)), "prompt": (None, "a red fish")}
    ok(account.http.post("/v1/ideogram-v3/remix", files=picture))
    everything = prompts(account)
    assert len(everything) == 4  # and no preview of the training
    assert prompts(account, search="äpfel") == prompts(account, search="BAUM ein") == ["Ein ÄPFEL 100%_baum"]
    assert prompts(account, search="100%_b") == ["Ein ÄPFEL 100%_baum"]
    assert prompts(account, search="%") == prompts(account, search="_baum") == ["Ein ÄPFEL 100%_baum"]
    assert prompts(account, search="1%m") == prompts(account, search="apfel") == []
    assert "kettle" in prompts(account, search="KETTLE")[0]
    assert prompts(account, custom_model_uri=uri) == ["a tea poster"]
    assert prompts(account, custom_model_uri="model/other/version/1") == []
    assert prompts(account, operation="remix") == ["a red fish"]
    assert page(account, operation="remix")["total"] == 1
    assert prompts(account, base=live.runtime.base.identity) == everything
    assert prompts(account, base="another") == []
    assert prompts(account, search="  ") == everything
    with live.runtime.db.transaction() as tx:
        one = page(account, operation="remix")["images"][0]["image_id"]
        yesterday = ids.now().replace(hour=23, minute=59) - timedelta(days=1)
        tx.execute(update(images).where(images.c.image_id == one).values(created_at=yesterday))
    today, before = ids.now().date(), yesterday.date()
    assert prompts(account, from_day=str(today)) == everything[1:]
    assert prompts(account, to_day=str(before)) == ["a red fish"]
    assert prompts(account, from_day=str(before), to_day=str(today)) == [*everything[1:], "a red fish"]
    assert prompts(account, from_day=str(today), to_day=str(before)) == []


@pytest.mark.parametrize(("query", "words"), [
    ({"limit": 0}, "limit"), ({"limit": 201}, "limit"), ({"limit": "x"}, "limit"), ({"operation": "draw"}, "operation"),
    ({"from_day": "28.11.2026"}, "from_day"), ({"to_day": "2026-02-30"}, "to_day must be a day"),
    ({"from_day": "0001-01-01"}, "from_day must be a day"), ({"to_day": "9999-12-31"}, "to_day must be a day"),
    ({"cursor": "x"}, "cursor must be"), ({"cursor": "W10"}, "cursor must be"), ({"cursor": "é"}, "cursor must be"),
    ({"cursor": "WyIyMDI2LTExLTI4IiwgInEiXQ"}, "cursor must be"),  # a time without a zone
    ({"search": "x" * 257}, "search"), ({"search": " ".join("abcdefghijklmnopq")}, "search may have at most 16"),
], ids=str)  # fmt: skip
def test_what_cannot_be_asked_is_named(account: Account, query: dict[str, Any], words: str) -> None:
    told = account.http.get("/images", params=query)
    assert told.status_code == 400
    assert words in told.json()["error"]


def many(live: Live, account: Account, count: int) -> None:
    """So many images, ten a second, each second one of the same moment as the one before."""
    begun, rows = ids.now() - timedelta(hours=1), []
    for number in range(count):
        rows.append({
            "image_id": ids.new_id(), "job_id": "gone", "image_sha256": "0" * 64, "user_id": account.user_id,
            "created_at": begun + timedelta(seconds=number // 2 / 10), "organization_id": account.organization_id,
            "operation": "remix" if number % 100 == 0 else "generate", "search": f"picture {number}", "seed": number,
        })  # fmt: skip
    with live.runtime.db.transaction() as tx:
        tx.execute(insert(images), rows)


def test_pages_repeat_and_skip_nothing_while_others_draw(live: Live, account: Account) -> None:
    many(live, account, 95)
    seeds, cursor, sizes = [], None, []
    while True:
        found = page(account, limit=20, **({"cursor": cursor} if cursor else {}))
        seeds += [one["seed"] for one in found["images"]]
        sizes.append(len(found["images"]))
        assert ("total" in found) == (cursor is None)
        cursor = found["next_cursor"]
        if cursor is None:
            break
        draw(account, "drawn meanwhile")
    assert sizes == [20, 20, 20, 20, 15]
    assert sorted(seeds) == list(range(95))
    assert [seed // 2 for seed in seeds] == sorted((seed // 2 for seed in seeds), reverse=True)


def test_ten_thousand_images_are_read_by_an_index(live: Live, account: Account) -> None:
    many(live, account, 10_000)
    db = live.runtime.db
    with db.transaction() as tx:
        tx.exec_driver_sql("ANALYZE images")
    who = Caller(account.user_id, account.organization_id, account.api_key_id)
    statements: list[tuple[str, Any]] = []
    with db.read() as tx:

        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            statements.append((statement, parameters))

        event.listen(tx, "before_cursor_execute", note)
        first = listed(tx, who, Wanted(), 100)
        last = first[-1]
        second = listed(tx, who, Wanted(after=(last.created_at, last.image_id)), 100)
        event.remove(tx, "before_cursor_execute", note)
        assert len({one.image_id for one in (*first, *second)}) == 200
        explain = "EXPLAIN QUERY PLAN " if tx.dialect.name == "sqlite" else "EXPLAIN "
        lists = [given for given in statements if "ORDER BY images.created_at" in given[0]]
        assert len(lists) == 2
        for statement, parameters in lists:
            plan = " ".join(str(row) for row in tx.exec_driver_sql(explain + statement, parameters))
            print(plan)
            assert "ix_images_organization_id" in plan or "Scan Backward using ix_images_created_at" in plan
            assert not [slow for slow in ("TEMP B-TREE", "Seq Scan on images", "->  Sort") if slow in plan]


def test_a_member_sees_their_own_and_an_admin_all(live: Live, account: Account) -> None:
    member = member_of(live, account)
    draw(account, "the owner's")
    draw(member, "the member's")
    assert prompts(member) == ["the member's"]
    assert page(member)["total"] == 1
    assert prompts(account) == ["the member's", "the owner's"]
    assert prompts(account, user_id=member.user_id) == ["the member's"]
    assert prompts(member, user_id=account.user_id) == []
    stranger = live.account()
    assert prompts(stranger) == []
    theirs, mine = (page(account, search=word)["images"][0] for word in ("owner", "member"))
    for who, image in ((member, theirs), (stranger, theirs), (stranger, mine)):
        for told in (
            who.http.get(f"/images/{image['image_id']}"),
            who.http.delete(f"/images/{image['image_id']}"),
            who.http.get(f"/images/{image['image_id']}/inputs/image/0"),
        ):
            assert told.status_code == 404
    assert len(prompts(account)) == 2
    assert account.http.delete(f"/images/{mine['image_id']}").status_code == 204  # the owner may, and so an admin
    assert prompts(member) == []


def test_a_deleted_image_is_gone_at_once_and_its_file_when_nobody_else_has_it(live: Live, account: Account) -> None:
    draw(account, "a red fish", seed=5)
    draw(account, "a red fish", seed=5)  # the same bytes
    one, other = page(account)["images"]
    store: Store = live.runtime.store
    with live.runtime.db.read() as tx:
        sha256 = tx.scalar(select(images.c.image_sha256).where(images.c.image_id == one["image_id"]))
    assert account.http.delete(f"/images/{one['image_id']}").status_code == 204
    assert account.http.delete(f"/images/{one['image_id']}").status_code == 404
    assert account.http.get(f"/images/{one['image_id']}").status_code == 404
    assert live.public.get(one["url"]).status_code == 404
    assert live.public.get(other["url"]).status_code == 200
    assert [left["image_id"] for left in page(account)["images"]] == [other["image_id"]]
    _collect(live)
    assert store.has(str(sha256))
    assert account.http.delete(f"/images/{other['image_id']}").status_code == 204
    _collect(live)
    assert not store.has(str(sha256))


def _collect(live: Live) -> None:
    collect_garbage(live.runtime.db, live.runtime.store, ids.now() + timedelta(minutes=1), timedelta(0))


def test_what_asked_goes_with_the_last_image_and_the_pictures_with_it(live: Live, account: Account) -> None:
    picture = {"image": ("blob", png(77)), "prompt": (None, "a red fish"), "num_images": (None, "2")}
    ok(account.http.post("/v1/ideogram-v3/remix", files=picture))
    one, other = page(account)["images"]
    with live.runtime.db.read() as tx:
        job_id = tx.scalar(select(images.c.job_id).where(images.c.image_id == one["image_id"]))

    def left() -> tuple[bool, bool]:
        with live.runtime.db.read() as tx:
            asked = tx.scalar(select(drawings.c.job_id).where(drawings.c.job_id == job_id))
            given = tx.scalar(select(drawing_inputs.c.job_id).where(drawing_inputs.c.job_id == job_id))
        return asked is not None, given is not None

    account.http.delete(f"/images/{one['image_id']}")
    assert left() == (True, True)
    with live.runtime.db.transaction() as tx:  # by age this time
        old = ids.now() - timedelta(days=40)
        tx.execute(update(images).where(images.c.image_id == other["image_id"]).values(created_at=old))
        tx.execute(update(drawings).where(drawings.c.job_id == job_id).values(created_at=old))
    prune(live.runtime.db, ids.now(), 24, 0)
    assert left() == (True, True)
    with live.runtime.db.transaction() as tx:
        tx.execute(delete(job_inputs).where(job_inputs.c.job_id == job_id))
        tx.execute(delete(jobs).where(jobs.c.job_id == job_id))
    prune(live.runtime.db, ids.now(), 24, 30)
    assert left() == (False, False)
    assert prompts(account) == []


def test_what_was_refused_leaves_nothing(live: Live, account: Account) -> None:
    told = account.http.post(V3_GENERATE, json={"prompt": "x", "aspect_ratio": "1x7"})
    assert told.status_code == 400
    with live.runtime.db.read() as tx:
        rows = tx.scalars(select(drawings.c.prompt).where(drawings.c.prompt == "x")).all()
    assert rows == []
    assert page(account)["total"] == 0
