"""A client that a public generator makes from the contract runs every listed operation, unchanged.

Three clients: one from the contract as it is, and two from copies that the generator understands better: it knows
files by ``format: binary``, cannot express "one of two fields", and writes a module that cannot be imported where a
body has two encodings, so each copy keeps one of them. Neither the contract nor a client is ever edited.
"""

import importlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.api.live import Account, Live
from tests.api.pictures import png
from tests.contract.documents import CONTRACT, ROOT
from tests.marks import long_but
from tests.walks.steps import FEWEST

LEFT_OUT = {"over_json": "multipart/form-data", "over_form": "application/json"}
CLIENTS = ("published", *LEFT_OUT)


def _understood(schema: Any, left_out: str) -> Any:
    """The copy: files as the generator knows them, one encoding a body, no choice between fields of one object."""
    if isinstance(schema, list):
        return [_understood(item, left_out) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {key: _understood(value, left_out) for key, value in schema.items()}
    if "contentMediaType" in copy:
        copy["format"] = "binary"
    if len(copy.get("requestBody", {}).get("content", {})) > 1:
        del copy["requestBody"]["content"][left_out]
    if copy.get("type") == "object" and all(set(option) == {"required"} for option in copy.get("oneOf", [{}])):
        del copy["oneOf"]
    return copy


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A place on the import path, for all clients."""
    place = tmp_path_factory.mktemp("clients")
    (place / "settings.json").write_text('{"post_hooks": []}')
    sys.path.insert(0, str(place))
    yield place
    sys.path.remove(str(place))


def _generate(name: str, place: Path) -> None:
    """The client of that name; once, because it takes seconds."""
    if (place / name).is_dir():
        return
    document = ROOT / "contract" / "contract.json"
    if name in LEFT_OUT:
        document = place / f"{name}.json"
        document.write_text(json.dumps(_understood(CONTRACT, LEFT_OUT[name])))
    subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--path", str(document),
         "--output-path", str(place / name), "--config", str(place / "settings.json")],
        check=True, capture_output=True,
    )  # fmt: skip
    importlib.invalidate_caches()


class Generated:
    """One generated client, with a key."""

    def __init__(self, package: str, live: Live, account: Account) -> None:
        self.package = package
        client = self.module("client").AuthenticatedClient
        self.client = client(
            base_url=live.url, token=account.api_key, prefix="", auth_header_name="Api-Key",
            raise_on_unexpected_status=True,
        )  # fmt: skip

    def module(self, name: str) -> ModuleType:
        """One of the package's modules."""
        return importlib.import_module(f"{self.package}.{name}")

    def model(self, kind: str, /, **fields: Any) -> Any:
        """An object of the contract."""
        return getattr(self.module("models"), kind)(**fields)

    def call(self, operation: str, *path: str, **given: Any) -> Any:
        """The parsed 200 of an operation (``datasets.create_dataset``)."""
        answer = self.module(f"api.{operation}").sync_detailed(*path, client=self.client, **given)
        assert answer.status_code == 200, answer.content
        return answer.parsed

    def close(self) -> None:
        """Close its connections."""
        self.client.get_httpx_client().close()


@pytest.fixture(params=long_but(["over_form"], CLIENTS))
def generated(request: pytest.FixtureRequest, folder: Path, live: Live, account: Account) -> Iterator[Generated]:
    """Each of the clients."""
    _generate(request.param, folder)
    client = Generated(request.param, live, account)
    yield client
    client.close()


class _Bytes(str):
    """Bytes where the published client knows only text: it turns a file into text and encodes that."""

    content: bytes

    def __str__(self) -> str:
        return self

    def encode(self, *_: Any) -> bytes:  # type: ignore[override]
        return self.content


def _file(client: Generated, number: int) -> Any:
    content = png(number)
    if client.package in LEFT_OUT:
        return client.module("types").File(payload=BytesIO(content), file_name="blob", mime_type="image/jpeg")
    text = _Bytes()
    text.content = content
    return text


def _finished(client: Generated, model_id: str) -> Any:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        model = client.call("models.get_custom_model", model_id).model
        if model.status.value in ("COMPLETED", "ERRORED"):
            return model
        time.sleep(0.05)
    raise TimeoutError


def test_every_listed_operation(live: Live, generated: Generated) -> None:
    client = generated
    made = client.call("datasets.create_dataset", body=client.model("CreateDatasetRequest", name="generated"))
    dataset_id = made.dataset_id
    files = client.model("UploadDatasetAssetsRequest", files=[_file(client, number) for number in range(FEWEST)])
    report = client.call("datasets.upload_dataset_assets", dataset_id, body=files)
    assert (report.success_count, report.failed_assets) == (FEWEST, [])
    listed = client.call("datasets.list_datasets", search="GENER").datasets
    assert [one.dataset_id for one in listed] == [dataset_id]
    detail = client.call("datasets.get_dataset", dataset_id)
    assert (detail.file_count, len({file.file_name for file in detail.files})) == (FEWEST, FEWEST)

    trained = _train_on_every_route(client, dataset_id)
    uri = _finished(client, trained[0]).custom_model_uri
    assert re.fullmatch(r"model/generated-tea(-\d)?/version/1", uri)
    last = _finished(client, trained[-1])
    assert last.training_runs[0].training_steps == 100
    statuses = client.module("models").ModelStatus
    owned = client.call(
        "models.list_custom_models", scope=client.module("models").ListCustomModelsScope.OWNED,
        status=[statuses.COMPLETED, statuses.TRAINING, statuses.CREATING],
    ).models  # fmt: skip
    assert {model.model_id for model in owned} == set(trained)

    if client.package in LEFT_OUT:
        _draw_on_v3(live, client, uri)
        _draw_on_v4(live, client, uri)


def _draw_on_v3(live: Live, client: Generated, uri: str) -> None:
    asked = client.model(
        "GenerateImageRequestV3", prompt="a pot of tea", seed=5, num_images=2, custom_model_uri=uri,
        style_type=client.module("models").StyleTypeV3.FICTION,
    )  # fmt: skip
    images = client.call("generate.post_generate_image_v3", body=asked).data
    assert [image.seed for image in images] == [5, 6]
    assert live.public.get(images[0].url).headers["content-type"] == "image/png"


def _train_on_every_route(client: Generated, dataset_id: str) -> list[str]:
    plain = {"dataset_id": dataset_id, "model_name": "Generated tea"}
    numbers = {"training_steps": 100, "ema": 0.99, "learning_rate": 0.001}
    started = [
        client.call("models.train_model_v3", body=client.model("TrainModelV3Request", **plain)),
        client.call("beyond_nav.train_model_v4", body=client.model("TrainModelV4Request", **plain)),
        client.call(
            "datasets.train_dataset_model",
            dataset_id,
            body=client.model("TrainDatasetModelRequest", model_name="Generated tea"),
        ),
        client.call(
            "models.train_model_v3_advanced", body=client.model("TrainModelV3AdvancedRequest", **plain, **numbers)
        ),
        client.call(
            "beyond_nav.train_model_v4_advanced", body=client.model("TrainModelV4AdvancedRequest", **plain, **numbers)
        ),
    ]
    return [one.model_id for one in started]


def _draw_on_v4(live: Live, client: Generated, uri: str) -> None:
    parts = client.model("V4CompositionalDeconstruction", background="green", elements=[])
    prompt = client.model("V4JsonPrompt", high_level_description="tea", compositional_deconstruction=parts)
    for given in ({"json_prompt": prompt}, {"text_prompt": "a pot of tea"}):
        asked = client.model("GenerateImageRequestV4", seed=3, custom_model_uri=uri, **given)
        (image,) = client.call("generate.post_generate_image_v4", body=asked).data
        assert image.seed == 3
        assert live.public.get(image.url).status_code == 200


def test_refusals_are_read_as_what_they_are(generated: Generated) -> None:
    missing = generated.module("api.models.get_custom_model").sync_detailed("none", client=generated.client)
    assert missing.status_code == 404
    if generated.package not in LEFT_OUT:
        return
    unsafe = generated.model("GenerateImageRequestV3", prompt="a nude child")
    refused = generated.module("api.generate.post_generate_image_v3").sync_detailed(
        client=generated.client, body=unsafe
    )
    assert refused.status_code == 422
    assert "failed safety check" in refused.parsed.error
