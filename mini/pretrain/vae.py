"""The autoencoder: AutoencoderKLFlux2 at small size; its stages say how many pixels a latent covers.

Legend: _bchw = batch, channel, row, column; _bpc = batch, patch of 2 x 2 latents, channel in (row, column, channel)
order. Pixels are in -1..1.
"""

from __future__ import annotations

import copy
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLFlux2
from safetensors.torch import load_file, save_file
from torch.nn import functional

from pretrain.config import SIZES, VaeConfig
from pretrain.draw import Painter
from pretrain.log import Log
from pretrain.muon import Muon, split
from pretrain.patterns import lay_over
from pretrain.scene import sample

DECODER_NOISE = 0.6
"""Of latents with a deviation of about 2.4."""


def build(config: VaeConfig) -> AutoencoderKLFlux2:
    stages = len(config.encoder_channels)
    vae = AutoencoderKLFlux2(
        down_block_types=("DownEncoderBlock2D",) * stages,
        up_block_types=("UpDecoderBlock2D",) * stages,
        block_out_channels=config.encoder_channels,
        decoder_block_out_channels=config.decoder_channels,
        layers_per_block=1,
        latent_channels=config.latent_channels,
        norm_num_groups=8,
        sample_size=128,
        mid_block_add_attention=False,
    )
    with torch.no_grad():  # latents start almost without noise: at a deviation of one they say nothing for long
        vae.quant_conv.bias[config.latent_channels :] = -5.0
    return vae.to(memory_format=torch.channels_last)


def to_tensor(pixels: np.ndarray | torch.Tensor) -> torch.Tensor:
    """uint8 batch x height x width x 3 -> _bchw in -1..1, on the device of a tensor."""
    return torch.as_tensor(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def crops(painter: Painter, rng: np.random.Generator, config: VaeConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """(random crops, two of each drawn picture; which of them, _b, have a fine pattern laid over)."""
    out: list[np.ndarray] = []
    over: list[bool] = []
    while len(out) < config.batch:
        width, height = SIZES[int(rng.integers(len(SIZES)))]
        pixels, _, scene = painter.paint(sample(rng, width, height, float(rng.uniform(0.3, 1.0))))
        for index in range(2):
            # Half of the crops are centred on an item, where the detail is.
            if scene.items and index:
                box = scene.items[int(rng.integers(len(scene.items)))].box
                x, y = rng.uniform(box[0], box[2]) - config.crop / 2, rng.uniform(box[1], box[3]) - config.crop / 2
            else:
                x, y = rng.uniform(0, width - config.crop), rng.uniform(0, height - config.crop)
            x0, y0 = int(np.clip(x, 0, width - config.crop)), int(np.clip(y, 0, height - config.crop))
            part = pixels[y0 : y0 + config.crop, x0 : x0 + config.crop]
            over.append(bool(rng.random() < config.pattern_share))
            out.append(lay_over(part, rng) if over[-1] else part)
    return to_tensor(np.stack(out[: config.batch])), torch.tensor(over[: config.batch])


def losses(
    vae: AutoencoderKLFlux2,
    x_bchw: torch.Tensor,
    config: VaeConfig,
    noise: float = 0.0,
    kept: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """(training loss, mean squared error). With `noise` the encoder stands still, its latents blurred by up to that.

    `kept`: latents to stay near, _bchw, and the rows (_b, 0 or 1) that have to.
    """
    with torch.set_grad_enabled(not noise):
        posterior = vae.encode(x_bchw).latent_dist
    mean, logvar = posterior.mean, posterior.logvar.clamp(-12, 4)
    # What a transformer draws is never quite a latent: the decoder learns to clean up, most often a little.
    spread = noise * torch.rand(len(mean), 1, 1, 1).square() if noise else torch.exp(0.5 * logvar)
    z_bchw = mean + torch.randn_like(mean) * spread
    y_bchw = vae.decode(z_bchw).sample
    # Latents that can be scaled like pictures have a picture's spectrum, which is easier to draw from noise.
    small = None if noise else vae.decode(functional.avg_pool2d(z_bchw, 2)).sample
    error = y_bchw - x_bchw
    mse = error.square().mean()
    # Edges decide whether letters can be read: the same error on horizontal and vertical differences.
    edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
    total = error.abs().mean() + 2.0 * mse + 0.5 * edges + config.kl_weight * kl
    if small is not None:
        total = total + config.scale_weight * (small - functional.avg_pool2d(x_bchw, 2)).abs().mean()
    if kept is not None:
        moved = (mean - kept[0]).square().mean((1, 2, 3)) * kept[1]
        total = total + config.keep_weight * moved.mean()
    return total, mse


def optimisers_of(
    vae: AutoencoderKLFlux2, config: VaeConfig, decoder_only: bool
) -> tuple[list[torch.optim.Optimizer], list[torch.nn.Parameter]]:
    """Muon for the convolutions, AdamW for first and last layers, norms and biases; and the latter's parameters."""
    if decoder_only:
        for part in (vae.encoder, vae.quant_conv):
            part.requires_grad_(False)
    matrices, rest = split(vae, ("conv_in", "encoder.conv_out", "decoder.conv_out", "quant_conv"))
    matrices, rest = ([p for p in group if p.requires_grad] for group in (matrices, rest))
    return [
        Muon(matrices, config.lr),
        torch.optim.AdamW(rest, config.adam_lr, betas=(0.9, 0.95), weight_decay=0.0),
    ], rest


def train(
    config: VaeConfig, work: Path, fonts: Path, resume: bool, decoder_only: bool, keep_latents: bool = False
) -> None:
    """Train for `config.seconds` of CPU, at half of the rate when it resumes.

    `decoder_only` keeps every latent and sharpens what is drawn from it;
    `keep_latents` trains all, but holds the latents of pictures without a fine pattern near where they were.
    """
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    log = Log(work / "vae.jsonl")
    painter = Painter(fonts)
    vae = build(config)
    path = work / "vae.safetensors"
    if resume and path.exists():
        vae.load_state_dict(load_file(path))
    before = copy.deepcopy(vae) if keep_latents else None
    optimisers, rest = optimisers_of(vae, config, decoder_only)
    begun, step, running = time.process_time(), 0, 0.0
    rates = [config.lr / 2, config.adam_lr / 2] if resume else [config.lr, config.adam_lr]
    while (spent := (time.process_time() - begun) / config.seconds) < 1.0:
        rng = np.random.default_rng((config.seed, step, int(resume) + 2 * int(decoder_only)))
        fall = min(1.0, (1.0 - spent) / (1.0 - config.decay_from))
        for optimiser, rate in zip(optimisers, rates, strict=True):
            optimiser.param_groups[0]["lr"] = rate * fall * min(1.0, (step + 1) / 20)
        x_bchw, over_b = crops(painter, rng, config)
        x_bchw = x_bchw.contiguous(memory_format=torch.channels_last)
        kept = None
        if before is not None:
            with torch.no_grad():
                kept = before.encode(x_bchw).latent_dist.mean, (~over_b).float()
        loss, mse = losses(vae, x_bchw, config, DECODER_NOISE if decoder_only else 0.0, kept)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(rest, 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        running = mse.item() if step == 0 else 0.97 * running + 0.03 * mse.item()
        step += 1
        if step % 50 == 0:
            log(stage="vae", step=step, loss=round(loss.item(), 4), psnr=round(psnr(running), 2))
        if step % 500 == 0:
            save_file({k: v.contiguous() for k, v in vae.state_dict().items()}, path)
    if not decoder_only and not keep_latents:
        measure_latents(vae, painter)
    save_file({k: v.contiguous() for k, v in vae.state_dict().items()}, path)
    log(stage="vae", step=step, done=True, psnr=round(evaluate(vae, painter, work), 2))


def mirror_rims(config: VaeConfig, work: Path, fonts: Path) -> None:
    """Teach the encoder for `config.seconds` of CPU to see at its rims what it would see if the picture went on,
    mirrored: its zero padding otherwise marks them with codes of their own. All other latents stay as they are."""
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    log, painter, vae, path = Log(work / "vae.jsonl"), Painter(fonts), build(config), work / "vae.safetensors"
    vae.load_state_dict(load_file(path))
    teacher = copy.deepcopy(vae)
    vae.decoder.requires_grad_(False)
    matrices, rest = split(vae, ("conv_in", "encoder.conv_out", "quant_conv"))
    matrices, rest = ([p for p in group if p.requires_grad] for group in (matrices, rest))
    optimisers = [Muon(matrices, config.lr / 4), torch.optim.AdamW(rest, config.adam_lr / 4, weight_decay=0.0)]
    rates = [optimiser.param_groups[0]["lr"] for optimiser in optimisers]
    spread = config.token**2 // 4  # pixels of mirrored picture on each side, a whole number of latents
    inner = spread * 2 // config.token
    begun, step = time.process_time(), 0
    while (spent := (time.process_time() - begun) / config.seconds) < 1.0:
        x_bchw, _ = crops(painter, np.random.default_rng((config.seed, step, 9)), config)
        with torch.no_grad():
            wide = teacher.encode(functional.pad(x_bchw, (spread,) * 4, mode="reflect")).latent_dist.mean
        wanted = wide[..., inner:-inner, inner:-inner]
        error = vae.encode(x_bchw).latent_dist.mean - wanted
        loss = error.square().mean()
        loss.backward()
        for optimiser, rate in zip(optimisers, rates, strict=True):
            optimiser.param_groups[0]["lr"] = rate * min(1.0, 2 * (1 - spent)) * min(1.0, (step + 1) / 20)
            optimiser.step()
            optimiser.zero_grad()
        step += 1
        if step % 50 == 0:
            part = error.detach()[..., 1:-1, 1:-1].square().mean().item()
            log(stage="rims", step=step, loss=round(loss.item(), 4), inside=round(part, 4))
    save_file({k: v.contiguous() for k, v in vae.state_dict().items()}, path)


def psnr(mse: float) -> float:
    return float(10 * np.log10(4.0 / max(mse, 1e-9)))


def pack(z_bchw: torch.Tensor) -> torch.Tensor:
    """Latents -> _bpc tokens in row-major order of patches."""
    b, c, h, w = z_bchw.shape
    tiles = z_bchw.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 3, 5, 1)
    return tiles.reshape(b, (h // 2) * (w // 2), 4 * c)


def pictures(painter: Painter, count: int, seed: int, level: float = 0.8) -> np.ndarray:
    return np.stack([painter.paint(sample(np.random.default_rng((seed, i)), 128, 128, level))[0] for i in range(count)])


@torch.no_grad()
def measure_latents(vae: AutoencoderKLFlux2, painter: Painter) -> None:
    """Set the batch-norm buffers that the pipeline uses to bring tokens to mean 0, variance 1."""
    tokens = torch.cat(
        [pack(vae.encode(to_tensor(part)).latent_dist.mean) for part in np.split(pictures(painter, 256, 5), 16)]
    )
    vae.bn.running_mean.copy_(tokens.mean((0, 1)))
    vae.bn.running_var.copy_(tokens.var((0, 1)))


@torch.no_grad()
def evaluate(vae: AutoencoderKLFlux2, painter: Painter, work: Path) -> float:
    """PSNR in dB of 64 held-out pictures; leaves a sheet of truth above reconstruction."""
    from PIL import Image

    truth = pictures(painter, 64, 99)
    x = to_tensor(truth)
    y = torch.cat([vae.decode(vae.encode(part).latent_dist.mean).sample.clamp(-1, 1) for part in torch.split(x, 16)])
    back = ((y + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    rows = [np.concatenate(list(group[i : i + 8]), 1) for i in (0, 8, 16) for group in (truth, back)]
    Image.fromarray(np.concatenate(rows)).save(work / "vae.png")
    return psnr(functional.mse_loss(y, x).item())
