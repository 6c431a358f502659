"""Magic prompts that the base's own language model writes, over HTTP: tiny random Ideogram 4 with its prompt head."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine.tiny_grouped import sdxl_base
from tests.engine.tiny_writers import writing_ideogram4
from tests.walks.in_process import Inside

from linocut.api.app import create_app
from linocut.engine.asked import Room
from linocut.engine.open import open_engine
from linocut.engine.speech import speaker as speaking
from linocut.engine.speech.grammar import Limits
from linocut.engine.tools import writer
from linocut.engine.tools.tool import ToolsAtHand
from linocut.errors import InvalidRequest
from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.workers.loop import WorkerLoop
from linocut.workers.process import base_writes
from linocut.workers.supervise import check_base

GENERATE, MAGIC = "/v1/ideogram-v3/generate", "/v1/ideogram-v4/magic-prompt"


class Writing(Inside):
    """A server and its worker whose base writes."""

    def __init__(self, folder: Path, base: Path, **settings: Any) -> None:
        folder.mkdir()
        asked = Settings(data=folder, base=str(base), threads=1, writer="base", writer_seconds=120, **settings)
        check_base(asked)
        self.runtime = Runtime.open(asked)
        self.app = create_app(self.runtime)
        self._loop = asyncio.new_event_loop()
        tools = ToolsAtHand(0, base_writes=base_writes(asked, self.runtime.base, self.runtime.base_folder))
        engine = open_engine("torch", self.runtime.base, self.runtime.base_folder, 1, 1 << 26, Room(), tools)
        self._worker = WorkerLoop(self.runtime, engine, "worker")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writing]:
    short = Limits(summary=10, style=4, background=6, element=6, lettering=4, elements=1)
    monkeypatch.setattr(speaking, "Limits", lambda: short)
    monkeypatch.setattr(writer, "WRITE", "Write a caption.")
    threads = torch.get_num_threads()
    running = Writing(
        tmp_path / "data", writing_ideogram4(tmp_path / "base"), writer_tokens=400, accept_licence="ideogram-4"
    )
    yield running
    running.close()
    torch.set_num_threads(threads)


def test_the_base_writes_what_it_draws(server: Writing) -> None:
    _, key = server.key(*server.person("somebody"))
    draw = {"prompt": "a red fish", "seed": 7, "rendering_speed": "FLASH", "magic_prompt": "ON"}
    answer = server.ask(key, "POST", GENERATE, draw, working=True)
    assert answer.status == 200, answer.content
    [image] = answer.json["data"]
    assert image["x_linocut"]["written_by"] == "base: tiny-ideogram4"
    written = json.loads(image["prompt"])
    assert written["compositional_deconstruction"]["background"]

    off = server.ask(key, "POST", GENERATE, {**draw, "magic_prompt": "OFF"}, working=True).json["data"][0]
    assert "written_by" not in off["x_linocut"]


def test_a_start_that_could_not_write_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="Those that can write are Ideogram 4"):
        Writing(tmp_path / "data", sdxl_base(tmp_path / "base"))
    with pytest.raises(InvalidRequest, match="the text tower of mini only reads"):
        Writing(tmp_path / "other", Path("mini"))
