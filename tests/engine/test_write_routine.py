"""Write orders on a tiny base: what a language model answered, and why there is no caption where there is none."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine.chat_server import KEY, chat
from tests.engine.engine_orders import run_to_the_end
from tests.engine.test_chat import CAPTION
from tests.engine.test_generate_routine import Resident
from tests.engine.tiny_bases import flux2_base

from linocut.engine.fake import FakeEngine
from linocut.engine.resident import engine_over
from linocut.engine.tools.chat import Endpoint
from linocut.engine.tools.tool import ToolsAtHand
from linocut.orders import WriteOrder, order_from_json, order_to_json

ANSWER = json.dumps({**CAPTION, "aspect_ratio": "16:9"})


@pytest.fixture(scope="module")
def resident(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resident]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Resident(flux2_base(tmp_path_factory.mktemp("base") / "flux2"))
    torch.set_num_threads(threads)


def order(resident: Resident, **changes: Any) -> WriteOrder:
    plain: dict[str, Any] = {"text": "a red circle", "caption": "", "ratio": "AUTO", "knows": "", "places": 1}
    return WriteOrder(base=resident.base.identity, organization_id="o", **{**plain, **changes})


def answered(resident: Resident, asked: WriteOrder, endpoint: Endpoint | None) -> Any:
    tools = ToolsAtHand(0, endpoints={} if endpoint is None else {"writer": endpoint})
    engine = engine_over(resident.base, resident.family, torch.device("cpu"), 1 << 20, tools=tools)
    engine.admit("w", asked, resident.blobs.__getitem__, Path())
    [event] = run_to_the_end(engine)
    engine.close()
    return event.answer


def test_a_caption_is_written_and_a_ratio_chosen(resident: Resident) -> None:
    with chat(ANSWER) as told:
        answer = answered(resident, order(resident, knows="circles and stars"), told.endpoint())
    assert answer["caption"]["compositional_deconstruction"]["background"] == "plain navy"
    assert (answer["ratio"], answer["written_by"], answer["why"]) == ("16x9", "endpoint: eyes-1", "")
    system, user = told.asked[0]["messages"]
    assert "knows only circles and stars" in system["content"]
    assert user["content"] == "a red circle"


def test_the_ratio_and_the_picture_s_caption_are_told_to_it(resident: Resident) -> None:
    with chat(ANSWER) as told:
        answered(resident, order(resident, ratio="3x2"), told.endpoint())
        answered(resident, order(resident, caption='{"a": 1}', text="make it blue"), told.endpoint())
    assert told.asked[0]["messages"][1]["content"].endswith("aspect ratio is 3:2.")
    assert told.asked[1]["messages"][1]["content"] == 'The caption:\n{"a": 1}\n\nThe instruction:\nmake it blue'


@pytest.mark.parametrize(("answers", "why"), [
    (("no JSON", ANSWER), ""),
    (("no JSON", "none again"), "its answer was not valid: The answer holds no JSON object."),
    ((500,), "it answered with status 500"),
    ((401,), "it answered with status 401"),
])  # fmt: skip
def test_a_failure_is_an_answer(resident: Resident, answers: tuple[Any, ...], why: str) -> None:
    with chat(*answers) as told:
        answer = answered(resident, order(resident), told.endpoint())
    assert (answer["why"], answer["caption"] is None) == (why, bool(why))
    assert KEY not in str(answer)


def test_without_a_writer_the_worker_says_so(resident: Resident) -> None:
    assert answered(resident, order(resident), None)["why"] == "this worker knows none"


def test_a_slow_writer_holds_up_no_picture(resident: Resident) -> None:
    """More captions than helper threads wait for a silent endpoint; a generation is drawn meanwhile."""
    with chat(None) as told:
        tools = ToolsAtHand(0, endpoints={"writer": told.endpoint(8.0)})
        engine = engine_over(resident.base, resident.family, torch.device("cpu"), 1 << 20, tools=tools)
        for number in range(5):
            engine.admit(f"w{number}", order(resident), resident.blobs.__getitem__, Path())
        engine.admit("g", resident.order(seeds=(1,)), resident.blobs.__getitem__, Path())
        keys: list[str] = []
        while "g" not in keys:
            keys += [event.key for event in engine.step() if type(event).__name__ == "GenerateFinished"]
        assert keys == ["g"]
        for number in range(5):
            engine.cancel(f"w{number}")
        run_to_the_end(engine)
        told.released.set()
        engine.close()


def test_the_order_survives_its_journey_and_the_fake_answers_alike(resident: Resident) -> None:
    asked = order(resident)
    assert order_from_json(order_to_json(asked)) == asked
    engine = FakeEngine(resident.base)
    engine.admit("w", asked, resident.blobs.__getitem__, Path())
    [event] = run_to_the_end(engine)
    assert event.answer.keys() == answered(resident, asked, None).keys()  # type: ignore[union-attr]
