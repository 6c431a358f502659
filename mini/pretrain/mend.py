"""The decoder's last lesson: to set small faults of the transformer right.

A true picture's latents are brought to a high noise and drawn back from there: the same picture, in the same place,
with the frayed edges and blotches of a drawn one. The decoder learns to make the true picture of them, beside true
latents, so that those are decoded as well as before. No latent moves. Legend as in vae.py.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLFlux2
from safetensors.torch import load_file, save_file

from pretrain import captions, tokenizer, vae
from pretrain.config import TransformerConfig, VaeConfig
from pretrain.data import TOKEN, encode
from pretrain.draw import Painter
from pretrain.log import Log
from pretrain.net import Mini
from pretrain.sampling import denoise, schedule, unpack
from pretrain.scene import sample
from pretrain.train import averaged, load_vae

SIDE = 128
LAST_STEPS = (2, 8)
"""How many steps of the schedule are drawn anew, from noise of 0.66 to 0.86. From higher noise on letters move."""
GROUP = 16
CROWDS = 0.3
HELD_OUT = 128
"""Of the drawn pictures, the first are kept for the log."""


@dataclass
class Drawn:
    """Pictures and what was drawn of them."""

    pixels_bhwc: torch.Tensor  # uint8
    latents_bchw: torch.Tensor  # float16, as the decoder takes them

    def crop(self, rng: np.random.Generator, count: int, side: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(pictures _bchw in -1..1, their latents _bchw): `count` windows of `side` pixels."""
        scale = self.pixels_bhwc.shape[1] // self.latents_bchw.shape[2]
        x, z = [], []
        for index in rng.integers(0, len(self.pixels_bhwc), count):
            row, col = (int(v) for v in rng.integers(0, (self.pixels_bhwc.shape[1] - side) // scale + 1, 2))
            high, wide = slice(row, row + side // scale), slice(col, col + side // scale)
            z.append(self.latents_bchw[index, :, high, wide])
            x.append(self.pixels_bhwc[index, row * scale : row * scale + side, col * scale : col * scale + side])
        return torch.stack(x).permute(0, 3, 1, 2).float() / 127.5 - 1.0, torch.stack(z).float()


def draw(model: Mini, autoencoder: AutoencoderKLFlux2, painter: Painter, count: int, seed: int, log: Log) -> Drawn:
    """`count` pictures and what the transformer makes of them."""
    words = tokenizer.build()
    grid, sigmas = (SIDE // TOKEN, SIDE // TOKEN), schedule()
    pixels: list[torch.Tensor] = []
    latents: list[torch.Tensor] = []
    for group in range(-(-count // GROUP)):
        rng = np.random.default_rng((seed, group))
        levels = rng.uniform(0.3, 0.9, GROUP)
        painted = [painter.paint(sample(rng, SIDE, SIDE, float(level), CROWDS)) for level in levels]
        shown = torch.from_numpy(np.stack([p[0] for p in painted]))
        true_bnc = encode(autoencoder, shown)
        asked = [captions.serialise(captions.full(scene)) for _, _, scene in painted]
        left = sigmas[-1 - int(rng.integers(*LAST_STEPS)) :]
        noise = torch.randn(true_bnc.shape, generator=torch.Generator().manual_seed(seed * 1_000_003 + group))
        x_bnc = denoise(model, words, asked, (1 - left[0]) * true_bnc + left[0] * noise, left, grid)
        latents.append(unpack(autoencoder, x_bnc, grid).half())
        pixels.append(shown)
        log(stage="drawn", pictures=(group + 1) * GROUP)
    return Drawn(torch.cat(pixels)[:count], torch.cat(latents)[:count].contiguous())


def loss_of(autoencoder: AutoencoderKLFlux2, x_bchw: torch.Tensor, z_bchw: torch.Tensor) -> torch.Tensor:
    """Of decoding what was drawn of the pictures `x_bchw`.

    Distances, not squares: where an edge may lie here or there, squares ask for a blurred one, distances for one edge.
    """
    error = autoencoder.decode(z_bchw).sample - x_bchw
    edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    loss: torch.Tensor = error.abs().mean() + 0.5 * edges
    return loss


def mend(config: VaeConfig, work: Path, fonts: Path) -> None:
    """Train the decoder for `config.seconds` of CPU on ``drawn.safetensors`` and on true latents, half of each.

    Where the work folder has no such file, its transformer (the averaged weights) draws it first.
    """
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    log, painter, path = Log(work / "vae.jsonl"), Painter(fonts), work / "vae.safetensors"
    autoencoder, drawn_path = load_vae(work), work / "drawn.safetensors"
    if not drawn_path.exists():
        made = draw(averaged(work, TransformerConfig()), autoencoder, painter, config.drawn, config.drawn_seed, log)
        save_file(vars(made), drawn_path)
    whole = Drawn(**load_file(drawn_path))
    kept = Drawn(whole.pixels_bhwc[:HELD_OUT], whole.latents_bchw[:HELD_OUT])
    shown = Drawn(whole.pixels_bhwc[HELD_OUT:], whole.latents_bchw[HELD_OUT:])
    optimisers, rest = vae.optimisers_of(autoencoder, config, decoder_only=True)
    log(stage="mend", step=0, held_out=held_out(autoencoder, kept))
    begun, step = time.process_time(), 0
    while (spent := (time.process_time() - begun) / config.seconds) < 1.0:
        rng = np.random.default_rng((config.seed, step, 11))
        fall = min(1.0, (1.0 - spent) / (1.0 - config.decay_from)) * min(1.0, (step + 1) / 20)
        for optimiser, rate in zip(optimisers, (config.lr / 2, config.adam_lr / 2), strict=True):
            optimiser.param_groups[0]["lr"] = rate * fall
        true_bchw, _ = vae.crops(painter, rng, config)
        plain, _ = vae.losses(autoencoder, true_bchw, config, vae.DECODER_NOISE)
        mended = loss_of(autoencoder, *shown.crop(rng, config.batch, config.crop))
        (plain + mended).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(rest, 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        step += 1
        if step % 50 == 0:
            log(stage="mend", step=step, plain=round(plain.item(), 4), mended=round(mended.item(), 4))
        if step % 500 == 0:
            log(stage="mend", step=step, held_out=held_out(autoencoder, kept))
            save_file({k: v.contiguous() for k, v in autoencoder.state_dict().items()}, path)
    save_file({k: v.contiguous() for k, v in autoencoder.state_dict().items()}, path)
    psnr = round(vae.evaluate(autoencoder, painter, work), 2)
    log(stage="mend", step=step, done=True, psnr=psnr, held_out=held_out(autoencoder, kept))


@torch.no_grad()
def held_out(autoencoder: AutoencoderKLFlux2, kept: Drawn) -> float:
    """Loss over whole pictures that the decoder was not trained on."""
    parts = []
    for pixels, latents in zip(torch.split(kept.pixels_bhwc, 16), torch.split(kept.latents_bchw, 16), strict=True):
        parts.append(loss_of(autoencoder, vae.to_tensor(pixels), latents.float()).item())
    return round(float(np.mean(parts)), 4)
