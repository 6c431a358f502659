"""What holds for every operation there is, and for every published one that is not built yet."""

import json
from collections.abc import Iterator

import pytest
from tests.api.every import ALL, OPERATIONS, UNBUILT, WITH_BODY, WITH_KEY, address, asked, body_of, label, tell
from tests.api.live import Account, Live, signed_in
from tests.contract.answers import check_error

from linocut.api.app import create_app
from linocut.api.edge import Edge
from linocut.api.operation import Draws, Operation

VERBS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
WRONG_KEYS = [
    {}, {"Api-Key": ""}, {"Api-Key": "lino_" + "x" * 43}, {"Api-Key": "not a key"}, {"Authorization": "Basic bGlubw=="},
    {"Authorization": "Bearer"}, {"Api-Key": "é" * 10},
]  # fmt: skip


@pytest.fixture(scope="module")
def app(live: Live) -> Iterator[Edge]:
    """The application without a server in front of it, on the same database."""
    return create_app(live.runtime)


@pytest.mark.parametrize("headers", WRONG_KEYS, ids=str)
def test_a_stranger_is_told_before_the_body_is_read(app: Edge, headers: dict[str, str]) -> None:
    """A gigabyte is announced and not a byte of it comes: whoever waits for it waits for ever."""
    bodies = set()
    for operation in WITH_KEY:
        announced = {"Content-Length": "1000000000", "Content-Type": operation.encodings[0], **headers}
        told = tell(app, operation.method, address(operation), announced)
        assert (label(operation), told.status) == (label(operation), 401)
        bodies.add((operation.is_console, told.content))
    assert len(bodies) == 2, "the same sentence everywhere, and another one on /manage"


def test_what_is_not_built_says_so_without_reading_the_body(app: Edge, account: Account) -> None:
    for operation in UNBUILT:
        headers = {
            "Api-Key": account.api_key,
            **signed_in(account.token),
            "Content-Length": "1000000000",
            "Content-Type": "application/json",
        }
        for path in (address(operation), f"{address(operation)}/"):
            told = tell(app, operation.method, path, headers)
            assert told.status == 501
            error = json.loads(told.content)
            check_error(501, error)
            assert error["error"].startswith(f"{label(operation)} is published, but this server cannot do it yet")


@pytest.mark.parametrize("operation", OPERATIONS, ids=label)
def test_what_is_built_is_not_said_to_be_missing(app: Edge, operation: Operation) -> None:
    assert label(operation) not in {label(one) for one in UNBUILT}


def test_other_verbs_are_told_which_ones_there_are(app: Edge) -> None:
    for path in {operation.path for operation in ALL}:
        there = {one.method for one in ALL if one.path == path}
        if any(one.answers_head and one.method == "GET" for one in ALL if one.path == path):
            there.add("HEAD")
        for verb in set(VERBS) - there:
            told = tell(app, verb, path.replace("{", "").replace("}", ""), {})
            assert (path, told.status, told.headers["allow"]) == (path, 405, ", ".join(sorted(there)))


def test_a_typo_is_not_found(app: Edge, account: Account) -> None:
    for operation in ALL:
        for path in (f"{address(operation)}x/y/z", f"/x{address(operation)}", f"{address(operation)}//"):
            told = tell(app, operation.method, path, {"Api-Key": account.api_key})
            assert (path, told.status) == (path, 404)


def test_an_id_of_nothing_is_not_found(account: Account) -> None:
    for operation in OPERATIONS:
        if operation.key_needed and "{" in operation.path:
            told = account.http.request(operation.method, address(operation), **body_of(operation))
            assert (label(operation), told.status_code) == (label(operation), 404)


ANSWERED = [one for one in WITH_BODY if one.encodings[0] == "application/json" and not isinstance(one.does, Draws)]
"""Nothing draws here: what waits for images is tried in the walks (test_legacy.py, test_encodings.py)."""


@pytest.mark.parametrize("operation", ANSWERED, ids=label)
def test_a_field_that_nobody_knows_is_ignored_or_refused_by_its_name(
    live: Live, account: Account, operation: Operation
) -> None:
    """Refused where the request says so (training, the console); and then before anything is looked up."""
    body = body_of(operation)["json"]
    assert operation.body is not None
    told = account.http.request(operation.method, asked(operation), json={**body, "wandb_project": "x"})
    if operation.body.__struct_config__.forbid_unknown_fields:
        assert told.status_code == 400
        assert told.json()["error"].startswith("This request has no field 'wandb_project'")
        assert all(name in told.json()["error"] for name in operation.body.__struct_fields__)
    else:
        another = live.account()  # a first password, say, is set once
        plain = another.http.request(operation.method, asked(operation), json=body)
        assert told.status_code == plain.status_code
        assert "wandb_project" not in told.text


@pytest.mark.parametrize("operation", WITH_BODY, ids=label)
def test_a_body_of_another_kind_is_refused_by_name(account: Account, operation: Operation) -> None:
    """In the snapshot of the key a missing thing is noticed first, where its files would be many."""
    for kind in ("text/plain", "image/png"):
        told = account.http.request(operation.method, address(operation), content=b"x", headers={"Content-Type": kind})
        if operation.before is None:
            assert told.status_code == 400
            assert all(encoding in told.json()["error"] for encoding in operation.encodings)
        else:
            assert told.status_code == 404


def test_training_and_the_console_alone_refuse_names_that_nobody_knows() -> None:
    """What is misspelled there costs hours, or rights: a key that may do everything, a limit that is lifted."""
    strict = {label(one) for one in WITH_BODY if one.body and one.body.__struct_config__.forbid_unknown_fields}
    expected = [one for one in WITH_BODY if one.path.startswith("/manage/") or "train" in one.path]
    assert strict == {label(one) for one in WITH_BODY if one in expected or one.path.endswith("/promote")}


def test_a_training_number_on_the_plain_route_is_refused_before_the_pictures_are_counted(account: Account) -> None:
    dataset_id = account.http.post("/datasets", json={"name": "empty"}).json()["dataset_id"]
    for path in ("/v1/ideogram-v3/train-model", "/v1/ideogram-v4/train-model"):
        body = {"dataset_id": dataset_id, "model_name": "Tea posters"}
        assert "0 pictures" in account.http.post(path, json=body).json()["error"]
        for field, value in {"training_steps": 200, "lora_rank": 64, "trainin_steps": 1, "batch_size": 4}.items():
            told = account.http.post(path, json={**body, field: value})
            assert told.status_code == 400
            assert told.json()["error"].startswith(f"This request has no field '{field}'")
        told = account.http.post(f"{path}-advanced", json={**body, "training_step": 200})
        assert "training_steps" in told.json()["error"]
        assert told.json()["error"].startswith("This request has no field 'training_step'")
