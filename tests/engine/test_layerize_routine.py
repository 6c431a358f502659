"""A layerize order in the real engine: read, told, erased; by its surroundings, or by the base's own inpainting."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.engine.engine_orders import BASE, base, generate_order, run_to_the_end
from tests.engine.engine_support import CPU, Recording
from tests.engine.lettering_pictures import Written, face, ground, overlap, write
from tests.engine.test_canvas import stored
from tests.engine.test_generate_routine import Resident
from tests.engine.tiny_bases import ideogram4_base

from linocut.bases import Sampling
from linocut.engine.door import Engine
from linocut.engine.fake import FakeEngine
from linocut.engine.layers import ground_caption
from linocut.engine.resident import engine_over
from linocut.engine.routines.layerize import NOTHING_WRITTEN
from linocut.engine.tools import catalogue
from linocut.engine.tools.catalogue import MIB
from linocut.engine.tools.tool import ToolFacts, ToolsAtHand
from linocut.errors import RunFailed
from linocut.orders import (
    Answered,
    Failed,
    GenerateFinished,
    ImageDrawn,
    LayerizeOrder,
    PictureRef,
    Refill,
    order_from_json,
    order_to_json,
)

TOOLS = ToolsAtHand(1024 * MIB)
Told = tuple[dict[str, Any], list[bytes]]


def poster() -> tuple[Image.Image, list[Written]]:
    picture = ground("graded", 400, 300, "#E8DCC0")
    font = face("lora", 26, 700)
    return picture, [
        write(picture, "Summer Jazz", (200, 60), face("lobster", 52), "#B03020"),
        write(picture, "every Friday evening", (200, 160), font, "#203040"),
        write(picture, "behind the old harbour", (200, 196), font, "#203040"),
    ]


def order(picture: PictureRef, **changes: Any) -> LayerizeOrder:
    given = {"base": BASE, "organization_id": "org", "picture": picture, "seed": 7, "refill": None}
    return LayerizeOrder(**(given | changes))


def told(engine: Engine, one: LayerizeOrder, blobs: dict[str, bytes]) -> Told:
    engine.admit("layers", one, blobs.__getitem__, Path())
    events = run_to_the_end(engine)
    engine.close()
    last = events[-1]
    assert isinstance(last, Answered), last
    drawn = [event for event in events if isinstance(event, ImageDrawn)]
    assert [(event.index, event.seed) for event in drawn] == [(0, 7), (1, 7)]
    return last.answer, [event.png for event in drawn]


def real(family: Any = None) -> Engine:
    return engine_over(base(), family or Recording(), CPU, 64 * MIB, tools=TOOLS)


def pixels(data: bytes) -> Any:
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


@pytest.mark.long
def test_lettering_is_told_in_blocks_and_erased() -> None:
    picture, [heading, first, second] = poster()
    blobs: dict[str, bytes] = {}
    answer, [without, original] = told(real(), order(stored(picture, blobs)), blobs)
    assert original == next(iter(blobs.values()))
    texts = [block["text"] for block in answer["blocks"]]
    assert texts == ["Summer Jazz", "every Friday evening\nbehind the old harbour"]
    title, body = answer["blocks"]
    assert (title["role"], title["alignment"], title["fonts"][0]["family"]) == ("heading", "center", "Lobster")
    assert (body["alignment"], body["fonts"][0]["family"], body["formatting"]) == ("center", "Lora", ("bold",))
    assert 46 <= title["font_size"] <= 58
    assert 24 <= body["font_size"] <= 28
    assert body["line_height"] == pytest.approx(36 / 26, abs=0.08)
    (l1, t1, r1, b1), (l2, t2, r2, b2) = first.bounds, second.bounds
    box = body["x"], body["y"], body["x"] + body["width"], body["y"] + body["height"]
    assert overlap(box, (min(l1, l2), min(t1, t2), max(r1, r2), max(b1, b2))) > 0.9
    assert (answer["filled_by"], answer["notes"]) == ("surroundings", ())
    changed = (pixels(without) != np.asarray(picture)).any(axis=-1)
    near = np.zeros_like(changed)
    for one in (heading, first, second):
        left, top, right, bottom = (round(side) for side in one.bounds)
        near[top - 8 : bottom + 8, left - 8 : right + 8] = True
    assert not changed[~near].any()  # all else is the picture's own, to the last bit
    seen = np.asarray(ground("graded", 400, 300, "#E8DCC0"))
    left_over = np.abs(pixels(without).astype(int) - seen).max()
    assert left_over <= 6, left_over


def test_a_picture_without_lettering_stays_as_it_is_and_that_is_told() -> None:
    blobs: dict[str, bytes] = {}
    answer, [without, original] = told(real(), order(stored(ground("busy", 200, 120, "#507090"), blobs)), blobs)
    assert (answer["blocks"], answer["filled_by"], answer["notes"]) == ((), "", (NOTHING_WRITTEN,))
    assert without == original


def test_without_room_for_typefaces_the_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.TOOLS, "typefaces", replace(catalogue.TOOLS["typefaces"], reserved_bytes=2048 * MIB))
    picture, _ = poster()
    blobs: dict[str, bytes] = {}
    answer, _ = told(real(), order(stored(picture, blobs)), blobs)
    assert {block["fonts"] for block in answer["blocks"]} == {()}
    assert any(note.startswith("Typefaces were not compared: The tool typefaces needs") for note in answer["notes"])


def test_without_room_to_read_the_order_is_told() -> None:
    picture, _ = poster()
    blobs: dict[str, bytes] = {}
    engine = engine_over(base(), Recording(), CPU, 64 * MIB, tools=ToolsAtHand(16 * MIB))
    engine.admit("layers", order(stored(picture, blobs)), blobs.__getitem__, Path())
    [last] = run_to_the_end(engine)
    assert isinstance(last, Failed)
    assert "LINOCUT_TOOLS_MEMORY_MIB" in last.error.message


def test_a_file_that_is_gone_is_told() -> None:
    from linocut.errors import Lost

    def gone(sha256: str) -> bytes:
        raise Lost(sha256=sha256, how="missing")

    engine = real()
    engine.admit("layers", order(PictureRef(sha256="0" * 64, width=64, height=64)), gone, Path())
    [last] = run_to_the_end(engine)
    assert isinstance(last, Failed)
    assert isinstance(last.error, RunFailed)
    assert "no longer stored" in last.error.message


class Slow:
    """A reader that is at work until it is told to end."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Semaphore(0), threading.Event()

    def run(self, given: Any) -> Any:
        from linocut.engine.tools.lettering import Lettering

        self.begun.release()
        assert self.end.wait(30)
        return Lettering((), (), "slow")

    def tokens(self, given: Any) -> int:
        return 1


@pytest.mark.parametrize("readers", [1, 2, 3])
def test_a_drawing_waits_for_no_tool_at_work(monkeypatch: pytest.MonkeyPatch, readers: int) -> None:
    """However many readers are at work, an image is drawn and packed meanwhile: no unit of it waits for them."""
    slow = Slow()
    monkeypatch.setitem(
        catalogue.TOOLS, "lettering", ToolFacts("lettering", "", "", "", 0, MIB, False, lambda device: slow)
    )
    blobs: dict[str, bytes] = {}
    picture = stored(ground("plain", 64, 64, "#FFFFFF"), blobs)
    engine = real()
    for number in range(readers):
        engine.admit(f"layers {number}", order(picture), blobs.__getitem__, Path())
    while not slow.begun.acquire(blocking=False):
        engine.step()
    engine.admit("draw", generate_order(), blobs.__getitem__, Path())
    drawn: list[Any] = []
    while not any(isinstance(event, GenerateFinished) for event in drawn):
        drawn += engine.step()
    assert {event.key for event in drawn} == {"draw"}
    slow.end.set()
    rest = run_to_the_end(engine)
    engine.close()
    assert sum(isinstance(event, Answered) for event in rest) == readers


@pytest.fixture(scope="module")
def resident(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resident]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Resident(ideogram4_base(tmp_path_factory.mktemp("base") / "ideogram4"))
    torch.set_num_threads(threads)


@pytest.mark.long
def test_a_base_that_can_draws_behind_the_letters(resident: Resident) -> None:
    """What it draws depends on caption and seed, and comes nowhere but where letters were."""
    picture, _ = poster()
    blobs: dict[str, bytes] = {}
    stand = stored(picture, blobs)
    refill = Refill(caption="sand", width=64, height=48, sampling=Sampling(steps=3, guidance=2.0, mu=0.0, std=1.5))
    bases = {}
    for name, caption in (("sand", "sand"), ("again", "sand"), ("brick", "a brick wall"), ("own", "")):
        engine = engine_over(resident.base, resident.family, CPU, 64 * MIB, tools=TOOLS)
        given = order(stand, base=resident.base.identity, refill=Refill(**{**_fields(refill), "caption": caption}))
        answer, [without, _] = told(engine, given, blobs)
        assert answer["filled_by"] == resident.base.identity
        bases[name] = pixels(without)
    changed = (bases["sand"] != np.asarray(picture)).any(axis=-1)
    assert 0.01 < changed.mean() < 0.4
    assert (bases["sand"] == bases["again"]).all()
    assert (bases["sand"] != bases["brick"]).any()
    assert (bases["sand"] != bases["own"]).any()
    assert ((bases["brick"] != np.asarray(picture)).any(axis=-1) & ~changed).mean() < 0.01


def _fields(refill: Refill) -> dict[str, Any]:
    return {name: getattr(refill, name) for name in Refill.__struct_fields__}


def test_the_caption_of_a_ground_names_its_colours_and_nothing_written() -> None:
    pixels_HWC = np.asarray(Image.new("RGB", (40, 20), "#204060")).copy()
    pixels_HWC[5:10, 5:30] = 255
    marks = (pixels_HWC == 255).all(axis=-1)
    caption = json.loads(ground_caption(pixels_HWC, marks))
    assert caption["compositional_deconstruction"]["elements"] == []
    assert "#305070" in caption["compositional_deconstruction"]["background"]
    assert "#F0F0F0" not in caption["compositional_deconstruction"]["background"]


def test_the_order_is_the_same_after_json_and_its_twin_answers_alike() -> None:
    picture, _ = poster()
    blobs: dict[str, bytes] = {}
    one = order(stored(picture, blobs))
    assert order_from_json(order_to_json(one)) == one
    answer, [_, original] = told(FakeEngine(base()), one, blobs)
    assert original == next(iter(blobs.values()))
    assert set(answer) == {"blocks", "read_by", "filled_by", "notes"}
