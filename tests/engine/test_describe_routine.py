"""Describe orders on a tiny base with the real tools: what was seen, and who was asked for words."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from tests.engine.chat_server import chat
from tests.engine.engine_orders import run_to_the_end
from tests.engine.test_canvas import stored
from tests.engine.test_chat import GOOD
from tests.engine.test_generate_routine import Resident
from tests.engine.tiny_bases import flux2_base

from linocut.engine.fake import FakeEngine
from linocut.engine.resident import engine_over
from linocut.engine.tools.chat import Endpoint
from linocut.engine.tools.tool import ToolsAtHand
from linocut.errors import RunFailed
from linocut.orders import Answered, DescribeOrder, Failed, order_from_json, order_to_json
from linocut.orders.seen import Seen

TOOLS = 1 << 30


@pytest.fixture(scope="module")
def resident(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resident]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Resident(flux2_base(tmp_path_factory.mktemp("base") / "flux2"))
    torch.set_num_threads(threads)


def poster() -> Image.Image:
    picture = Image.new("RGB", (256, 256), "#14235A")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((30, 30, 130, 130), fill="#DC2A2A")
    pen.text((128, 210), "GARDEN", fill="#FFFFFF", anchor="mm", font=ImageFont.load_default(48), stroke_width=2)
    return picture


def order(resident: Resident, describer: str = "embedded", picture: Image.Image | None = None) -> DescribeOrder:
    ref = stored(picture or poster(), resident.blobs)
    return DescribeOrder(base=resident.base.identity, organization_id="o", picture=ref, describer=describer)  # type: ignore[arg-type]


def answered(resident: Resident, asked: DescribeOrder, tools: ToolsAtHand) -> Any:
    engine = engine_over(resident.base, resident.family, torch.device("cpu"), 1 << 20, tools=tools)
    engine.admit("d", asked, resident.blobs.__getitem__, Path())
    [event] = run_to_the_end(engine)
    engine.close()
    return event


@pytest.mark.long
def test_figures_lettering_and_ground_are_seen(resident: Resident) -> None:
    event = answered(resident, order(resident), ToolsAtHand(TOOLS))
    assert isinstance(event, Answered)
    seen = msgspec.convert(event.answer["seen"], Seen)
    assert [(figure.name, figure.colours) for figure in seen.figures] == [("circle", ("#DC2A2A",))]
    [text] = seen.texts
    assert (text.text, text.is_bold) == ("GARDEN", True)
    assert np.abs(np.array(text.box) - (750, 110, 890, 890)).max() < 80
    assert (seen.ground.pattern, seen.ground.colours) == ("plain", ("#14235A",))
    assert (event.answer["described_by"], event.answer["caption"]) == ("embedded", None)


@pytest.mark.long
def test_an_endpoint_s_words_come_beside_what_was_seen(resident: Resident) -> None:
    with chat(GOOD) as told:
        tools = ToolsAtHand(TOOLS, endpoints={"describer": told.endpoint()})
        answer = answered(resident, order(resident, "endpoint"), tools).answer
    assert answer["described_by"] == "endpoint: eyes-1"
    assert answer["caption"]["high_level_description"] == "a red circle"
    assert answer["seen"]["figures"][0]["name"] == "circle"
    assert len(told.asked) == 1
    with chat(GOOD) as told:
        answered(resident, order(resident), ToolsAtHand(TOOLS, endpoints={"describer": told.endpoint()}))
    assert told.asked == []  # the order did not say so


@pytest.mark.long
def test_without_the_endpoint_s_answer_what_was_seen_is_told_and_why(resident: Resident) -> None:
    away = Endpoint("http://127.0.0.1:9/v1", "eyes-1")
    answer = answered(resident, order(resident, "endpoint"), ToolsAtHand(TOOLS, endpoints={"describer": away})).answer
    assert (answer["described_by"], answer["caption"]) == ("embedded", None)
    assert "The describer eyes-1 was asked, and it cannot be reached" in answer["notes"][0]
    answer = answered(resident, order(resident, "endpoint"), ToolsAtHand(TOOLS)).answer
    assert "knows no describer" in answer["notes"][0]


def test_without_memory_for_reading_the_rest_is_told(resident: Resident) -> None:
    answer = answered(resident, order(resident), ToolsAtHand(200 << 20)).answer
    assert "Lettering was not looked for" in answer["notes"][0]
    assert answer["seen"]["texts"] == ()
    assert answer["seen"]["figures"]


def test_a_picture_that_is_gone_is_told(resident: Resident) -> None:
    asked = order(resident)
    asked = msgspec.structs.replace(asked, picture=msgspec.structs.replace(asked.picture, sha256="0" * 64))
    engine = engine_over(resident.base, resident.family, torch.device("cpu"), 1 << 20, tools=ToolsAtHand(TOOLS))
    from linocut.errors import Lost

    def gone(sha256: str) -> bytes:
        raise Lost("gone", sha256=sha256, how="missing")

    engine.admit("d", asked, gone, Path())
    [event] = run_to_the_end(engine)
    engine.close()
    assert isinstance(event, Failed)
    assert isinstance(event.error, RunFailed)


def test_the_order_survives_its_journey_and_the_fake_answers_alike(resident: Resident) -> None:
    picture = Image.new("RGB", (40, 30), "#14235A")
    picture.paste("#DC2A2A", (0, 15, 40, 30))
    asked = order(resident, picture=picture)
    assert order_from_json(order_to_json(asked)) == asked
    engine = FakeEngine(resident.base)
    engine.admit("d", asked, resident.blobs.__getitem__, Path())
    [event] = run_to_the_end(engine)
    assert isinstance(event, Answered)
    seen = msgspec.convert(event.answer["seen"], Seen)
    assert (seen.ground.colours, seen.figures[0].colours) == (("#14235A",), ("#DC2A2A",))
    out = BytesIO()
    picture.save(out, "PNG")
