"""What the table cannot say: fields that nobody may set, ids that are paths, long and strange texts, forged lines."""

import json
from typing import Any

import pytest
import structlog
from sqlalchemy import select
from structlog.testing import capture_logs
from tests.api.every import ALL, OPERATIONS, label
from tests.authorization.asking import ABSENT, NOTHING, encoded, kinds_of, request_for, rows_of
from tests.authorization.house import House, Told
from tests.authorization.world import Things, World

from linocut.api.operation import Draws, Operation, Places, Reads, Serves
from linocut.db import tables
from linocut.observe import set_up_logs

JSON_BODIES = [
    one for one in OPERATIONS
    if one.body is not None and one.encodings[0] == "application/json" and not isinstance(one.does, Draws | Places)
]  # fmt: skip


def ask(house: House, operation: Operation, caller: str, body: dict[str, Any], **changes: Any) -> Told:
    """The operation's own request, with another body or another path."""
    world = house.world
    asked = request_for(operation, house.runtime, world, caller, (NOTHING, NOTHING))
    who = (world.on_console if operation.is_console else world.on_api)[caller]
    content, kind = encoded(body)
    headers = {**who, **changes.get("headers", {})}
    return house.ask(operation.method, changes.get("path", asked.path), asked.query, headers, content, kind)


def rows_of_people(house: House, *people: Things) -> list[str]:
    """Every row that names one of them, but for the log and what a request itself leaves."""
    names = {one.user_id for one in people} | {people[0].organization_id}
    left_out = {"audit_log", "audit_head", "idempotency_keys", "sign_in_failures"}
    found = []
    with house.runtime.db.read() as tx:
        for table in tables.metadata.sorted_tables:
            if table.name not in left_out:
                found += [f"{table.name} {row}" for row in tx.execute(select(table)) if names & set(map(str, row))]
    return sorted(found)


def forbidden(world: World) -> dict[str, Any]:
    """What a body must not be able to set: whose it is, what it may, how it stands."""
    theirs = world.stranger
    return {
        "user_id": theirs.user_id, "owner_id": theirs.user_id, "organization_id": theirs.organization_id,
        "model_id": theirs.model_id["own"], "dataset_id": theirs.dataset_id["own"], "api_key_id": theirs.api_key_id,
        "role": "OWNER", "is_owned": True, "is_session": True, "is_admin": True, "status": "COMPLETED",
        "base": "other@base", "slug": "house-style", "version": 7, "adapter_sha256": "0" * 64,
        "created_at": "2000-01-01",
        "scopes": None, "expires_at": None, "password_hash": "x", "is_staff": True, "balance": 10**9,
    }  # fmt: skip


@pytest.mark.parametrize("operation", JSON_BODIES, ids=label)
def test_a_body_sets_nothing_that_is_not_its_own(house: House, operation: Operation) -> None:
    """The answer is the same as without, or refuses by name; the stranger has what they had, no role has changed."""
    plain = house.cell(operation, "self", rows_of(operation)[0])
    world = house.world
    before = rows_of_people(house, world.stranger)
    asked = request_for(operation, house.runtime, world, "self", rows_of(operation)[0])
    body = asked.body["json"]
    assert operation.body is not None
    own = operation.body.__struct_fields__
    extra = {name: value for name, value in forbidden(world).items() if name not in own}
    told = ask(house, operation, "self", {"json": {**extra, **body}})
    refused = b"This request has no field" in told.content
    assert refused or told.status == plain.status
    assert rows_of_people(house, world.stranger) == before
    with house.runtime.db.read() as tx:
        role = select(tables.members.c.role).where(tables.members.c.user_id == world.colleague.user_id)
        assert list(tx.scalars(role)) == ["MEMBER"]
    house.forget()


PATHS = [
    "..", ".", "../../etc/passwd", "..\\..\\etc\\passwd", "/etc/passwd", "%2e%2e%2fetc%2fpasswd", "a" * 300, "\x00",
    "id\x00.png", "'; DROP TABLE models; --", "{model_id}", "%s%n", "идентификатор", "\u202eid", "id\r\nX-Forged: 1",
    " ", "null", "-1", "*",
]  # fmt: skip
WITH_ID = [one for one in ALL if "{" in one.path and one.is_built]


@pytest.mark.parametrize("operation", WITH_ID, ids=label)
def test_an_id_that_is_a_path_leads_nowhere(house: House, operation: Operation) -> None:
    """As an id that nobody has, or as an address that there is not."""
    name = kinds_of(operation)[0]
    for bad in PATHS:
        world = house.world
        path = request_for(operation, house.runtime, world, "owner", (name, "absent")).path.replace(ABSENT, bad)
        body = request_for(operation, house.runtime, world, "owner", (name, "absent")).body
        told = ask(house, operation, "owner", body, path=path)
        is_page = (
            told.headers.get("location") == f"./#/{bad}"
        )  # where the console is built: the page says that it is none
        assert told.status in (403, 404, 405) or (told.status == 303 and is_page), (bad, told.content)
        assert b"root:" not in told.content
        assert str(house.runtime.settings.data).encode() not in told.content
        if told.status == 404 and "/" not in bad and bad.strip("."):
            absent = ask(house, operation, "owner", body, path=path.replace(bad, ABSENT))
            assert told.content == absent.content, bad


LONG, NUL = "a" * 300, "tea\x00pot"
SETTABLE = {
    "POST /datasets": "name",
    "POST /v1/ideogram-v3/train-model": "model_name",
    "POST /v1/ideogram-v4/train-model-advanced": "model_name",
    "POST /datasets/{dataset_id}/train_model": "model_name",
    "POST /manage/api/api_keys": "label",
    "POST /manage/api/api_keys_v2": "label",
    "PATCH /manage/api/api_keys/{api_key_id}": "label",
    "POST /v1/ideogram-v3/generate": "custom_model_uri",
}
"""What people name, and where."""


@pytest.mark.parametrize("route", list(SETTABLE))
def test_a_name_of_300_letters_is_refused_by_its_field(house: House, route: str) -> None:
    operation = next(one for one in ALL if label(one) == route)
    asked = request_for(operation, house.runtime, house.world, "owner", rows_of(operation)[0])
    body = asked.body.get("json", {"prompt": "tea"})
    told = ask(house, operation, "owner", {"json": {**body, SETTABLE[route]: LONG}})
    assert told.status == 400
    assert SETTABLE[route] in json.loads(told.content)["error"]
    assert LONG.encode() not in told.content


TEXTS = [one for one in JSON_BODIES if not one.path.endswith(("sign_in", "use_link", "password", "send_link"))]


@pytest.mark.parametrize("operation", TEXTS, ids=label)
def test_no_text_is_a_fault_of_ours(house: House, operation: Operation) -> None:
    """Each text of each body: too long, with a NUL, with a line end, with half of a letter."""
    for bad in (LONG, NUL, "tea\r\npot", "../../etc/passwd", "\u202etop", "\x1b[2J", "💥" * 70):
        asked = request_for(operation, house.runtime, house.world, "owner", rows_of(operation)[0])
        for name, value in asked.body["json"].items():
            if isinstance(value, str):
                told = ask(house, operation, "owner", {"json": {**asked.body["json"], name: bad}})
                assert told.status < 500, (name, bad, told.content)
                assert b"Traceback" not in told.content
                assert bad is not NUL or (told.status == 400 and b"U+0000" in told.content)
        house.forget()


FORGED = "x\r\nX-Forged: 1\r\n\r\n<html>"


@pytest.mark.parametrize("operation", [one for one in ALL if isinstance(one.does, Reads | Serves)], ids=label)
def test_a_header_forges_no_header_and_no_line_of_the_log(house: House, operation: Operation) -> None:
    """Whatever stands in a header or an address: one line a request, in either form of the log, and none that steers a
    terminal. (That no answer has a header with a line end is looked at for every request of this house.)"""
    names = ("X-Linocut-Organization", "X-Forwarded-For", "X-Forwarded-Host", "Host", "Origin", "User-Agent", "Cookie",
             "If-None-Match", "Last-Event-ID", "Referer", "X-Request-Id", "Authorization")  # fmt: skip
    set_up_logs("INFO")  # whatever a test before this one has set
    with capture_logs() as lines:
        for name in names:
            told = ask(house, operation, "owner", {}, headers={name: FORGED})
            assert told.status < 500 or told.status in (501, 503), (name, told.content)
            assert "x-forged" not in told.headers
        ask(house, operation, "owner", {}, path="/models/x\r\n2026 [info] forged\x1b[2J")
    told_lines = [line for line in lines if line["event"] == "request"]
    assert len(told_lines) == len(names) + 1
    for line in told_lines:
        for renderer in (structlog.dev.ConsoleRenderer(colors=False), structlog.processors.JSONRenderer()):
            text = str(renderer(None, "info", dict(line)))
            assert "\n" not in text
            assert "\r" not in text
            assert "\x1b" not in text


def test_a_key_on_the_console_and_a_session_in_the_wrong_organisation(house: House) -> None:
    world = house.world
    mine = world.on_console["owner"]
    good = house.ask("GET", "/models", "", {**mine, "X-Linocut-Organization": world.owner.organization_id})
    theirs = house.ask("GET", "/models", "", {**mine, "X-Linocut-Organization": world.stranger.organization_id})
    never = house.ask("GET", "/models", "", {**mine, "X-Linocut-Organization": ABSENT})
    assert (good.status, theirs.status, never.status) == (200, 401, 401)
    assert theirs.content == never.content
    assert theirs.statements == never.statements


NULS = {
    "an id": ("GET", "/models/a\x00b", b"", 404),
    "a search": ("GET", "/datasets?search=a%00b", b"", 400),
    "a prompt": ("POST", "/v1/ideogram-v3/generate", b'{"prompt": "a\\u0000b"}', 400),
    "deep in a prompt": (
        "POST",
        "/v1/ideogram-v4/generate",
        b'{"json_prompt": {"high_level_description": "a\\u0000b"}}',
        400,
    ),
    "a uri": (
        "POST",
        "/v1/ideogram-v3/generate",
        b'{"prompt": "a", "custom_model_uri": "model/a\\u0000b/version/1"}',
        400,
    ),
}


@pytest.mark.parametrize("case", list(NULS))
def test_a_nul_reaches_no_database(house: House, case: str) -> None:
    """PostgreSQL refuses one in any text, which would be a fault of ours."""
    method, address, body, status = NULS[case]
    path, _, query = address.partition("?")
    told = house.ask(method, path, query, house.world.on_api["owner"], body, "application/json" if body else "")
    assert told.status == status
    if status == 400:
        assert b"holds the character U+0000" in told.content
    else:
        assert told.content == house.ask(method, f"/models/{ABSENT}", "", house.world.on_api["owner"]).content
