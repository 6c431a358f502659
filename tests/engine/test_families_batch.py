"""One forward pass for many items: each comes out as if it had been alone, and none hears of another."""

from dataclasses import replace

import pytest
import torch
from tests.engine.family_support import Tiny, random_adapter, text_of_length
from tests.engine.family_support import start as noise
from tests.engine.family_support import tiny as make
from torch import Tensor

from linocut.engine.units import Denoise


@pytest.fixture(scope="module", params=["ideogram4", "flux2"])
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return make(request.param, tmp_path_factory.mktemp("base"))


def _item(tiny: Tiny, size: tuple[int, int], sigma: float, letters: int, adapter_seed: int, guidance: float) -> Denoise:
    """``letters`` -1: no text; ``adapter_seed`` 0: the bare base."""
    text = None if letters < 0 else text_of_length(tiny.family, letters)
    adapter = random_adapter(tiny.family, adapter_seed) if adapter_seed else None
    latents_NC = noise(tiny.family, *size, seed=letters + 10)
    return Denoise(latents_NC, tiny.family.grid(*size), sigma, text, adapter, guidance)


def _mixed(tiny: Tiny) -> list[Denoise]:
    """Sizes, noise levels, texts, adapters and guidance all differ; two pairs share a size, one an adapter object."""
    first = _item(tiny, (64, 64), 0.9, 20, 1, 3.0)
    return [
        first,
        _item(tiny, (96, 32), 0.31, 5, 0, 1.0),
        _item(tiny, (64, 64), 0.5, 20, 2, 4.5),
        _item(tiny, (32, 96), 0.99, -1, 1, 2.0),
        replace(_item(tiny, (96, 32), 0.05, 33, 0, 3.0), adapter=first.adapter),
        _item(tiny, (64, 64), 0.2, 7, 0, 1.0),
    ]


def _differ(one_NC: Tensor, other_NC: Tensor) -> float:
    return float((one_NC - other_NC).abs().max())


def test_an_item_in_a_mixed_batch_is_the_item_alone(tiny: Tiny) -> None:
    items = _mixed(tiny)
    together = tiny.family.velocity(items)
    for item, in_company_NC in zip(items, together, strict=True):
        (alone_NC,) = tiny.family.velocity([item])
        assert alone_NC.dtype == torch.float32
        assert alone_NC.shape == item.latents.shape
        assert torch.equal(alone_NC, tiny.family.velocity([item])[0]), "alone it is bit-equal to itself alone"
        assert _differ(alone_NC, in_company_NC) <= 1e-4


def test_the_order_of_a_batch_does_not_matter(tiny: Tiny) -> None:
    items = _mixed(tiny)
    forwards, backwards = tiny.family.velocity(items), tiny.family.velocity(items[::-1])[::-1]
    assert max(map(_differ, forwards, backwards)) <= 1e-4


@pytest.mark.parametrize("change", ["adapter", "no adapter", "text", "latents", "sigma", "guidance"])
def test_changing_one_item_leaves_the_others_alone(tiny: Tiny, change: str) -> None:
    items = _mixed(tiny)
    before = tiny.family.velocity(items)
    for changed in (0, 5):  # one that shares size and adapter with others, and a bare one
        other = {
            "adapter": {"adapter": random_adapter(tiny.family, 9)},
            "no adapter": {"adapter": None if items[changed].adapter else random_adapter(tiny.family, 9)},
            "text": {"text": text_of_length(tiny.family, 11)},
            "latents": {"latents": items[changed].latents.flip(0)},
            "sigma": {"sigma": 0.65},
            "guidance": {"guidance": 6.0},
        }[change]
        after = tiny.family.velocity([replace(item, **other) if i == changed else item for i, item in enumerate(items)])
        for i, (was_NC, is_NC) in enumerate(zip(before, after, strict=True)):
            if i == changed:
                assert _differ(was_NC, is_NC) > 1e-3, "the change must show in the item that was changed"
            else:
                assert _differ(was_NC, is_NC) <= 1e-5


def test_items_of_one_adapter_share_its_matmul(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    from linocut.engine.adapters import apply
    from linocut.engine.families.parts import flux2_network, ideogram4_network

    shares_seen: set[int] = set()

    def watching(*arguments: object) -> Tensor:
        shares_seen.add(len(arguments[3]))  # type: ignore[arg-type]
        return apply.project(*arguments)  # type: ignore[arg-type]

    for network in (flux2_network, ideogram4_network):
        monkeypatch.setattr(network, "project", watching)
    item = _item(tiny, (64, 64), 0.5, 20, 1, 1.0)
    other = _item(tiny, (64, 64), 0.4, 20, 2, 1.0)
    tiny.family.velocity([item, other, replace(item, sigma=0.3), replace(other, sigma=0.2)])
    assert shares_seen == {2}


def test_an_empty_batch_is_no_work(tiny: Tiny) -> None:
    assert tiny.family.velocity([]) == []


def test_a_caption_is_projected_once_and_forgotten_with_it(tiny: Tiny) -> None:
    """The frozen text projection is kept for as long as its features live, and no longer."""
    network = vars(tiny.family).get("conditional") or vars(tiny.family)["network"]
    item = _item(tiny, (64, 64), 0.5, 20, 0, 1.0)
    known = len(network._texts_TE)
    tiny.family.velocity([item])
    tiny.family.velocity([replace(item, sigma=0.2)])
    assert len(network._texts_TE) == known + 1
    del item
    assert len(network._texts_TE) == known
