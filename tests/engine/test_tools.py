"""Tools beside the base: loaded when they are needed, within their own memory, run where they belong."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine.engine_orders import BASE, base, generate_order, no_blobs, run_to_the_end
from tests.engine.engine_support import CPU, Recording, scripted_engine
from tests.engine.matting_pictures import composite, overlap
from tests.engine.new_kinds import ReciteOrder, carried, kind

from linocut.engine.carriage import CARRIAGES
from linocut.engine.open import open_engine
from linocut.engine.resident import engine_over
from linocut.engine.tools.catalogue import MIB, TOOLS
from linocut.engine.tools.tool import ToolFacts, ToolsAtHand
from linocut.engine.tools.toolbox import Toolbox
from linocut.engine.tools.units import RunTool, use_tool
from linocut.engine.work import FullPass, Routine
from linocut.errors import InvalidRequest, NotReady
from linocut.orders import KINDS, Answered, Failed, GenerateFinished


class Doubling:
    """Doubles a tensor, and says in which thread."""

    def __init__(self) -> None:
        self.threads: list[str] = []

    def run(self, given: Any) -> Any:
        self.threads.append(threading.current_thread().name)
        if float(given.sum()) < 0:
            raise InvalidRequest("Nothing below zero can be doubled.")
        return given * 2

    def tokens(self, given: Any) -> int:
        return int(given.numel())


def facts(name: str, tool: Any, mib: int = 10, on_device: bool = False) -> ToolFacts:
    return ToolFacts(name, "doubles", "MIT", "needs no weights", 0, mib * MIB, on_device, lambda device: tool())


def test_every_tool_in_the_catalogue_says_what_it_is_and_can_be_loaded() -> None:
    toolbox = Toolbox("cpu", 1 << 40)
    for name, tool in TOOLS.items():
        assert tool.name == name
        assert all((tool.does, tool.licence, tool.source))
        assert tool.reserved_bytes >= tool.weight_bytes
        if tool.load is not None:
            assert hasattr(toolbox.load(name), "run")
        else:
            with pytest.raises(NotReady, match="operator brings"):
                toolbox.load(name)


def test_a_tool_is_loaded_once_and_the_least_used_makes_room() -> None:
    loads: list[str] = []
    known = {name: facts(name, lambda name=name: loads.append(name) or Doubling()) for name in ("a", "b", "c")}
    toolbox = Toolbox("cpu", 25 * MIB, known)
    for name in ("a", "b", "a", "c"):
        toolbox.load(name)
    assert toolbox.loaded() == ["a", "c"]
    assert loads == ["a", "b", "c"]


def test_threads_that_ask_together_load_once() -> None:
    loads = []

    def slowly() -> Doubling:
        loads.append(1)
        time.sleep(0.05)
        return Doubling()

    toolbox = Toolbox("cpu", 25 * MIB, {"a": facts("a", slowly)})
    threads = [threading.Thread(target=toolbox.load, args=("a",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [1]


def test_what_has_no_room_or_is_unknown_is_refused_with_a_way_out() -> None:
    toolbox = Toolbox("cpu", 5 * MIB, {"a": facts("a", Doubling)})
    with pytest.raises(NotReady, match="LINOCUT_TOOLS_MEMORY_MIB"):
        toolbox.load("a")
    with pytest.raises(NotReady, match="known are a"):
        toolbox.load("b")


@pytest.mark.parametrize("on_device", [True, False])
def test_a_routine_uses_a_tool_where_it_belongs(on_device: bool) -> None:
    """On the device in its turn, on the thread of the loop; else in a helper thread."""
    tool = Doubling()
    toolbox = Toolbox("cpu", 25 * MIB, {"double": facts("double", lambda: tool, on_device=on_device)})
    answers: list[Any] = []

    def script(order: Any, key: str, fetch: Any, workspace: Path, emit: Any) -> Routine:
        answers.append((yield from use_tool(toolbox, "double", torch.ones(3))))
        try:
            yield from use_tool(toolbox, "double", -torch.ones(3))
        except InvalidRequest as refused:
            answers.append(refused.message)
        emit(GenerateFinished(key=key))

    engine = scripted_engine(script)
    engine.admit("o", generate_order(), no_blobs, Path())
    assert isinstance(run_to_the_end(engine)[-1], GenerateFinished)
    assert torch.equal(answers[0], 2 * torch.ones(3))
    assert answers[1] == "Nothing below zero can be doubled."
    here = threading.current_thread().name
    assert [thread == here for thread in tool.threads] == [on_device, on_device]


def test_a_tool_on_the_device_runs_alone_at_a_price_of_its_own() -> None:
    unit = RunTool("double", Doubling(), torch.ones(7))
    assert (unit.tokens, unit.alike) == (7, "tool double")
    assert RunTool.budget(FullPass(4, 64, 64)) == 0


PICTURE, MASK = composite("mug", "graded", 11)
ORDER = ReciteOrder(base=BASE, organization_id="org", picture_sha256="0" * 64, sentences=1)


def cut_out(order: Any, hands: Any) -> Routine:
    cut = yield from use_tool(hands.tools, "border-matting", PICTURE)
    hands.emit(Answered(key=hands.key, answer={"sure": cut.sure, "overlap": overlap(cut.alpha_HW, MASK)}))


def test_an_engine_cuts_a_picture_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first real tool, through an order's routine in the real engine."""
    monkeypatch.setitem(KINDS, "recite", kind(ReciteOrder))
    monkeypatch.setitem(CARRIAGES, "recite", carried(None, cut_out))
    engine = engine_over(base(), Recording(), CPU, MIB, tools=ToolsAtHand(256 * MIB, ("border-matting",)))
    engine.admit("cut", ORDER, no_blobs, Path())
    [last] = run_to_the_end(engine)
    assert isinstance(last, Answered)
    assert last.answer["sure"]
    assert last.answer["overlap"] > 0.96


def test_without_memory_for_tools_the_order_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "recite", kind(ReciteOrder))
    monkeypatch.setitem(CARRIAGES, "recite", carried(None, cut_out))
    engine = engine_over(base(), Recording(), CPU, MIB)
    engine.admit("cut", ORDER, no_blobs, Path())
    [last] = run_to_the_end(engine)
    assert isinstance(last, Failed)
    assert "tools have 0 MiB" in last.error.message


def test_an_unknown_tool_at_the_start_is_told_at_once() -> None:
    with pytest.raises(NotReady, match="no tool 'mating'"):
        engine_over(base(), Recording(), CPU, MIB, tools=ToolsAtHand(256 * MIB, ("mating",)))
    open_engine("fake", base(), Path("nowhere"), 1, 1, 0, ToolsAtHand(256 * MIB, ("mating",)))


def test_tools_take_nothing_of_what_orders_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Free memory is shared out: what tools may take is no order's."""
    monkeypatch.setattr("linocut.engine.resident.free_bytes", lambda on: 1000 * MIB)
    with_tools = engine_over(base(), Recording(), CPU, MIB, tools=ToolsAtHand(200 * MIB))
    without = engine_over(base(), Recording(), CPU, MIB)
    assert with_tools._pools[True]._budget == 200 * MIB
    assert without._pools[True]._budget == 250 * MIB
