"""Stored files that are gone, over HTTP: a fault of the server with a request id, in the log, and told to the owner."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog
from tests.api.live import Account, Live
from tests.walks.steps import V3_GENERATE, model, ok, trained

from linocut.accounts.types import Caller
from linocut.custom_models.service import weights_of as adapter_of
from linocut.db.tables import assets, images
from linocut.observe import set_up_logs
from linocut.storage.keys import blob_key
from linocut.workers import inventory

Logged = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Iterator[Logged]:
    """The lines that tell of a lost file, since the last look."""
    set_up_logs(as_json=True)
    yield lambda: [
        line
        for line in map(json.loads, filter(lambda text: text.startswith("{"), capfd.readouterr().err.splitlines()))
        if line.get("code") == "lost" and line["event"] == "failed"
    ]
    structlog.reset_defaults()


def place(live: Live, sha256: str) -> Path:
    return live.settings.data / "store" / blob_key(sha256)


def is_told(answer: httpx2.Response, sha256: str, logged: Logged) -> None:
    """500 with a request id, under which one line of the log names the file."""
    assert answer.status_code == 500, answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert sha256 not in answer.text
    lines = [line for line in logged() if line["request_id"] == answer.json()["request_id"]]
    assert len(lines) == 1, lines
    assert sha256 in str(lines[0]["details"])


def test_the_weights_of_a_model(live: Live, account: Account, logged: Logged) -> None:
    done = trained(account)
    who = Caller(account.user_id, account.organization_id, account.api_key_id)
    with live.runtime.db.read() as tx:
        sha256 = adapter_of(tx, who, done["model_id"]).sha256
    kept = place(live, sha256).read_bytes()
    place(live, sha256).unlink()
    is_told(account.http.get(f"/models/{done['model_id']}/weights"), sha256, logged)
    lost = model(account, done["model_id"])
    assert (lost["status"], lost["is_available_for_generation"]) == ("COMPLETED", False)
    assert "missing in the server's store" in lost["x_linocut"]["notes"][0]
    (listed,) = ok(account.http.get("/models"))["models"]
    assert listed["is_available_for_generation"] is False
    assert listed["x_linocut"]["notes"] == lost["x_linocut"]["notes"]
    asked = {"prompt": "a cat", "custom_model_uri": done["custom_model_uri"]}
    refused = account.http.post(V3_GENERATE, json=asked)
    assert refused.status_code == 500
    assert "weights of this custom model" in refused.json()["error"]
    assert logged()[-1]["request_id"] == refused.json()["request_id"]

    live.runtime.store.put(kept)
    assert done["model_id"] in inventory.look_for_lost(live.runtime.db, live.runtime.store)
    healed = model(account, done["model_id"])
    assert healed["is_available_for_generation"] is True
    assert "notes" not in healed["x_linocut"]
    ok(account.http.post(V3_GENERATE, json=asked))
    assert account.http.get(f"/models/{done['model_id']}/weights").content == kept


def test_a_model_whose_weights_are_lost_fails_at_the_worker_first(live: Live, account: Account, logged: Logged) -> None:
    done = trained(account)
    who = Caller(account.user_id, account.organization_id, account.api_key_id)
    with live.runtime.db.read() as tx:
        sha256 = adapter_of(tx, who, done["model_id"]).sha256
    place(live, sha256).write_bytes(b"rubbish")
    answer = account.http.post(V3_GENERATE, json={"prompt": "a cat", "custom_model_uri": done["custom_model_uri"]})
    assert answer.status_code == 500
    assert logged()[-1]["request_id"] == answer.json()["request_id"]
    assert model(account, done["model_id"])["is_available_for_generation"] is False


@pytest.mark.parametrize("other", [None, b"rubbish"])
def test_a_picture_and_an_image(
    live: Live, account: Account, dataset_id: str, logged: Logged, other: bytes | None
) -> None:
    drawn = ok(account.http.post(V3_GENERATE, json={"prompt": f"a cat {other!r}"}))["data"][0]
    image_id = drawn["url"].partition("/ephemeral/")[2].partition(".png")[0]
    with live.runtime.db.read() as tx:
        picture = tx.execute(assets.select().where(assets.c.dataset_id == dataset_id).limit(1)).one()
        image = tx.execute(images.select().where(images.c.image_id == image_id)).one()
    for sha256, url in (
        (picture.image_sha256, f"/datasets/{dataset_id}/assets/{picture.asset_id}"),
        (image.image_sha256, drawn["url"]),
    ):
        kept = place(live, sha256).read_bytes()
        place(live, sha256).unlink() if other is None else place(live, sha256).write_bytes(other)
        is_told(account.http.get(url), sha256, logged)
        live.runtime.store.put(kept)
        assert account.http.get(url).content == kept
