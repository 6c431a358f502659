"""A model's weights: a safetensors file by its content's hash, as it is stored or for another program."""

import hashlib
import json
from typing import Any

import pytest
from tests.api.live import Account, Live
from tests.walks.steps import fill, train, trained

from linocut.lora_files.foreign import read_foreign


def header_of(data: bytes) -> dict[str, Any]:
    return dict(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]))


def test_weights_are_a_safetensors_file_named_by_its_hash(account: Account) -> None:
    path = f"/models/{trained(account)['model_id']}/weights"
    answer = account.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    assert answer.headers["content-disposition"].endswith('.safetensors"')
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert any(name.endswith(".lora_A.weight") for name in header_of(answer.content))

    for known in (answer.headers["etag"], f"W/{answer.headers['etag']}", f'"other", {answer.headers["etag"]}', "*"):
        again = account.http.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == answer.headers["etag"]
    assert account.http.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    head = account.http.head(path)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", answer.headers["etag"])


KEYS = {
    "diffusers": "transformer.layers.0.attention.to_q.lora_A.weight",
    "comfyui": "diffusion_model.layers.0.attention.to_q.lora_A.weight",
    "kohya": "lora_unet_layers_0_attention_to_q.lora_down.weight",
}
"""The fake engine's adapter covers one linear of three, so it stays under its own name."""


@pytest.mark.parametrize("layout", list(KEYS))
def test_weights_come_in_the_layout_of_another_program(account: Account, layout: str) -> None:
    model = trained(account, "Night posters")
    path = f"/models/{model['model_id']}/weights"
    stored = account.http.get(path)
    answer = account.http.get(path, params={"format": layout})
    assert answer.status_code == 200
    assert answer.content == account.http.get(path, params={"format": layout}).content
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["etag"] == f'{stored.headers["etag"][:-1]}-{layout}"'
    assert answer.headers["content-disposition"].endswith(f'-{layout}.safetensors"')
    header = header_of(answer.content)
    assert KEYS[layout] in header
    assert header["__metadata__"]["modelspec.title"] == "Night posters"
    assert header["__metadata__"]["modelspec.date"] == model["creation_time"]
    again = account.http.get(path, params={"format": layout}, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = account.http.get(path, params={"format": layout}, headers={"If-None-Match": stored.headers["etag"]})
    assert other.status_code == 200, "another layout is another file"

    before = json.loads(header_of(stored.content)["__metadata__"]["linocut"])
    targets = {"layers.0.attention.to_q": (192, 192)}
    back = read_foreign(answer.content, before["base"], targets)
    assert back.stored_bytes() == stored.content


@pytest.mark.parametrize("form", ["a1111", "gguf", "DIFFUSERS"])
def test_another_format_is_refused(account: Account, form: str) -> None:
    answer = account.http.get("/models/none/weights", params={"format": form})
    assert answer.status_code == 400
    assert "format must be one of comfyui, diffusers, kohya" in answer.json()["error"]


def test_there_are_none_before_the_training_has_ended(idle: Live) -> None:
    account = idle.account()
    model_id = train(account, fill(account))
    assert account.http.get(f"/models/{model_id}/weights").status_code == 409
    account.http.post(f"/models/{model_id}/cancel")
    for form in ({}, {"format": "kohya"}):
        assert account.http.get(f"/models/{model_id}/weights", params=form).status_code == 409
