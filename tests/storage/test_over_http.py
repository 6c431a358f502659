"""The whole walk, the hourly cleaning, and the store's faults, over HTTP, on a folder and on a real S3."""

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.api.live import Account, Live, running
from tests.api.pictures import png
from tests.storage.relay import Relay
from tests.storage.store_fixtures import BUCKET, Swift, be_patient
from tests.walks.steps import FEWEST, V3_GENERATE, fill, finish, model, ok, train, trained

from linocut.api import call
from linocut.ids import now
from linocut.storage.keys import blob_key
from linocut.workers.housekeeping import Housekeeping

LATER = timedelta(days=2)
MUCH_LATER = timedelta(days=30)


@pytest.fixture
def live(store_url: str, tmp_path: Path) -> Iterator[Live]:
    """A server with a worker; its store is the test's own."""
    with running(tmp_path, storage_url=store_url, min_training_images=FEWEST) as server, server.working():
        yield server


@pytest.fixture
def account(live: Live) -> Account:
    return live.account()


def stored(live: Live) -> set[str]:
    return {sha256 for sha256, _ in live.runtime.store.listing()}


def clean(live: Live, later: timedelta) -> None:
    """What the supervisor does every hour, so much later."""
    chores = Housekeeping(live.settings)
    try:
        chores.clean(now() + later)
    finally:
        chores.close()


def damage(live: Live, sha256: str) -> bytes:
    """Other bytes in the place of a blob."""
    data = b"mud" * 1000
    live.runtime.store._backend.write(blob_key(sha256), data)
    return data


def test_pictures_in_a_model_trained_an_image_out(live: Live, account: Account) -> None:
    done = trained(account)
    drawn = ok(account.http.post(V3_GENERATE, json={"prompt": "x", "custom_model_uri": done["custom_model_uri"]}))
    image = live.public.get(drawn["data"][0]["url"])
    assert (image.status_code, image.headers["content-type"]) == (200, "image/png")
    weights = account.http.get(f"/models/{done['model_id']}/weights")
    assert weights.status_code == 200
    assert weights.headers["etag"].strip('"') in stored(live)


@pytest.mark.long
def test_a_deleted_dataset_s_pictures_leave_the_store(live: Live, account: Account) -> None:
    dataset_id, kept = fill(account), fill(account, 2)
    assert len(stored(live)) == FEWEST  # the second has two of the same pictures
    ok_nothing = account.http.delete(f"/datasets/{dataset_id}")
    assert ok_nothing.status_code == 204
    clean(live, timedelta(hours=23))
    assert len(stored(live)) == FEWEST
    clean(live, LATER)
    assert len(stored(live)) == 2
    assert ok(account.http.get(f"/datasets/{kept}"))["file_count"] == 2
    assert account.http.delete(f"/datasets/{kept}").status_code == 204
    clean(live, LATER)
    assert stored(live) == set()


@pytest.mark.long
def test_what_models_and_links_need_stays_and_what_ended_goes(live: Live, account: Account) -> None:
    dataset_id = fill(account)
    pictures = stored(live)
    done = finish(account, train(account, dataset_id))
    adapter = account.http.get(f"/models/{done['model_id']}/weights").headers["etag"].strip('"')
    link = ok(account.http.post(V3_GENERATE, json={"prompt": "a pot"}))["data"][0]["url"]
    assert account.http.delete(f"/datasets/{done['dataset_id']}").status_code == 204
    before = {sha256: live.runtime.store.get(sha256) for sha256 in stored(live)}
    clean(live, LATER)
    assert live.public.get(link).status_code == 200
    left = stored(live)
    assert len(pictures) == FEWEST
    assert pictures.isdisjoint(left)  # the run has ended: nothing needs the dataset's pictures any more
    others = [data for sha256, data in before.items() if sha256 not in left | pictures]
    assert not [data for data in others if data.startswith(b"\x89PNG")]  # checkpoints that better ones pushed out
    assert adapter in left
    clean(live, MUCH_LATER)
    assert live.public.get(link).status_code == 404
    assert account.http.get(f"/models/{done['model_id']}/weights").status_code == 200
    events = account.http.get(f"/models/{done['model_id']}/events").text
    assert "event: status" in events
    assert "event: preview" in events
    assert "event: progress" not in events
    assert ok(account.http.get("/models"))["models"][0]["status"] == "COMPLETED"


def test_a_damaged_image_is_never_sent(live: Live, account: Account) -> None:
    drawn = ok(account.http.post(V3_GENERATE, json={"prompt": "a pot"}))["data"][0]
    (sha256,) = stored(live)
    mud = damage(live, sha256)
    answer = live.public.get(drawn["url"])
    assert answer.status_code == 500
    assert "damaged" in answer.json()["error"]
    assert mud not in answer.content


def test_damaged_weights_are_never_sent_nor_drawn_with(live: Live, account: Account) -> None:
    done = trained(account)
    weights = f"/models/{done['model_id']}/weights"
    damage(live, account.http.get(weights).headers["etag"].strip('"'))
    assert account.http.get(weights).status_code == 500
    body = {"prompt": "x", "custom_model_uri": done["custom_model_uri"]}
    refused = account.http.post(V3_GENERATE, json=body)
    assert refused.status_code == 500
    assert "damaged" in refused.json()["error"]
    assert ok(account.http.post(V3_GENERATE, json={"prompt": "x"}))["data"]  # the worker is well


@pytest.mark.long
def test_a_run_on_damaged_pictures_ends_with_a_sentence(live: Live, account: Account) -> None:
    dataset_id = fill(account)
    for sha256 in stored(live):
        damage(live, sha256)
    failed = finish(account, train(account, dataset_id))
    assert failed["status"] == "ERRORED"
    assert failed["x_linocut"]["error"].endswith(".")
    assert ok(account.http.post(V3_GENERATE, json={"prompt": "x"}))["data"]


@pytest.fixture
def relay(swift: Swift, monkeypatch: pytest.MonkeyPatch) -> Relay:
    relay = Relay(swift.port)
    for name, value in swift.environment(port=relay.port).items():
        monkeypatch.setenv(name, value)
    be_patient(monkeypatch)
    return relay


@pytest.fixture
def afar(relay: Relay, tmp_path: Path) -> Iterator[Live]:
    """A server whose store may go away."""
    url = f"s3://{BUCKET}/{os.urandom(8).hex()}"
    with running(tmp_path, storage_url=url, min_training_images=FEWEST) as server, server.working():
        yield server


@pytest.mark.long
def test_a_store_that_is_gone_is_a_503_and_is_used_again_at_once(afar: Live, relay: Relay) -> None:
    account = afar.account()
    dataset_id = fill(account)
    link = ok(account.http.post(V3_GENERATE, json={"prompt": "a pot"}))["data"][0]["url"]
    upload = f"/datasets/{dataset_id}/upload_assets"
    relay.go_away()
    answers = [
        account.http.post(upload, files={"files": ("new.png", png(77))}),
        afar.public.get(link),
        account.http.post(V3_GENERATE, json={"prompt": "a pot"}),
    ]
    for answer in answers:
        assert answer.status_code == 503, answer.text
        assert 1 <= int(answer.headers["retry-after"]) <= 10
        assert "object store does not answer" in answer.json()["error"]
    assert ok(account.http.get(f"/datasets/{dataset_id}"))["file_count"] == FEWEST
    relay.come_back()
    assert afar.public.get(link).status_code == 200  # nothing remembers that it was gone
    assert ok(account.http.post(upload, files={"files": ("new.png", png(77))}))["success_count"] == 1
    assert ok(account.http.post(V3_GENERATE, json={"prompt": "a pot"}))["data"]


@pytest.mark.long
def test_a_run_outlives_a_store_that_goes_away(afar: Live, relay: Relay) -> None:
    account = afar.account()
    dataset_id = fill(account)
    relay.go_away()
    model_id = train(account, dataset_id)
    time.sleep(1.0)  # long enough for it to fail, if it were to
    assert model(account, model_id)["status"] in ("CREATING", "TRAINING")
    relay.come_back()
    assert finish(account, model_id, 120)["status"] == "COMPLETED"


@pytest.mark.long
def test_a_store_that_is_slow_holds_up_nobody_for_long(
    afar: Live, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = afar.account()
    link = ok(account.http.post(V3_GENERATE, json={"prompt": "a pot"}))["data"][0]["url"]
    monkeypatch.setattr(call, "STORE_SECONDS", 0.5)
    relay.silent = True
    answer = afar.public.get(link)
    assert answer.status_code == 503
    assert "too slow" in answer.json()["error"]
    assert ok(account.http.get("/datasets")) == {"datasets": []}
    relay.go_away()
