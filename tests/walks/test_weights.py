"""A model's weights: a safetensors file by its content's hash."""

import hashlib
import json

import pytest
from tests.api.live import Account, Live
from tests.walks.steps import fill, train, trained


def test_weights_are_a_safetensors_file_named_by_its_hash(account: Account) -> None:
    path = f"/models/{trained(account)['model_id']}/weights"
    answer = account.http.get(path, params={"format": "diffusers"})
    assert answer.status_code == 200
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    assert answer.headers["content-disposition"].endswith('.safetensors"')
    assert int(answer.headers["content-length"]) == len(answer.content)
    header = json.loads(answer.content[8 : 8 + int.from_bytes(answer.content[:8], "little")])
    assert any(name.endswith(".lora_A.weight") for name in header)
    assert account.http.get(path).content == answer.content

    for known in (answer.headers["etag"], f"W/{answer.headers['etag']}", f'"other", {answer.headers["etag"]}', "*"):
        again = account.http.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == answer.headers["etag"]
    assert account.http.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    head = account.http.head(path)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", answer.headers["etag"])


@pytest.mark.parametrize("form", ["kohya", "gguf", "DIFFUSERS"])
def test_another_format_is_refused(account: Account, form: str) -> None:
    answer = account.http.get("/models/none/weights", params={"format": form})
    assert answer.status_code == 400
    assert "format must be one of diffusers" in answer.json()["error"]


def test_there_are_none_before_the_training_has_ended(idle: Live) -> None:
    account = idle.account()
    model_id = train(account, fill(account))
    assert account.http.get(f"/models/{model_id}/weights").status_code == 409
    account.http.post(f"/models/{model_id}/cancel")
    assert account.http.get(f"/models/{model_id}/weights").status_code == 409
