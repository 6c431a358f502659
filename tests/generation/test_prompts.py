"""A prompt is refused where it says nothing, and what a structured one says in vain is told."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.generation.test_editing import picture
from tests.runs.workshop import BASE, Workshop

from linocut.api.translate.asks import ask_v4
from linocut.errors import InvalidRequest
from linocut.generation.checking import check_text
from linocut.generation.types import Over
from linocut.wire import GenerateImageRequestV4


@pytest.mark.parametrize(
    "text", ["", " \n", "\u200b\u200d\ufeff", "...", '""', "\u201c \u2026\u201d", "\ufe0f", "\u0301"]
)
def test_a_prompt_of_spaces_quotes_and_dots_is_empty(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^prompt must not be empty: say what to draw\.$"):
        check_text(text, "prompt")


@pytest.mark.parametrize("text", ["a", "7", "\U0001f431", "\u732b", "+", "?", '"a"'])
def test_a_prompt_that_says_anything_more_is_not(text: str) -> None:
    check_text(text, "prompt")


SENT: dict[str, Any] = {
    "high_level_description": "x",
    "compositional_deconstruction": {"background": "", "elements": [{"type": "obj", "desc": "a cup", "opacity": 1}]},
}
NOTE = "elements[0].opacity is no key of the schema and was left out."


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"prompt": None, "json_prompt": SENT, "api_version": 4}, "json_prompt"),
        ({"prompt": json.dumps(SENT), "api_version": 4}, "text_prompt"),
        ({"prompt": json.dumps(SENT)}, "prompt"),
    ],
)
def test_what_is_not_read_of_a_structured_prompt_is_told(workshop: Workshop, given: dict[str, Any], field: str) -> None:
    assert workshop.place(workshop.alice, **given).notes[0] == f"{field}: {NOTE}"


@pytest.mark.parametrize("operation", ["remix", "inpaint"])
@pytest.mark.parametrize("with_model", [True, False])
def test_only_a_custom_model_is_said_to_know_more(
    open_workshop: Callable[..., Workshop], operation: Any, with_model: bool
) -> None:
    workshop = open_workshop(base=msgspec.structs.replace(BASE, knows="cats"))
    uri = workshop.trained(workshop.alice).custom_model_uri if with_model else None
    mask = picture(512, 512, box=(0, 0, 99, 99)) if operation == "inpaint" else None
    over = Over(operation, picture(512, 512), mask=mask)
    notes = workshop.place(workshop.alice, prompt="a dragon", over=over, custom_model_uri=uri).notes
    more = "; the picture has it only where the custom model has learned it."
    assert notes[0] == 'The base does not know "dragon"' + (more if with_model else ". It knows cats.")


def test_a_structured_prompt_comes_to_its_rules_as_it_was_sent() -> None:
    assert ask_v4(GenerateImageRequestV4(json_prompt=SENT)).json_prompt == SENT
