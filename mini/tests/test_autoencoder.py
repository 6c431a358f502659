"""The autoencoder's own rules: rims, fine patterns, and latents that stay where the transformer knows them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mini.tests.test_measures import PAINTER
from safetensors.torch import load_file, save_file

from linocut.bases import MINI
from pretrain import vae
from pretrain.__main__ import main
from pretrain.config import VaeConfig
from pretrain.patterns import coverage, lay_over

SMALL = replace(VaeConfig(), encoder_channels=(8, 16, 24), decoder_channels=(8, 8, 8), seconds=3.0, crop=32)


def test_the_shipped_encoder_does_not_mark_its_rims() -> None:
    model = vae.build(VaeConfig())
    shipped = load_file(MINI / "vae" / "diffusion_pytorch_model.safetensors")
    model.load_state_dict({name: tensor.float() if tensor.is_floating_point() else tensor
                           for name, tensor in shipped.items()})  # fmt: skip
    assert rim_mark(model, 128) < 0.1


def test_an_encoder_learns_not_to_mark_its_rims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vae, "Painter", lambda _fonts: PAINTER)
    torch.manual_seed(3)
    before = vae.build(SMALL)
    with torch.no_grad():  # as in one that has learned: features have a mean, beside which padding is a mark
        before.encoder.conv_norm_out.bias += 2.0
    save_file({name: tensor.contiguous() for name, tensor in before.state_dict().items()}, tmp_path / "vae.safetensors")
    vae.mirror_rims(SMALL, tmp_path, tmp_path)
    after = vae.build(SMALL)
    after.load_state_dict(load_file(tmp_path / "vae.safetensors"))
    assert rim_mark(after) < 0.6 * rim_mark(before), (rim_mark(after), rim_mark(before))
    decoders = (model.decoder.state_dict() for model in (before, after))
    assert all(torch.equal(one, other) for one, other in zip(*(d.values() for d in decoders), strict=True))


@torch.no_grad()
def rim_mark(model: torch.nn.Module, side: int = 64) -> float:
    """How far plain pictures' outermost latents are from those in the middle, in deviations of latents."""
    colours = torch.rand(24, 3, 1, 1, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latents = model.encode(colours.expand(-1, -1, side, side)).latent_dist.mean
    middle = latents.shape[-1] // 2
    off = (latents - latents[..., middle : middle + 1, middle : middle + 1]) / latents[..., middle, middle].std()
    rim = torch.cat([off[..., 0, :], off[..., -1, :], off[..., :, 0], off[..., :, -1]], -1)
    return float(rim.square().mean().sqrt())


def test_latents_stay_where_they_were_when_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vae, "Painter", lambda _fonts: PAINTER)
    torch.manual_seed(3)
    before, after = vae.build(SMALL), vae.build(SMALL)
    start = {name: tensor.contiguous() for name, tensor in before.state_dict().items()}
    x_bchw = vae.to_tensor(vae.pictures(PAINTER, 4, 1))
    moved = []
    for weight in (0.0, 50.0):
        save_file(start, tmp_path / "vae.safetensors")
        config = replace(SMALL, keep_weight=weight)
        vae.train(config, tmp_path, tmp_path, resume=True, decoder_only=False, keep_latents=True)
        after.load_state_dict(load_file(tmp_path / "vae.safetensors"))
        with torch.no_grad():
            one, other = (model.encode(x_bchw).latent_dist.mean for model in (before, after))
        moved.append(float((one - other).square().mean().sqrt() / one.std()))
        # The transformer's numbers for mean and deviation stay too.
        assert all(torch.equal(start[name], after.state_dict()[name]) for name in ("bn.running_mean", "bn.running_var"))
    assert 0 < moved[1] < moved[0] / 3, moved


@pytest.mark.parametrize("beside", [[], ["--resume", "--decoder-only"], ["--resume", "--mirror-rims"]])
def test_keeping_latents_is_refused_where_it_would_mean_nothing(
    beside: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pretrain", "vae", "--keep-latents", *beside])
    with pytest.raises(SystemExit):
        main()
    assert "--keep-latents needs --resume" in capsys.readouterr().err


def test_crops_say_which_of_them_have_a_fine_pattern() -> None:
    config = replace(SMALL, pattern_share=0.5, batch=8)
    made = [vae.crops(PAINTER, np.random.default_rng(seed), config) for seed in range(4)]
    assert 0.2 < np.mean([over.float().mean() for _, over in made]) < 0.8
    assert all(crop.shape == (8, 3, 32, 32) for crop, _ in made)
    _, none = vae.crops(PAINTER, np.random.default_rng(0), replace(config, pattern_share=0.0))
    assert not none.any()


def test_patterns_are_fine_and_cover_a_part() -> None:
    """Two colours that alternate within a dozen pixels; elsewhere the picture stays as it was."""
    for seed in range(30):
        mix = coverage(np.random.default_rng(seed), 64)
        assert mix.shape == (64, 64)
        assert 0 <= mix.min() < mix.max() <= 1
        assert mix.reshape(4, 16, 4, 16).std((1, 3)).min() > 0.02, seed
    plain = np.full((64, 64, 3), 90, np.uint8)
    kept = [float((lay_over(plain, np.random.default_rng(seed)) == 90).all(-1).mean()) for seed in range(40)]
    assert min(kept) < 0.05
    assert 0.1 < np.mean(kept) < 0.6
    assert (plain == 90).all()
