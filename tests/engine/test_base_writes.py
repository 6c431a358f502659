"""The base's own language model writes captions: tiny ones with random weights, which say anything that they may."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from diffusers.pipelines.ideogram4.prompt_enhancer import build_prompt_enhancer
from tests.engine.engine_orders import run_to_the_end
from tests.engine.test_generate_routine import Resident
from tests.engine.tiny_bases import flux2_base, flux2_dev_base
from tests.engine.tiny_grouped import qwen_image_base, sdxl_base, z_image_base
from tests.engine.tiny_writers import head_at, tied, with_head, without_head, writing_ideogram4
from tests.pace import thread_seconds

from linocut.bases import MINI, load_base
from linocut.bases.speech import head_of
from linocut.bases.types import HEAD_PART
from linocut.captions import normalise
from linocut.engine import visiting
from linocut.engine.engine import RoutineEngine
from linocut.engine.executor import Executor
from linocut.engine.families.family import load_family
from linocut.engine.loading import Loading
from linocut.engine.resident import engine_over, try_out
from linocut.engine.routines import write as write_routine
from linocut.engine.speech import speaker as speaking
from linocut.engine.speech.grammar import Limits
from linocut.engine.speech.opening import speaker_of
from linocut.engine.speech.speaker import Speaker
from linocut.engine.tools import writer
from linocut.engine.tools.tool import BaseWrites, ToolsAtHand
from linocut.errors import InvalidRequest
from linocut.orders import WriteOrder

CPU = torch.device("cpu")
SHORT = Limits(summary=10, style=4, background=6, element=6, lettering=4, elements=1)
CONTRACT = Path(__file__).parents[2] / "contract" / "contract.json"
WISHES = ("a red fish", "", "猫", 'a poster that says "SALE"', "{")


@pytest.fixture(scope="module")
def resident(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resident]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Resident(qwen_image_base(tmp_path_factory.mktemp("base") / "qwen"))
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def ideogram4(tmp_path_factory: pytest.TempPathFactory) -> Resident:
    """Qwen3-VL with the head that lies beside it. Its 36 layers take their time."""
    return Resident(writing_ideogram4(tmp_path_factory.mktemp("base") / "ideogram4"))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Captions of tiny vocabularies: a token a byte."""
    monkeypatch.setattr(speaking, "Limits", lambda: SHORT)
    monkeypatch.setattr(writer, "WRITE", "Write a caption.")
    monkeypatch.setattr(writer, "REVISE", "Rewrite the caption.")


def writes(resident: Resident, **changes: Any) -> BaseWrites:
    plain: dict[str, Any] = {"most_tokens": 2000, "seconds": 60.0, **changes}
    return BaseWrites(head_of(resident.base, resident.folder, None), **plain)


def engine(resident: Resident, **changes: Any) -> RoutineEngine:
    tools = ToolsAtHand(0, base_writes=writes(resident, **changes))
    return engine_over(resident.base, resident.family, CPU, 1 << 20, 1 << 30, tools)


def order(resident: Resident, **changes: Any) -> WriteOrder:
    plain: dict[str, Any] = {"text": "a red fish", "caption": "", "ratio": "AUTO", "knows": "", "places": 1}
    return WriteOrder(base=resident.base.identity, organization_id="o", **{**plain, **changes})


def answered(resident: Resident, *orders: WriteOrder, **changes: Any) -> list[dict[str, Any]]:
    running = engine(resident, **changes)
    for number, one in enumerate(orders):
        running.admit(f"w{number}", one, resident.blobs.__getitem__, Path())
    events = {event.key: event for event in run_to_the_end(running)}
    running.close()
    return [events[f"w{number}"].answer for number in range(len(orders))]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "wishes"), [pytest.param("ideogram4", WISHES[:2], marks=pytest.mark.long), ("resident", WISHES)]
)
@pytest.mark.long
def test_whatever_it_is_asked_a_caption_comes_of_it(
    name: str, wishes: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    """Held to the grammar all wishes become captions by the contract's own schema; let loose, none becomes JSON."""
    resident: Resident = request.getfixturevalue(name)
    contract = json.loads(CONTRACT.read_text())
    schema = {"$ref": "#/components/schemas/V4JsonPrompt", "components": contract["components"]}
    good = 0
    for answer in answered(resident, *(order(resident, text=wish) for wish in wishes)):
        assert answer["why"] == ""
        assert answer["written_by"] == f"base: {resident.base.name}"
        jsonschema.validate(answer["caption"], schema)
        assert normalise(answer["caption"]) == answer["caption"]
        assert answer["caption"]["high_level_description"].strip()
        assert answer["ratio"].count("x") == 1
        good += 1
    speaker = speaker_of(resident.base, resident.family, CPU, writes(resident))
    loose = sum(_is_json(_let_loose(speaker, wish)) for wish in wishes)
    print(f"captions: {good} of {len(wishes)} with the grammar, {loose} without")
    assert (good, loose) == (len(wishes), 0)


def _let_loose(speaker: Speaker, wish: str) -> str:
    everything, memory = bytes([255] * 40), speaker.memory()
    ids, said = speaker.prompt([{"role": "user", "content": wish}]), []
    with torch.no_grad():
        for _ in range(60):
            said.append(speaker.choose(speaker.read(tuple(ids), memory), everything))
            ids = said[-1:]
    return speaker.text(said)


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


@pytest.mark.long
def test_the_same_wish_is_the_same_caption_alone_and_in_company(resident: Resident) -> None:
    [alone] = answered(resident, order(resident))
    again, other = answered(resident, order(resident), order(resident, text="a blue bird over the sea"))
    assert again == alone
    assert other != alone, "the wish has an effect"


def test_a_ratio_that_is_asked_for_is_not_chosen_again(resident: Resident) -> None:
    [answer] = answered(resident, order(resident, ratio="16x9"))
    assert answer["ratio"] == ""


@pytest.mark.long
def test_a_picture_s_caption_can_be_rewritten(resident: Resident) -> None:
    [first] = answered(resident, order(resident))
    [new] = answered(resident, order(resident, text="make it blue", caption=json.dumps(first["caption"])))
    assert normalise(new["caption"])["compositional_deconstruction"]


def test_it_is_the_library_s_language_model(ideogram4: Resident) -> None:
    """A text read in two pieces and one token gives the library's own scores for the same head, within 1e-4."""
    speaker = speaker_of(ideogram4.base, ideogram4.family, CPU, writes(ideogram4))
    ids = speaker.prompt([{"role": "user", "content": "a red fish"}])
    head = torch.nn.Linear(8, 259, bias=False)
    with torch.no_grad():
        memory = speaker.memory()
        for piece in (ids[:5], ids[5:-1], ids[-1:]):
            features_F = speaker.read(tuple(piece), memory)
        head.weight.copy_(speaker._head_VF)
        grafted = build_prompt_enhancer(ideogram4.family.text_encoder, _Head(head))  # type: ignore[attr-defined]
        scores_V = grafted(input_ids=torch.tensor([ids])).logits[0, -1]
    ours_V = speaker._head_VF @ features_F
    print(f"largest difference {float((ours_V - scores_V).abs().max()):.1e} of {float(scores_V.abs().max()):.2f}")
    torch.testing.assert_close(ours_V, scores_V, atol=1e-4, rtol=1e-4)


class _Head(torch.nn.Module):
    def __init__(self, lm_head: torch.nn.Linear) -> None:
        super().__init__()
        self.lm_head = lm_head


def test_pictures_are_drawn_between_its_tokens(resident: Resident) -> None:
    running = engine(resident)
    running.admit("w", order(resident, text="a long story"), resident.blobs.__getitem__, Path())
    running.admit("g", resident.order(seeds=(1,)), resident.blobs.__getitem__, Path())
    ended = [event.key for event in run_to_the_end(running)]
    running.close()
    assert ended[-1] == "w", "the picture was done before the caption, which takes a pass a token"


def test_it_can_be_cancelled_between_two_tokens(resident: Resident) -> None:
    running = engine(resident)
    running.admit("w", order(resident), resident.blobs.__getitem__, Path())
    for _ in range(10):
        assert running.step() == []
    running.cancel("w")
    events: list[Any] = []
    assert thread_seconds(lambda: events.extend(run_to_the_end(running))) < 5
    running.close()
    [event] = events
    assert "cancelled" in event.error.message.lower()


@pytest.mark.parametrize(("most", "why"), [(30, "it had not said enough after 30 tokens"), (1000, "")])
@pytest.mark.long
def test_a_caption_is_bounded_by_tokens(resident: Resident, most: int, why: str) -> None:
    [answer] = answered(resident, order(resident, ratio="1x1"), most_tokens=most)
    [whole] = answered(resident, order(resident, ratio="1x1"))
    assert answer == ({**whole, "caption": None, "written_by": resident.base.name, "why": why} if why else whole)


@pytest.mark.long
def test_a_caption_that_is_ended_is_whole_and_says_so(resident: Resident) -> None:
    """Ended within its elements, after what it takes to come there."""
    speaker = speaker_of(resident.base, resident.family, CPU, writes(resident))
    [whole] = answered(resident, order(resident, ratio="1x1"))
    text = json.dumps(whole["caption"], separators=(",", ":"), ensure_ascii=False)
    there = len(speaker._voice.tokenizer(text[: text.index('"elements":[') + 12])["input_ids"])
    [answer] = answered(resident, order(resident, ratio="1x1"), most_tokens=there)
    assert answer["why"] == f"it was ended after {there} tokens", text
    normalise(answer["caption"])


def test_a_caption_is_bounded_by_time(resident: Resident) -> None:
    [answer] = answered(resident, order(resident), seconds=0.0)
    assert (answer["caption"], answer["why"]) == (None, "it had not said enough after 0 s")


@pytest.mark.parametrize(
    ("refused", "why"), [(1, ""), pytest.param(2, "its answer was not valid: caption is dull.", marks=pytest.mark.long)]
)
@pytest.mark.long
def test_an_answer_that_is_not_valid_is_put_right_once(
    resident: Resident, monkeypatch: pytest.MonkeyPatch, refused: int, why: str
) -> None:
    real, left = write_routine.caption_in, [refused]

    def strict(answer: dict[str, Any]) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise InvalidRequest("caption is dull.")
        return real(answer)

    monkeypatch.setattr(write_routine, "caption_in", strict)
    [answer] = answered(resident, order(resident))
    assert (answer["why"], answer["caption"] is None) == (why, bool(why))


def test_numbers_that_are_none_end_the_caption_not_the_engine(resident: Resident) -> None:
    running = engine(resident)
    speaker_head = speaking.Speaker.choose
    try:
        speaking.Speaker.choose = lambda self, features_F, allowed: speaker_head(  # type: ignore[method-assign]
            self, features_F * torch.nan, allowed
        )
        running.admit("w", order(resident), resident.blobs.__getitem__, Path())
        [event] = run_to_the_end(running)
    finally:
        speaking.Speaker.choose = speaker_head  # type: ignore[method-assign]
        running.close()
    assert event.answer["why"] == "its answer was not finite"  # type: ignore[union-attr]


HEADS = {
    "qwen_image": (qwen_image_base, "own"),
    "flux2": (flux2_base, "own"),
    "z_image": (lambda folder: tied(z_image_base(folder)), "tied"),
    "z_image's whole model": (lambda folder: with_head(z_image_base(folder)), "file"),
    "flux2_dev": (flux2_dev_base, "tied"),
}


@pytest.mark.parametrize("family", HEADS)
def test_each_family_with_a_language_model_writes(family: str, tmp_path: Path) -> None:
    build, kind = HEADS[family]
    folder = build(tmp_path / "base")  # type: ignore[operator]
    base = load_base(folder)
    head = head_of(base, folder, None)
    assert ((head.shard is None), head.beside_bytes) == (kind == "tied", 0)
    loaded = load_family(base.family, folder, CPU, torch.float32)
    speaker = speaker_of(base, loaded, CPU, BaseWrites(head, 100, 5.0))
    voice = loaded.voice()
    assert voice is not None
    table = voice.body.get_input_embeddings().weight if kind == "tied" else voice.head.weight if voice.head else None
    assert table is None or speaker._head_VF.data_ptr() == table.data_ptr(), "no second copy"
    pen, memory = speaker.pen(with_ratio=True), speaker.memory()
    ids = [*speaker.prompt([{"role": "user", "content": "a red fish"}]), *pen.forced()]
    with torch.no_grad():
        while not pen.is_done and len(pen.written) < 200:
            token = speaker.choose(speaker.read(tuple(ids), memory), pen.allowed())
            pen.write(token)
            ids = [token, *pen.forced()]
    pen.close()
    normalise(json.loads(speaker.text(pen.written)))


def test_bases_that_cannot_write_are_refused_with_the_ways_out(tmp_path: Path) -> None:
    sdxl, qwen = sdxl_base(tmp_path / "sdxl"), without_head(qwen_image_base(tmp_path / "qwen"))
    for folder in (MINI, sdxl):
        with pytest.raises(InvalidRequest, match=r"only reads: it is no language model. Those that can write are Ideo"):
            head_of(load_base(folder), folder, None)
    with pytest.raises(InvalidRequest, match=r"without the head .* name its folder in LINOCUT_WRITER_HEAD"):
        head_of(load_base(qwen), qwen, None)


def test_a_head_may_lie_beside_the_base_or_anywhere(tmp_path: Path) -> None:
    folder = writing_ideogram4(tmp_path / "base")
    (folder / HEAD_PART).rename(tmp_path / "elsewhere")
    base = load_base(folder)
    with pytest.raises(InvalidRequest, match=r"diffusers/qwen3-vl-8b-instruct-lm-head"):
        head_of(base, folder, None)
    with pytest.raises(InvalidRequest, match=r"LINOCUT_WRITER_HEAD is .*nowhere, and there is no such folder"):
        head_of(base, folder, tmp_path / "nowhere")
    found = head_of(base, folder, tmp_path / "elsewhere")
    assert (found.beside_bytes, found.cache_bytes) == (2 * 259 * 8, 2 * 2 * 36 * 1 * 8)
    assert replace(found, beside_bytes=0).bytes(1000) == found.cache_bytes * 3048
    for words, width in ((259, 9), (300, 8)):
        wrong = head_at(tmp_path / f"{words}x{width}", words, width)
        with pytest.raises(InvalidRequest, match="it is the head of another model"):
            head_of(base, folder, wrong)
    (tmp_path / "elsewhere").rename(folder / HEAD_PART)
    assert load_base(folder).identity == base.identity, "models of the base stay its own"


def test_what_it_holds_is_reserved(resident: Resident) -> None:
    """A caption under way holds its keys and values, the engine counts them as it counts a picture's latents."""
    asked, given = writes(resident, most_tokens=100), order(resident, text="")
    executor = Executor(resident.family, CPU)
    plain, writing = (try_out(resident.base, resident.family, executor, CPU, size) for size in (0, asked.caption_bytes))
    assert writing.of_writing(given) - plain.of_writing(given) == 2 * 2 * 2 * 8 * (2048 + 100)


def test_a_tower_on_the_host_writes_the_same_and_its_table_stays_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head that is tied to the table of words stays with it: what it is asked goes there."""
    monkeypatch.setattr(visiting, "SMALL", 1)
    folder = flux2_base(tmp_path / "base")
    base = load_base(folder)
    said = []
    for how in (torch.float32, Loading(CPU, "fp32", tower_on_host=True)):
        family = load_family(base.family, folder, CPU, how)
        speaker = speaker_of(base, family, CPU, BaseWrites(head_of(base, folder, None), 100, 5.0))
        pen, memory = speaker.pen(with_ratio=False), speaker.memory()
        with torch.no_grad():
            features_F = speaker.read(tuple(pen.forced()), memory)
        said.append((features_F, speaker.choose(features_F, pen.allowed())))
        tower = family.text_encoder  # type: ignore[attr-defined]
        if isinstance(how, Loading):
            assert tower.lm_head._forward_pre_hooks, "features go to the head, not the head to them"
            assert tower.model.device == CPU
    assert torch.equal(said[0][0], said[1][0])
    assert said[0][1] == said[1][1]
