"""A text tower that is given back while a training learns, and loaded again for the next captions."""

import gc
import weakref
from pathlib import Path

import msgspec
import pytest
import torch
from tests.engine.tiny_bases import flux2_dev_base, ideogram4_base
from tests.engine.tiny_grouped import sdxl_base
from tests.engine.training_support import dataset, train_order

from linocut.bases import load_base
from linocut.bases.plan import Plan, Wishes, plan_for, told
from linocut.bases.published import published
from linocut.engine.asked import Room
from linocut.engine.families.family import load_family
from linocut.engine.loading import Loading
from linocut.engine.released import Released, give_back
from linocut.engine.resident import engine_over
from linocut.engine.room import wishes_of
from linocut.errors import InvalidRequest
from linocut.files import sha256_file
from linocut.orders import AdapterReady, PreviewDrawn, PreviewPrompt, TrainFinished

CPU = torch.device("cpu")
BLOBS, SAMPLES = dataset(3)


@pytest.mark.parametrize("build", [ideogram4_base, sdxl_base, flux2_dev_base])
@pytest.mark.long
def test_what_is_given_back_is_gone_and_reads_the_same_when_it_comes_again(build: object, tmp_path: Path) -> None:
    folder = build(tmp_path / "base")  # type: ignore[operator]
    base = load_base(folder)
    plain = load_family(base.family, folder, CPU, torch.float32)
    away = load_family(base.family, folder, CPU, Loading(CPU, "fp32", tower_released=True))
    towers = [*getattr(away, "towers", [getattr(away, "text_encoder", None)])]
    assert all(isinstance(one, Released) and not one.is_here for one in towers), "nothing is loaded unasked"
    for _ in range(2):
        [expected], [found] = plain.encode_text(["a red fish"]), away.encode_text(["a red fish"])
        assert all(torch.equal(expected.tensors[name], found.tensors[name]) for name in expected.tensors)
        held = weakref.ref(towers[0]._module)
        assert held() is not None
        give_back(away)
        gc.collect()
        assert held() is None, "its memory is free"


def test_a_run_learns_and_draws_without_the_tower(tmp_path: Path) -> None:
    """The tower is read once, before the first step; the adapter and the previews are those of a run that kept it."""
    folder = ideogram4_base(tmp_path / "base")
    base = load_base(folder)
    made: dict[bool, tuple[str, list[bytes]]] = {}
    for released in (False, True):
        family = load_family(base.family, folder, CPU, Loading(CPU, "fp32", tower_released=released))
        engine = engine_over(base, family, CPU, 1 << 24)
        tower = family.text_encoder  # type: ignore[attr-defined]
        assert isinstance(tower, Released) is released
        if released:
            assert not tower.is_here, "not while nobody trains"
        drawn = (PreviewPrompt(caption=SAMPLES[0].caption, seed=1),)
        order = train_order(
            SAMPLES, base=base.identity, holdout=(1,), steps=4, preview_every=2, checkpoint_every=2, previews=drawn
        )
        (work := tmp_path / f"run{released}").mkdir()
        engine.admit("t", order, BLOBS.__getitem__, work)
        there, events = [], []
        while engine.busy():
            step = engine.step()
            events += step
            learns = not any(isinstance(event, AdapterReady) for event in events)
            if released and learns and any(isinstance(event, PreviewDrawn) for event in step):
                there.append(tower.is_here)
        engine.close()
        [finished] = [event for event in events if isinstance(event, TrainFinished)]
        previews = [event.png for event in events if isinstance(event, PreviewDrawn)]
        made[released] = sha256_file(finished.path), previews
        if released:
            assert there == [False] * len(there) != []
    assert made[True] == made[False]


def planned(gib: float, purpose: str, *, on_host: bool, tower: str | None = None) -> Plan:
    found = published()["z-image-turbo"]
    wishes = Wishes(purpose, ("fp32",), tower, 0, found.lora_values, on_host=on_host)  # type: ignore[arg-type]
    return plan_for("z-image-turbo", found.sizes, found.passes, round(gib * (1 << 30)), wishes)


def test_a_plan_gives_the_tower_back_where_that_is_what_fits() -> None:
    whole = planned(1000, "training", on_host=True)
    assert whole.tower == "device"
    kept = planned(1000, "training", on_host=True, tower="device")
    least = min(planned(gib, "training", on_host=True).bytes for gib in (46, 1000))
    assert least < kept.bytes
    tight = planned(46, "training", on_host=True)
    assert tight.tower == "released"
    assert "text tower given back once the captions are read" in told(tight, "z-image-turbo")
    reading = next(row.bytes for row in tight.passes if row.what == "reading a text")
    assert reading > 4 * sum(part.values for part in published()["z-image-turbo"].sizes.towers)


def test_who_draws_cannot_give_it_back(tmp_path: Path) -> None:
    folder = ideogram4_base(tmp_path / "base")
    base = load_base(folder)
    from linocut.bases.sizes import sizes_of_folder

    sizes = sizes_of_folder(folder)
    with pytest.raises(InvalidRequest, match="Set LINOCUT_PURPOSE=training, or LINOCUT_TEXT_TOWER=host"):
        wishes_of(base, sizes, folder, True, Room(tower="released"), 0)
    wishes = wishes_of(base, sizes, folder, True, Room(tower="released", purpose="training"), 0)
    assert wishes.tower == "released"
    assert msgspec.structs.asdict(wishes)["purpose"] == "training"
