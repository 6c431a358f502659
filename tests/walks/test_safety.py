"""What is refused and withheld, over HTTP: prompts, pictures of requests, pictures of datasets, drawn images."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select
from tests.api.live import Account, Live, running
from tests.engine.tiny_onnx import reddish
from tests.walks.steps import ok

from linocut.api import serve
from linocut.db.tables import images
from linocut.errors import InvalidRequest
from linocut.parent import EXIT_UNFIT
from linocut.settings import Settings
from linocut.workers import process

COMPONENT = "reddish.onnx"


def png(colour: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (48, 48), colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server whose classifier takes red for unsafe."""
    folder = tmp_path_factory.mktemp("judged")
    (folder / COMPONENT).write_bytes(reddish())
    with running(folder, safety_pictures="required", safety_model=str(folder / COMPONENT)) as server, server.working():
        yield server


def said(response: Any) -> Any:
    return response.json()["x_linocut"]["safety"]


def test_a_refused_prompt_is_422_and_says_by_which_rule(live: Live, account: Account) -> None:
    for path, body in (
        ("/v1/ideogram-v3/generate", {"prompt": "a naked child"}),
        ("/v1/ideogram-v4/magic-prompt", {"text_prompt": "a n4ked child"}),
    ):
        response = account.http.post(path, json=body)
        assert response.status_code == 422
        error = "Prompt provided failed safety check due to the inclusion of prohibited content."
        assert response.json()["error"] == error
        expected = {"component": "prompt-rules", "verdict": "refused", "reason": "sexual content with minors"}
        assert said(response) == expected


def test_an_input_picture_is_judged(judged: Live) -> None:
    account = judged.account()
    for path, field, fields in (
        ("/v1/ideogram-v3/remix", "image", {"prompt": "tea"}),
        ("/upscale", "image_file", {"image_request": "{}"}),
    ):
        texts = {name: (None, text) for name, text in fields.items()}
        ok(account.http.post(path, files={field: ("a.png", png("green")), **texts}))
        response = account.http.post(path, files={field: ("a.png", png("red")), **texts})
        assert response.status_code == 422
        assert response.json()["error"].startswith("Image provided failed safety check")
        assert said(response) == {"component": COMPONENT, "verdict": "refused", "reason": "the picture's content"}


def test_pictures_of_a_dataset_are_judged(judged: Live) -> None:
    account = judged.account()
    dataset = ok(account.http.post("/datasets", json={"name": "d"}))["dataset_id"]
    files = [("files", ("red.png", png("red"))), ("files", ("green.png", png("green")))]
    answer = ok(account.http.post(f"/datasets/{dataset}/upload_assets", files=files))
    [failed] = answer["failed_assets"]
    assert (failed["file_name"], failed["failure_reason"]) == ("red.png", "FAILED_SAFETY_CHECK")
    assert (answer["success_count"], answer["failure_count"]) == (1, 1)
    assert answer["x_linocut"]["safety"] == {"component": COMPONENT, "verdict": "passed"}
    assert ok(account.http.get(f"/datasets/{dataset}"))["file_count"] == 1


def test_a_drawn_image_that_is_unsafe_is_withheld(live: Live, account: Account) -> None:
    """HTTP 200; nothing of the picture is kept, so there is nothing to ask for."""
    before = live.runtime.db
    with before.read() as tx:
        kept = len(tx.execute(select(images.c.image_id)).all())
    answer = ok(account.http.post("/v1/ideogram-v3/generate", json={"prompt": "[unsafe] tea", "num_images": 2}))
    for one in answer["data"]:
        assert (one["url"], one["is_image_safe"]) == (None, False)
        safety = one["x_linocut"]["safety"]
        assert safety == {"component": "fake", "verdict": "withheld", "reason": "the picture's content"}
    with before.read() as tx:
        assert len(tx.execute(select(images.c.image_id)).all()) == kept
    fine = ok(account.http.post("/v1/ideogram-v3/generate", json={"prompt": "tea"}))["data"][0]
    assert fine["is_image_safe"] is True
    assert "safety" not in fine["x_linocut"]


def test_required_without_a_classifier_does_not_start(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = Settings(
        data=tmp_path / "d", engine="fake", safety_pictures="required", safety_model="/nowhere/net.onnx"
    )
    with pytest.raises(InvalidRequest, match="LINOCUT_SAFETY_MODEL names a file that is not there"):
        serve.run(settings)
    assert process.run(settings) == EXIT_UNFIT
    assert "LINOCUT_SAFETY_MODEL names a file that is not there" in "".join(capfd.readouterr())
