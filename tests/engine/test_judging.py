"""Images are judged before anybody is told of them: in order, beside the device loop, withheld without their bytes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.engine.engine_orders import base, generate_order, no_blobs, run_to_the_end
from tests.engine.engine_support import CPU, Recording
from tests.engine.tiny_onnx import reddish

from linocut import sight
from linocut.engine.judging import ByClassifier, Telling, judge_by
from linocut.engine.resident import engine_over
from linocut.engine.tools.tool import ToolsAtHand
from linocut.orders import GenerateFinished, ImageDrawn
from linocut.verdicts import NOT_JUDGED, UNJUDGED, UNSAFE_PICTURE, SafetyRule, Verdict

SAFE = Verdict(component="test", is_safe=True)
UNSAFE = Verdict(component="test", is_safe=False, reason=UNSAFE_PICTURE)


def drawn(key: str, index: int, png: bytes = b"png") -> ImageDrawn:
    return ImageDrawn(key=key, index=index, seed=1, png=png, native_width=1, native_height=1)


def png(colour: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (32, 32), colour).save(out, "PNG")
    return out.getvalue()


def settled(telling: Telling) -> list[Any]:
    told = []
    while telling:
        told += telling.take()
    return told


def test_an_orders_events_stay_in_order_and_others_go_on() -> None:
    go = threading.Event()

    def judge(data: bytes) -> Verdict:
        go.wait(5)
        return UNSAFE if data == b"bad" else SAFE

    with ThreadPoolExecutor(2) as helpers:
        telling = Telling(judge, helpers)
        telling.put("a", drawn("a", 0))
        telling.put("a", drawn("a", 1, b"bad"))
        telling.put("a", GenerateFinished(key="a"))
        telling.put("b", GenerateFinished(key="b"))
        assert telling.take() == [GenerateFinished(key="b")]
        assert telling
        go.set()
        first, second, last = settled(telling)
    assert (first.index, first.verdict, first.png) == (0, SAFE, b"png")
    assert (second.index, second.verdict, second.png) == (1, UNSAFE, b"")
    assert isinstance(last, GenerateFinished)


def test_a_verdict_that_is_there_already_is_kept() -> None:
    """A tool that knows better, such as the one that finds a refusal drawn, says so itself."""
    with ThreadPoolExecutor(1) as helpers:
        telling = Telling(lambda data: SAFE, helpers)
        telling.put("a", drawn("a", 0).__class__(**{**_fields(drawn("a", 0)), "verdict": UNSAFE}))
        [event] = settled(telling)
    assert event.verdict == UNSAFE


def _fields(event: ImageDrawn) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def test_what_cannot_be_judged_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert judge_by(SafetyRule()) is None
    broken = str(tmp_path / "net.onnx")
    Path(broken).write_bytes(b"nothing")
    assert ByClassifier(SafetyRule(mode="on", model=broken))(png("red")) == UNJUDGED
    withheld = ByClassifier(SafetyRule(mode="required", model=broken))(png("red"))
    assert (withheld.is_safe, withheld.reason) == (False, NOT_JUDGED)
    monkeypatch.setattr(sight, "network_file", lambda: None)
    unjudged = judge_by(SafetyRule(mode="on"))
    assert unjudged is not None
    assert unjudged(png("red")) == UNJUDGED
    assert UNJUDGED.is_safe is None


def test_the_engine_judges_what_it_draws(tmp_path: Path) -> None:
    """By a classifier that takes some colour for unsafe: of two thresholds, one withholds all and one nothing."""
    model = tmp_path / "reddish.onnx"
    model.write_bytes(reddish())
    found = {}
    for threshold in (1e-9, 1.0):
        rule = SafetyRule(mode="on", threshold=threshold, model=str(model))
        engine = engine_over(base(), Recording(), CPU, 1 << 26, tools=ToolsAtHand(0, safety=rule))
        engine.admit("k", generate_order(seeds=(1, 2)), no_blobs, tmp_path)
        events = run_to_the_end(engine)
        engine.close()
        images = [event for event in events if isinstance(event, ImageDrawn)]
        assert [event.index for event in images] == [0, 1]
        assert isinstance(events[-1], GenerateFinished)
        found[threshold] = [(event.verdict and event.verdict.is_safe, bool(event.png)) for event in images]
    assert found == {1e-9: [(False, False)] * 2, 1.0: [(True, True)] * 2}
