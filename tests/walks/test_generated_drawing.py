"""The generated client (test_generated_client.py) runs every drawing operation that the contract lists, strict.

An answer of another status, or one that does not fit the published model, ends the walk."""

from io import BytesIO
from typing import Any

import pytest
from tests.api.live import Live
from tests.api.pictures import png
from tests.contract.documents import BUILT, CONTRACT, THEIRS
from tests.contract.schemas import resolved
from tests.walks.test_editing import mask
from tests.walks.test_generated_client import Generated, folder, generated

__all__ = ["folder", "generated"]  # fixtures of the other file
DRAWING = {name for name in BUILT if name.startswith("POST ") and THEIRS[name]["tags"] == ["generate"]}


def _picture(client: Generated, data: bytes, name: str) -> Any:
    return client.module("types").File(payload=BytesIO(data), file_name=name, mime_type="image/png")


def _value(client: Generated, name: str, field: dict[str, Any]) -> Any:
    """What a required field is sent as, and a few of the others."""
    one = {"image": png(1, 64, 64), "image_file": png(1, 64, 64), "mask": mask(64, 64, (40, 20, 60, 50))}
    if name in one:
        return _picture(client, one[name], f"{name}.png")
    if name == "images":
        return [_picture(client, one["image"], "blob")]
    if name == "image_request":  # the generator takes an object that extends another one for the other
        extended = CONTRACT["components"]["schemas"][field["$ref"].rpartition("/")[2]].get("allOf", [field])
        kind = extended[0]["$ref"].rpartition("/")[2]
        given = {"prompt": "a red fish"} if "prompt" in resolved(field, CONTRACT)["properties"] else {}
        return client.model(kind, **given)
    schema = resolved(field, CONTRACT)
    if "enum" in schema:
        kind = field["$ref"].rpartition("/")[2]
        return getattr(client.module("models"), kind)(schema["enum"][2 if name == "model" else 0])
    return "a red fish"


def _request(client: Generated, name: str) -> Any:
    """The smallest body of an operation."""
    content = next(iter(THEIRS[name]["requestBody"]["content"].values()))
    kind = content["schema"]["$ref"].rpartition("/")[2]
    schema = resolved(content["schema"], CONTRACT)
    names = list(schema.get("required", []))
    names += [one for one in ("text_prompt", "images", "prompt") if one in schema["properties"] and one not in names][
        :2
    ]
    fields = {one: _value(client, one, schema["properties"][one]) for one in names}
    if name == "POST /v1/edit":  # words that it knows
        fields["prompt"] = "change the background to blue"
    if name == "POST /v1/ideogram-v4/remix":
        fields["image_weight"] = 60
    return client.model(kind, **fields)


@pytest.mark.parametrize("name", sorted(DRAWING))
def test_a_drawing_operation(live: Live, generated: Generated, name: str) -> None:
    if generated.package == "published":
        return  # it knows no files, and writes modules that cannot be imported for bodies of two encodings
    operation = THEIRS[name]
    answer = generated.call(f"{operation['tags'][0]}.{operation['operationId']}", body=_request(generated, name))
    for image in getattr(answer, "data", []):
        assert live.public.get(image.url).headers["content-type"] == "image/png"
    assert answer.to_dict()


def test_an_asynchronous_one_is_polled(live: Live, generated: Generated) -> None:
    if generated.package == "published":
        return
    body = generated.model("GenerateImageRequestV4", text_prompt="a pot of tea", seed=3)
    begun = generated.call(
        "beyond_nav.post_generate_image_v4_async", body=body, webhook_url="https://hooks.example.org/linocut"
    )
    for _ in range(600):
        found = generated.call("beyond_nav.get_generation", begun.generation_id)
        if found.status.value != "pending":
            break
    assert (found.status.value, found.data[0].seed) == ("completed", 3)
