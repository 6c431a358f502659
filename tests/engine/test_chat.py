"""A language model behind an endpoint: asked again when it may help, put right once, and never the end of anything."""

import json
import logging
from typing import Any

import numpy as np
import pytest
from tests.engine.chat_server import KEY, chat

from linocut.engine.tools.chat import Endpoint, ask_for
from linocut.engine.tools.describer import ask_for_caption

PIXELS = np.full((40, 60, 3), 90, np.uint8)
CAPTION: dict[str, Any] = {
    "compositional_deconstruction": {
        "elements": [{"desc": "a red circle", "type": "obj", "bbox": [0, 0, 500, 500], "color_palette": ["#dc2a2a"]}],
        "background": "plain navy",
    },
    "high_level_description": "a red circle",
    "tags": ["circle"],
}
GOOD = json.dumps(CAPTION)


def test_a_caption_comes_normalised_whatever_stands_around_it() -> None:
    with chat(f"Here it is:\n```json\n{GOOD}\n```") as told:
        said = ask_for_caption(told.endpoint(), PIXELS)
    assert list(said.value) == ["high_level_description", "compositional_deconstruction", "tags"]
    assert said.value["compositional_deconstruction"]["elements"][0]["color_palette"] == ["#DC2A2A"]
    [asked], [key] = told.asked, told.keys
    assert (asked["model"], key) == ("eyes-1", f"Bearer {KEY}")
    assert asked["messages"][0]["content"][1]["image_url"]["url"].startswith("data:image/jpeg;base64,")


def test_an_answer_that_is_not_valid_is_put_right_once() -> None:
    wrong = json.dumps({"high_level_description": "a circle"})
    with chat(wrong, GOOD) as told:
        assert ask_for_caption(told.endpoint(), PIXELS).value["high_level_description"] == "a red circle"
    assert "compositional_deconstruction must be a JSON object" in told.asked[1]["messages"][-1]["content"]
    with chat(wrong) as told:
        said = ask_for_caption(told.endpoint(), PIXELS)
    assert len(told.asked) == 2
    assert said.value is None
    assert "its answer was not valid: caption.compositional_deconstruction" in said.why


@pytest.mark.parametrize(("answers", "asked", "why"), [
    ((503, GOOD), 2, ""),
    ((429, GOOD), 2, ""),
    ((400, GOOD), 2, ""),
    ((503,), 2, "it answered with status 503"),
    ((401,), 1, "it answered with status 401"),
    ((302,), 1, "it answered with status 302"),
    (("nothing of the kind",), 2, "its answer was not valid: The answer holds no JSON object."),
])  # fmt: skip
def test_what_may_pass_is_asked_again(answers: tuple[Any, ...], asked: int, why: str) -> None:
    with chat(*answers) as told:
        said = ask_for_caption(told.endpoint(), PIXELS)
    assert (len(told.asked), said.why, said.value is None) == (asked, why, bool(why))
    if answers[0] == 400:
        assert "response_format" in told.asked[0]
        assert "response_format" not in told.asked[1]


def test_one_that_is_silent_or_away_is_given_up() -> None:
    with chat(None) as told:
        assert ask_for_caption(told.endpoint(0.4), PIXELS).why == "it gave no answer within 0.4 s"
    assert ask_for_caption(told.endpoint(3), PIXELS).why == "it cannot be reached"
    assert ask_for_caption(Endpoint("http://[", "m", KEY), PIXELS).why == "it cannot be reached"


def test_its_key_is_told_nowhere(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    with chat(401) as told:
        said = ask_for(told.endpoint(), [{"role": "user", "content": "hello"}], lambda answer: answer)
        written = f"{told.endpoint()!r} {said!r}"
    assert KEY not in written + caplog.text + "".join(capsys.readouterr())
    assert told.keys == [f"Bearer {KEY}"]
