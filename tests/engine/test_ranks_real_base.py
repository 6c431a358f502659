"""Two devices over the library's own networks, in the real engine, with images drawn meanwhile."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine.engine_orders import generate_order
from tests.engine.tiny_grouped import z_image_base
from tests.engine.training_support import dataset, train_order

from linocut.bases import Base, load_base
from linocut.engine.adapters.file import load_adapter
from linocut.engine.asked import Room
from linocut.engine.open import open_engine
from linocut.orders import ImageDrawn, RunNoted, TrainFinished

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]
BLOBS, SAMPLES = dataset(5)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Base, Path]]:
    threads = torch.get_num_threads()
    folder = z_image_base(tmp_path_factory.mktemp("base"))
    yield load_base(folder), folder
    torch.set_num_threads(threads)


def trained(
    base: tuple[Base, Path], place: Path, devices: int, *, batch_size: int = 3, **room: Any
) -> tuple[list[Any], torch.Tensor, bytes]:
    """(events, weights, the image that was drawn meanwhile)."""
    facts, folder = base
    engine = open_engine("torch", facts, folder, 1, 1 << 20, Room(devices=devices, **room))
    order = train_order(
        SAMPLES, base=facts.identity, steps=4, batch_size=batch_size, checkpoint_every=2, preview_every=4,
        rank=4, alpha=4.0, holdout=(1,),
    )  # fmt: skip
    drawn = generate_order(base=facts.identity, seeds=(7,), steps=2)
    events: list[Any] = []
    try:
        engine.admit("run", order, BLOBS.__getitem__, place)
        engine.admit("image", drawn, BLOBS.__getitem__, place / "image")
        while engine.busy():
            events += engine.step()
    finally:
        engine.close()
    [last] = [one for one in events if one.key == "run" and isinstance(one, TrainFinished)]
    adapter, _ = load_adapter(last.path, targets=_targets(last.path), base=facts.identity)
    weights = torch.cat([one.reshape(-1) for _, one in sorted({**adapter.down, **adapter.up}.items())])
    [image] = [one.png for one in events if isinstance(one, ImageDrawn)]
    return events, weights, image


def _targets(path: Path) -> dict[str, tuple[int, int]]:
    from safetensors.torch import load_file

    found = load_file(path)
    ends = (".lora_A.weight", ".lora_B.weight")
    names = {
        name.removesuffix(end).removeprefix("transformer.") for name in found for end in ends if name.endswith(end)
    }
    return {
        name: (found[f"transformer.{name}{ends[0]}"].shape[1], found[f"transformer.{name}{ends[1]}"].shape[0])
        for name in names
    }


def test_two_equal_one_and_images_are_drawn_meanwhile(base: tuple[Base, Path], tmp_path: Path) -> None:
    _, one, image = trained(base, tmp_path / "one", 1)
    events, both, meanwhile = trained(base, tmp_path / "two", 2)
    apart = float((both - one).norm() / one.norm())
    print(f"weights {apart:.1e} apart")
    assert apart < 1e-5
    assert meanwhile == image
    assert [one.note for one in events if isinstance(one, RunNoted)] == [
        "From step 1 on 2 devices learn together, with the same pictures in each step."
    ]


@pytest.mark.parametrize("batch_size", [3, 1])
def test_a_base_in_parts_learns_the_same(base: tuple[Base, Path], tmp_path: Path, batch_size: int) -> None:
    """Three pictures a step are uneven among two; of one, the second device only takes part."""
    _, one, image = trained(base, tmp_path / "one", 1, batch_size=batch_size)
    _, parts, meanwhile = trained(base, tmp_path / "two", 2, batch_size=batch_size, divided=True)
    apart = float((parts - one).norm() / one.norm())
    print(f"batch of {batch_size}: weights {apart:.1e} apart")
    assert apart < 1e-5
    assert meanwhile == image
