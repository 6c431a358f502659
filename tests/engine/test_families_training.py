"""Training through the families: gradients for the adapter and for nothing else, and the same ones as the library's."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine.family_support import CAPTION, METADATA, Tiny, hash_of, random_adapter, text_of_length
from tests.engine.family_support import start as noise
from tests.engine.family_support import tiny as make
from torch import Tensor

from linocut.engine.adapters.apply import Adapter
from linocut.engine.adapters.file import save_adapter
from linocut.engine.units import Denoise


@pytest.fixture(scope="module", params=["ideogram4", "flux2"])
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return make(request.param, tmp_path_factory.mktemp("base"))


def _learning(adapter: Adapter) -> Adapter:
    for factor in [*adapter.down.values(), *adapter.up.values()]:
        factor.requires_grad_()
    return adapter


def _loss(velocities: list[Tensor], targets: list[Tensor]) -> Tensor:
    pairs = zip(velocities, targets, strict=True)
    return torch.stack([(v_NC - target_NC).square().mean() for v_NC, target_NC in pairs]).mean()


def test_gradients_reach_every_factor_and_the_base_stays_as_it_was(tiny: Tiny) -> None:
    family, modules = tiny.family, tiny.modules()
    grid = family.grid(64, 48)
    latents = [noise(family, 64, 48, seed) for seed in (1, 2, 3)]
    texts = [text_of_length(family, 12), None, text_of_length(family, 30)]
    adapter = _learning(random_adapter(family, seed=4))
    assert len(modules) >= 3
    before = hash_of(modules)
    velocities = family.velocity_for_training(latents, grid, [0.2, 0.5, 0.9], texts, adapter)
    _loss(velocities, latents).backward()
    family.velocity([Denoise(latents[0], grid, 0.5, texts[0], adapter, 3.0)])
    for factors in (adapter.down, adapter.up):
        assert factors.keys() == family.lora_targets().keys()
        for name, factor in factors.items():
            assert factor.grad is not None, name
            assert factor.grad.abs().max() > 0, name
    for module in modules:
        assert not module.training
        for parameter in module.parameters():
            assert not parameter.requires_grad
            assert parameter.grad is None
    assert hash_of(modules) == before


def test_the_hash_sees_one_changed_weight(tiny: Tiny) -> None:
    """The guard of the test above is itself seen to hold."""
    modules = tiny.modules()
    before = hash_of(modules)
    weight = next(p for p in modules[-1].parameters() if p.dim() > 1)
    weight.data[0, 0] += 1e-3
    changed = hash_of(modules)
    weight.data[0, 0] -= 1e-3
    assert changed != before


def test_gradients_are_the_librarys(tiny: Tiny, tmp_path: Path) -> None:
    """The same loss through the library's pipeline with its own LoRA layers gives the same gradients."""
    family, sigma = tiny.family, 0.6
    x_NC, target_NC = noise(family, 64, 48, seed=5), noise(family, 64, 48, seed=6)
    adapter = random_adapter(family, seed=7)
    save_adapter(tmp_path / "a.safetensors", adapter, METADATA)
    (text,) = family.encode_text([CAPTION])
    velocities = family.velocity_for_training([x_NC], family.grid(64, 48), [sigma], [text], _learning(adapter))
    _loss(velocities, [target_NC]).backward()

    pipeline = tiny.stock()
    pipeline.load_lora_weights(str(tmp_path / "a.safetensors"))
    stock_NC = _stock_velocity(tiny, pipeline, x_NC, sigma, text.tensors["features_TF"])
    assert (velocities[0] - stock_NC).abs().max() <= 1e-4
    theirs = {name: p for name, p in pipeline.transformer.named_parameters() if "lora_" in name}
    for parameter in theirs.values():
        parameter.requires_grad_()
    _loss([_stock_velocity(tiny, pipeline, x_NC, sigma, text.tensors["features_TF"])], [target_NC]).backward()
    assert len(theirs) == 2 * len(family.lora_targets())
    for factors, letter in ((adapter.down, "A"), (adapter.up, "B")):
        for name, factor in factors.items():
            gradient = theirs[f"{name}.lora_{letter}.default_0.weight"].grad
            assert gradient is not None
            assert factor.grad is not None
            assert (factor.grad - gradient).abs().max() <= 1e-5 + 1e-4 * gradient.abs().max(), name


def _stock_velocity(tiny: Tiny, pipeline: Any, x_NC: Tensor, sigma: float, text_TF: Tensor) -> Tensor:
    """noise - data from the library's transformer, text before image, unpadded."""
    rows, columns = tiny.family.grid(64, 48)
    text, image = len(text_TF), len(x_NC)
    if tiny.name == "flux2":
        output: Tensor = pipeline.transformer(
            hidden_states=x_NC[None],
            encoder_hidden_states=text_TF[None],
            timestep=torch.tensor([sigma]),
            txt_ids=pipeline._prepare_text_ids(text_TF[None]),
            img_ids=pipeline._prepare_latent_ids(torch.zeros(1, 1, rows, columns)),
            return_dict=False,
        )[0]
        return output[0]
    position_ids, segment_ids, indicator = pipeline._prepare_ids([text], rows, columns, text, x_NC.device)
    output = pipeline.transformer(
        hidden_states=torch.cat([torch.zeros(text, x_NC.shape[1]), x_NC])[None],
        timestep=torch.tensor([1.0 - sigma]),
        encoder_hidden_states=torch.cat([text_TF, torch.zeros(image, text_TF.shape[1])])[None],
        position_ids=position_ids,
        segment_ids=segment_ids,
        indicator=indicator,
        return_dict=False,
    )[0]
    return -output[0, text:]


def test_a_zero_adapter_is_the_bare_base(tiny: Tiny) -> None:
    """A fresh LoRA (up = 0) must not change a bit of what the base says."""
    adapter = random_adapter(tiny.family, seed=8)
    zero = Adapter(adapter.down, {name: torch.zeros_like(up) for name, up in adapter.up.items()}, adapter.scale, "")
    x_NC, grid, text = noise(tiny.family, 64, 64, 9), tiny.family.grid(64, 64), text_of_length(tiny.family, 9)
    bare, fresh = (tiny.family.velocity([Denoise(x_NC, grid, 0.4, text, a, 2.0)])[0] for a in (None, zero))
    assert torch.equal(bare, fresh)


def test_drawing_leaves_no_gradients_behind(tiny: Tiny) -> None:
    adapter = _learning(random_adapter(tiny.family, seed=10))
    x_NC, grid = noise(tiny.family, 64, 64, 11), tiny.family.grid(64, 64)
    (drawn_NC,) = tiny.family.velocity([Denoise(x_NC, grid, 0.4, text_of_length(tiny.family, 9), adapter, 2.0)])
    assert not drawn_NC.requires_grad
    assert not drawn_NC.is_inference(), "a tensor of inference mode could never be trained on"
