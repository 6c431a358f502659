"""The examples of the reference are what the schemas allow: ours, the published ones, and the server's own reading."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.api.every import OPERATIONS, label
from tests.contract.documents import BUILT, CONTRACT, MINE, OURS, THEIRS, Json

from linocut.api.body import Texts
from linocut.api.fields import read
from linocut.api.multipart import Part
from linocut.api.operation import Operation
from linocut.api.translate.refusals import acted_on


def errors(document: Json, schema: Json, value: Any) -> list[str]:
    validator = Draft202012Validator({**schema, "components": document["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def contents(operation: Json, *, request: bool) -> list[Json]:
    """What has a schema and should have an example."""
    where = operation.get("requestBody", {}) if request else operation["responses"].get("200", {})
    return [content for content in where.get("content", {}).values() if "schema" in content]


@pytest.mark.parametrize("name", MINE)
def test_every_request_and_every_answer_has_an_example_that_its_schema_allows(name: str) -> None:
    for content in [*contents(MINE[name], request=True), *contents(MINE[name], request=False)]:
        assert errors(OURS, content["schema"], content["example"]) == []


@pytest.mark.parametrize("name", BUILT)
def test_the_published_schemas_allow_them_too(name: str) -> None:
    for request in (True, False):
        examples = [content["example"] for content in contents(MINE[name], request=request)]
        for content, example in zip(contents(THEIRS[name], request=request), examples, strict=True):
            assert errors(CONTRACT, content["schema"], example) == []


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.body is not None], ids=label)
def test_the_server_reads_the_examples_of_requests(operation: Operation) -> None:
    assert operation.body is not None
    [content, *_] = contents(MINE[label(operation)], request=True)
    values = {
        name: Texts([Part(name, "a.png")]) if name in operation.files else value
        for name, value in content["example"].items()
    }
    assert acted_on(values, operation.path, operation.body) == values
    request = read(operation.body, values)
    if operation.ask is not None:
        operation.ask(request)


def test_an_answer_s_example_leaves_nothing_vague() -> None:
    """A new field without an example is seen here: give it one in its struct, ``Meta(examples=[...])``."""
    vague = [name for name in MINE for content in contents(MINE[name], request=False) if "text" in _leaves(content)]
    assert vague == []


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for one in value.get("example", value).items() for leaf in _leaves(one[1])]
    return [leaf for one in value for leaf in _leaves(one)] if isinstance(value, list) else [value]
