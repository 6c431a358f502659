"""The decoder's last lesson: what the transformer draws of a true picture, and to make the true picture of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLFlux2
from mini.tests.test_measures import PAINTER
from mini.tests.test_pretraining import TINY, fresh_words
from safetensors.torch import load_file, save_file

from linocut.bases import MINI
from pretrain import mend, vae
from pretrain.config import VaeConfig
from pretrain.data import encode
from pretrain.log import Log
from pretrain.mend import Drawn
from pretrain.net import Mini
from pretrain.sampling import schedule, unpack

SCALE = 4


def test_a_crop_of_a_picture_and_of_its_latents_is_the_same_place() -> None:
    """Pixels and latents that both say where they are."""
    places = torch.arange(32 * 32).view(1, 32, 32)
    pixels = (places % 251).repeat_interleave(SCALE, 1).repeat_interleave(SCALE, 2)
    drawn = Drawn(pixels[..., None].expand(-1, -1, -1, 3).to(torch.uint8), (places % 251)[:, None].half())
    x_bchw, z_bchw = drawn.crop(np.random.default_rng(0), 20, 64)
    assert x_bchw.shape == (20, 3, 64, 64)
    assert z_bchw.shape == (20, 1, 16, 16)
    assert torch.allclose((x_bchw[:, :1, ::SCALE, ::SCALE] + 1) * 127.5, z_bchw, atol=0.01)
    assert len({tuple(z.flatten().tolist()) for z in z_bchw}) > 10


def denormalised(autoencoder: AutoencoderKLFlux2, x_bpc: torch.Tensor) -> torch.Tensor:
    """Tokens in the decoder's own scale."""
    scale = torch.sqrt(autoencoder.bn.running_var + autoencoder.config.batch_norm_eps)
    return x_bpc * scale + autoencoder.bn.running_mean


def test_what_is_drawn_belongs_to_its_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transformer that says nothing leaves the noise in the latents; what is below it is the picture's own."""
    monkeypatch.setattr(mend, "LAST_STEPS", (1, 2))
    autoencoder, model = vae.build(VaeConfig()).train(False), Mini(TINY, fresh_words()).train(False)
    shipped = load_file(MINI / "vae" / "diffusion_pytorch_model.safetensors")
    autoencoder.load_state_dict(
        {name: tensor.to(autoencoder.state_dict()[name].dtype) for name, tensor in shipped.items()}
    )
    drawn = mend.draw(model, autoencoder, PAINTER, 20, 5, Log(Path("/dev/null")))
    assert drawn.pixels_bhwc.shape == (20, 128, 128, 3)
    true_bpc = encode(autoencoder, drawn.pixels_bhwc)
    assert torch.allclose(vae.pack(unpack(autoencoder, true_bpc, (16, 16))), denormalised(autoencoder, true_bpc))
    noise = schedule()[-2]
    shown_bpc = denormalised(autoencoder, (1 - noise) * true_bpc)
    left = vae.pack(drawn.latents_bchw.float())[:, None] - shown_bpc[None]
    assert (left.square().mean((2, 3)).argmin(1) == torch.arange(20)).all()
    again = mend.draw(model, autoencoder, PAINTER, 20, 5, Log(Path("/dev/null")))
    assert torch.equal(again.latents_bchw, drawn.latents_bchw)


def test_the_decoder_learns_to_mend_and_no_latent_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mend, "Painter", lambda _fonts: PAINTER)
    monkeypatch.setattr(mend, "HELD_OUT", 8)
    torch.manual_seed(3)
    before = vae.build(VaeConfig()).train(False)
    save_file({name: tensor.contiguous() for name, tensor in before.state_dict().items()}, tmp_path / "vae.safetensors")
    pixels = vae.pictures(PAINTER, 24, 1)
    with torch.no_grad():
        latents = before.encode(vae.to_tensor(pixels)).latent_dist.mean
    drawn = Drawn(torch.from_numpy(pixels), (latents + torch.randn_like(latents)).half().contiguous())
    save_file(vars(drawn), tmp_path / "drawn.safetensors")
    mend.mend(replace(VaeConfig(), seconds=6.0), tmp_path, tmp_path)
    after = vae.build(VaeConfig()).train(False)
    after.load_state_dict(load_file(tmp_path / "vae.safetensors"))
    kept = Drawn(drawn.pixels_bhwc[:8], drawn.latents_bchw[:8])
    assert mend.held_out(after, kept) < 0.92 * mend.held_out(before, kept)
    moved = [name for name, tensor in after.state_dict().items() if not torch.equal(tensor, before.state_dict()[name])]
    assert moved
    assert not [name for name in moved if not name.startswith(("decoder.", "post_quant_conv."))]


def test_a_shifted_edge_is_not_asked_to_blur() -> None:
    """Over pictures whose edge lies here or there a sharp edge between costs no more than a ramp."""
    columns = torch.arange(16)
    truths = torch.stack([(columns >= at).float().expand(3, 16, 16) * 2 - 1 for at in (6, 8, 10)])

    class Fixed:
        def __init__(self, picture: torch.Tensor) -> None:
            self.sample = picture.expand(3, 3, 16, 16)

        def decode(self, _: torch.Tensor) -> Fixed:
            return self

    sharp = Fixed((columns >= 8).float().expand(1, 3, 16, 16) * 2 - 1)
    ramp = Fixed((((columns - 5) / 6).clamp(0, 1) * 2 - 1).expand(1, 3, 16, 16))
    costs = [float(mend.loss_of(each, truths, truths)) for each in (sharp, ramp)]  # type: ignore[arg-type]
    assert costs[0] < costs[1]
