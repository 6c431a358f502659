"""Operations are found in their folder; and the whole of what it takes to add one."""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api.every import OPERATIONS, UNBUILT, label
from tests.api.live import Live, running
from tests.api.pictures import png
from tests.contract.documents import THEIRS
from tests.walks.steps import ok

import linocut.api.routes
from linocut.api import serve
from linocut.api.app import create_app
from linocut.api.discovery import address_of, operations_in
from linocut.api.operation import Operation, Reads, Writes
from linocut.api.published import PUBLISHED
from linocut.wire import CreateDatasetRequest

ROUTES = Path(linocut.api.routes.__file__).parent
SKETCH = "/v1/ideogram-v3/sketch"


@pytest.mark.parametrize(
    ("place", "address"),
    [
        ("", "/"),
        (".datasets", "/datasets"),
        (".datasets._dataset_id.upload_assets", "/datasets/{dataset_id}/upload_assets"),
        (".datasets._dataset_id.assets._asset_id.caption", "/datasets/{dataset_id}/assets/{asset_id}/caption"),
        (".v1.ideogram_v3.train_model_advanced", "/v1/ideogram-v3/train-model-advanced"),
        (".v1.generations._generation_id", "/v1/generations/{generation_id}"),
        (".manage.api.api_keys_v2", "/manage/api/api_keys_v2"),
        (".openapi__json", "/openapi.json"),
        (".v1.__well_known", "/v1/.well-known"),
        (".api.images.ephemeral._image_id__png", "/api/images/ephemeral/{image_id}.png"),
    ],
)
def test_a_file_s_place_is_its_address(place: str, address: str) -> None:
    assert address_of(place) == address


def test_every_published_address_has_a_place() -> None:
    """The rule is one to one for all that is published: no operation needs a way around it."""
    for name in PUBLISHED:
        _, _, path = name.partition(" ")
        place = "".join(f".{part.replace('-', '_').replace('{', '_').replace('}', '')}" for part in path[1:].split("/"))
        assert address_of(place) == path


def test_no_address_has_two_operations_and_no_name_is_used_twice() -> None:
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


def test_no_file_of_routes_is_overlooked() -> None:
    """A folder without ``__init__.py``, or a constant that is not called as a method is, would vanish."""
    assert [folder for folder in ROUTES.rglob("*") if folder.is_dir() and list(folder.glob("*.py"))
            and not (folder / "__init__.py").exists()] == []  # fmt: skip
    made = re.compile(r"^(?:GET|POST|PUT|PATCH|DELETE) = ", re.MULTILINE)
    written = sum(len(made.findall(file.read_text())) for file in ROUTES.rglob("*.py"))
    assert written == len(OPERATIONS)


def test_the_published_operations_are_the_contract_s() -> None:
    assert list(PUBLISHED) == sorted(THEIRS)
    assert {label(one) for one in UNBUILT} == set(THEIRS) - {label(one) for one in OPERATIONS}


WIRE_AND_ROUTE = '''"""/v1/ideogram-v3/sketch: an image from an image and a prompt."""

from dataclasses import replace
from typing import Annotated

import msgspec

from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import generate
from linocut.api.intake import inputs_of, take_picture
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import ask_v3
from linocut.api.translate.images import answer_v3
from linocut.generation.types import GenerateAsk
from linocut.wire import GenerateImageRequestV3, ImageGenerationResponseV3
from linocut.wire.generation import Picture
from linocut.wire.types import not_yet


class SketchRequestV3(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v3/sketch``."""

    image: Picture
    prompt: str
    image_weight: Annotated[int, not_yet()] = 50


async def take(call: Call, ask: SketchRequestV3) -> GenerateAsk:
    image = await take_picture(call, "image", ask.image)
    return replace(ask_v3(GenerateImageRequestV3(prompt=ask.prompt)), inputs=inputs_of(image=image), notes=image.notes)


POST = Operation(
    "post_sketch_v3", "Sketch a picture", "generate", Draws(generate, answer_v3, take),
    body=SketchRequestV3, encodings=(MULTIPART,), answer=ImageGenerationResponseV3,
)
'''


@pytest.fixture(scope="module")
def remixing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with one operation more, which stands in one file of a folder of its own and nowhere else."""
    folder = tmp_path_factory.mktemp("more")
    place = folder / "more_routes" / "v1" / "ideogram_v3"
    place.mkdir(parents=True)
    for package in (place, place.parent, place.parent.parent):
        (package / "__init__.py").write_text('"""Addresses."""\n')
    (place / "sketch.py").write_text(WIRE_AND_ROUTE)
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(folder))
        operations = (*OPERATIONS, *operations_in(importlib.import_module("more_routes")))
        patched.setattr(serve, "create_app", lambda runtime: create_app(runtime, operations))
        with running(folder / "server") as live, live.working():
            yield live
    for module in [name for name in sys.modules if name.startswith("more_routes")]:
        del sys.modules[module]


def test_an_operation_is_one_file(remixing: Live) -> None:
    """What holds for every operation holds for it, and its file says nothing of any of that."""
    account, good = remixing.account(), {"image": ("a.png", png(1)), "prompt": (None, "tea")}
    drawn = ok(account.http.post(SKETCH, files=good))
    assert len(drawn["data"]) == 1
    assert remixing.public.get(drawn["data"][0]["url"]).headers["content-type"] == "image/png"
    assert remixing.public.post(SKETCH, files=good).status_code == 401
    told = account.http.get(SKETCH)
    assert (told.status_code, told.headers["allow"]) == (405, "POST")
    for files, words in [
        ({"prompt": (None, "tea")}, "image is required"),
        ({**good, "image_weight": (None, "70")}, "image_weight is not supported by this server yet"),
        ({**good, "mask": ("m.png", png(2))}, f"{SKETCH} has no field mask"),
        ({"image": (None, ""), "prompt": (None, "tea")}, "image is required"),
    ]:
        told = account.http.post(SKETCH, files=files)
        assert told.status_code == 400
        assert words in told.json()["error"]
    assert list((remixing.settings.data / "spool").iterdir()) == []


def test_its_key_its_description_and_its_page_come_by_themselves(remixing: Live) -> None:
    account, good = remixing.account(), {"image": ("a.png", png(1)), "prompt": (None, "tea")}
    headers = {"Idempotency-Key": "k"}
    first = account.http.post(SKETCH, files=good, headers=headers)
    assert ok(first) == ok(account.http.post(SKETCH, files=good, headers=headers))
    other = {**good, "image": ("a.png", png(2))}
    assert "another body" in account.http.post(SKETCH, files=other, headers=headers).json()["error"]
    described = json.loads(remixing.public.get("/openapi.json").text)["paths"][SKETCH]["post"]
    assert described["operationId"] == "post_sketch_v3"
    assert set(described["responses"]) >= {"200", "400", "401", "402", "404", "413", "422", "429", "500", "503"}
    page = remixing.public.get("/docs").text
    assert 'id="post_sketch_v3"' in page
    assert "-F image=@picture.png" in page
    assert (f"{len(UNBUILT)} operations" in page) == bool(UNBUILT)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"does": Reads(lambda *_: None), "key_needed": False}, "only what Serves may be for everybody"),
        ({"does": Reads(lambda *_: None), "body": CreateDatasetRequest}, "takes no body"),
        ({"does": Writes(lambda *_: None), "answer": "image/png"}, "answers with a struct"),
    ],
)
def test_an_operation_that_cannot_be_carried_out_is_told_at_the_start(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Operation("wrong", "Wrong", "server", **wrong)
