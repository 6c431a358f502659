"""Every built route of the contract is described by our own OpenAPI as the contract publishes it, or wider."""

import json

import pytest
from tests.api.every import OPERATIONS, label
from tests.contract.documents import BUILT, CONTRACT, MINE, OURS, ROOT, THEIRS, Json
from tests.contract.schemas import answer_gaps, form, request_gaps, resolved

from linocut.api.operation import Operation

OURS_IN_ANSWERS = {"x_linocut", "message"}
"""Names beyond the contract. ``message`` is the sentence beside a refused file's reason, and of every error body."""

BUILT_FIRST = {
    "POST /datasets", "GET /datasets", "GET /datasets/{dataset_id}", "POST /datasets/{dataset_id}/upload_assets",
    "POST /datasets/{dataset_id}/train_model", "POST /v1/ideogram-v3/train-model",
    "POST /v1/ideogram-v3/train-model-advanced", "POST /v1/ideogram-v4/train-model",
    "POST /v1/ideogram-v4/train-model-advanced", "GET /models", "GET /models/{model_id}",
    "POST /v1/ideogram-v3/generate", "POST /v1/ideogram-v4/generate",
    "POST /v1/ideogram-v4/magic-prompt",
}  # fmt: skip


def test_what_is_built_stays_built() -> None:
    assert set(BUILT) >= BUILT_FIRST
    assert set(BUILT) == set(MINE) & set(THEIRS)


def test_what_is_ours_says_so() -> None:
    assert {name for name, operation in MINE.items() if operation.get("x-linocut")} == set(MINE) - set(THEIRS)


@pytest.mark.parametrize("name", BUILT)
def test_an_operation_has_its_published_name_and_key(name: str) -> None:
    assert MINE[name]["operationId"] == THEIRS[name]["operationId"]
    assert {"ApiKeyAuth": []} in MINE[name]["security"]


@pytest.mark.parametrize("name", BUILT)
def test_parameters_are_the_published_ones(name: str) -> None:
    published = {(p["in"], p["name"]): p for p in THEIRS[name].get("parameters", [])}
    ours = {(p["in"], p["name"]): p for p in MINE[name]["parameters"]}
    assert {place for place in ours if place[0] != "header"} == set(published)
    for place, parameter in published.items():
        assert ours[place]["required"] == parameter["required"]
        assert {key: ours[place].get(key) for key in ("style", "explode") if key in parameter} == {
            key: parameter[key] for key in ("style", "explode") if key in parameter
        }
        gaps = request_gaps(form(ours[place]["schema"], OURS), form(parameter["schema"], CONTRACT), place[1])
        assert gaps == []


@pytest.mark.parametrize("name", [name for name in BUILT if "requestBody" in THEIRS[name]])
def test_bodies_are_taken_in_every_published_encoding_with_every_published_field(name: str) -> None:
    published, ours = THEIRS[name]["requestBody"]["content"], MINE[name]["requestBody"]["content"]
    assert set(ours) == set(published)
    for encoding, content in published.items():
        gaps = request_gaps(form(ours[encoding]["schema"], OURS), form(content["schema"], CONTRACT), "body")
        assert gaps == []


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if label(one) in BUILT and one.body], ids=label)
def test_the_published_files_are_files_unless_they_are_not_acted_on_yet(operation: Operation) -> None:
    schema = next(iter(THEIRS[label(operation)]["requestBody"]["content"].values()))["schema"]
    fields = resolved(schema, CONTRACT)["properties"].items()
    published = {name for name, field in fields if "contentMediaType" in {**field, **field.get("items", {})}}
    content = next(iter(MINE[label(operation)]["requestBody"]["content"].values()))
    ours = resolved(content["schema"], OURS)["properties"]
    assert operation.files == {name for name in published if "x-not-supported-yet" not in ours[name]}


@pytest.mark.parametrize("name", [name for name in BUILT if "requestBody" not in THEIRS[name]])
def test_no_body_where_none_is_published(name: str) -> None:
    assert "requestBody" not in MINE[name]


def _schema(operation: Json, status: str) -> Json:
    schema: Json = operation["responses"][status]["content"]["application/json"]["schema"]
    return schema


@pytest.mark.parametrize("name", BUILT)
def test_every_published_status_is_answered_with_its_published_body(name: str) -> None:
    assert set(MINE[name]["responses"]) >= set(THEIRS[name]["responses"])
    for status in THEIRS[name]["responses"]:
        if status == "204":
            assert "content" not in MINE[name]["responses"][status]
            continue
        beyond = OURS_IN_ANSWERS
        if status != "200":  # errors are untyped, or typed by one field; what we send beside it is DECISIONS 2
            beyond = set(form(_schema(MINE[name], status), OURS).properties)
        ours, theirs = form(_schema(MINE[name], status), OURS), form(_schema(THEIRS[name], status), CONTRACT)
        if status in ("402", "429"):
            theirs.properties.pop("task_completion_speed")  # its type is unknown: not sent (DECISIONS 3)
        assert answer_gaps(ours, theirs, status, beyond) == []


def test_the_comparison_sees_what_is_missing_narrower_or_invented() -> None:
    """The guard itself: each kind of drift, made on purpose in a copy, is reported."""
    contract = json.loads(json.dumps(CONTRACT))
    schemas = contract["components"]["schemas"]
    request = {"$ref": "#/components/schemas/GenerateImageRequestV3"}
    mine = MINE["POST /v1/ideogram-v3/generate"]["requestBody"]["content"]["application/json"]["schema"]

    def gaps() -> list[str]:
        return request_gaps(form(mine, OURS), form(request, contract), "body")

    assert gaps() == []
    properties = schemas["GenerateImageRequestV3"]["properties"]
    properties["brush"] = {"type": "string"}
    assert gaps() == ["body: no brush"]
    del properties["brush"]
    schemas["RenderingSpeed"]["enum"].append("SLOW")
    assert gaps() == ["body.rendering_speed: no value SLOW"]
    schemas["RenderingSpeed"]["enum"].remove("SLOW")
    properties["num_images"]["maximum"] = 9
    assert len(gaps()) == 1
    properties["num_images"]["maximum"] = 8
    schemas["GenerateImageRequestV3"]["required"] = []
    assert gaps() == ["body: prompt is required by us only"]

    model = {"$ref": "#/components/schemas/CustomModel"}
    del schemas["CustomModel"]["properties"]["is_owned"]
    schemas["CustomModel"]["properties"]["custom_model_uri"]["type"] = "string"
    schemas["ModelStatus"]["enum"].remove("ARCHIVED")
    found = answer_gaps(form(model, OURS), form(model, contract), "model", OURS_IN_ANSWERS)
    assert sorted(found) == [
        "model.custom_model_uri: type null is ours only",
        "model.status: value ARCHIVED is ours only",
        "model: is_owned is a name of ours",
    ]


def test_the_contract_is_the_repository_s_own_copy() -> None:
    assert CONTRACT["info"]["version"] == "2026-11-22"
    assert (ROOT / "contract" / "contract.json").stat().st_size > 200_000
