"""What a batch is trained on: the velocity, smooth and plain, and the auxiliary heads.

Legend as in net.py.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from pretrain.config import TransformerConfig
from pretrain.data import FRAME, Batch
from pretrain.draw import CLASS_OF, CLASSES
from pretrain.net import Mini
from pretrain.spelling import MARKS

FIRST_LETTER = CLASS_OF["A"]
FAR = 8.0
"""Tokens from the first to the middle of a native picture."""


def losses(
    model: Mini, batch: Batch, rng: torch.Generator | None, done: float
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """(training loss, its parts by name); noise by `rng` (None: the device's own), `done` is a share of the run."""
    config, device = model.config, batch.latent_bnc.device
    late = min(1.0, done / 0.8)
    mean = config.sigma_mean + (config.sigma_mean_late - config.sigma_mean) * late
    b = batch.latent_bnc.shape[0]
    sigma_b = torch.sigmoid(mean + config.sigma_std * torch.randn(b, generator=rng, device=device))
    noise_bnc = torch.randn(batch.latent_bnc.shape, generator=rng, device=device)
    mix = sigma_b[:, None, None]
    z_bnc = (1 - mix) * batch.latent_bnc + mix * noise_bnc
    # On a CPU in single precision: without AMX it multiplies bf16 at half of its speed (0.35 beside 0.51 s a step).
    v_bnc, told = model(z_bnc, sigma_b, batch.ids_bl, batch.lengths_b, batch.grid, batch.corners_b2)
    error_bnc = v_bnc - (batch.latent_bnc - noise_bnc)
    square_bn = error_bnc.square().mean(-1)
    inked = torch.where(batch.labels_bn >= FIRST_LETTER, config.letter_weight, config.figure_weight)
    weight_bn = torch.where(batch.labels_bn > 0, inked, 1.0)
    weighted = (square_bn * weight_bn).mean()
    # Without its caption a picture's colours cannot be known: only rows with one are asked for them.
    told_b11 = (batch.lengths_b > 0).float()[:, None, None]
    share = told_b11.mean().clamp(min=1 / b)
    near, whole = (part / share for part in smooth(error_bnc * told_b11, batch.grid))
    logits, colours_bn3 = told["fill"].split((len(CLASSES), 3), -1)
    parts = {
        "flow": square_bn.mean(),
        "near": near,
        "whole": whole,
        "classes": functional.cross_entropy(logits.flatten(0, 1), batch.labels_bn.flatten()),
        "strokes": functional.binary_cross_entropy_with_logits(told["ink"], batch.strokes_bnc),
        "colours": ((colours_bn3 - batch.colours_bn3).square() * told_b11).mean() / share,
    }
    # A window's place in its picture can only be known beside a caption, whose first token is where counting starts.
    places_bn2 = where(batch) / FAR - 1.0
    parts["places"] = ((told["place"] - places_bn2).abs() * told_b11).mean() / share
    inside_bn1 = batch.frames_bn5[..., FRAME:] * told_b11
    apart_bn4 = functional.smooth_l1_loss(told["frame"], batch.frames_bn5[..., :FRAME], reduction="none", beta=0.1)
    parts["frames"] = (apart_bn4 * inside_bn1).sum() / (FRAME * inside_bn1.sum().clamp(min=1.0))
    letters_bl1 = batch.marks_bl3[..., MARKS:]
    off_bl2 = (told["spell"] - batch.marks_bl3[..., :MARKS]).abs()
    parts["spelling"] = (off_bl2 * letters_bl1).sum() / (MARKS * letters_bl1.sum().clamp(min=1.0))
    total = (
        weighted
        + config.smooth_weight * (near + whole)
        + config.class_weight * parts["classes"]
        + config.stroke_weight * parts["strokes"]
        + config.colour_weight * parts["colours"]
        + config.place_weight * parts["places"]
        + config.frame_weight * parts["frames"]
        + config.spelling_weight * parts["spelling"]
    )
    return total, {name: part.detach() for name, part in parts.items()}


def noise_of(config: TransformerConfig, step: int, part: int) -> torch.Generator:
    """The noise of a step; `part` 0 or 1: which half of its batch."""
    return torch.Generator().manual_seed((config.seed * 1_000_003 + step) * 2 + part)


def where(batch: Batch) -> torch.Tensor:
    """Row and column of each token in its whole picture, _bn2."""
    device = batch.corners_b2.device
    rows, cols = torch.meshgrid(*(torch.arange(side, device=device) for side in batch.grid), indexing="ij")
    return torch.stack((rows, cols), -1).view(1, -1, 2) + batch.corners_b2[:, None]


def smooth(error_bnc: torch.Tensor, grid: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean square of the error averaged over 3 x 3 tokens and over all; each as large as the plain one for white error.

    The plain error hardly sees a colour that is a little off everywhere, the eye sees little else.
    """
    b, n, c = error_bnc.shape
    tiles = error_bnc.mT.reshape(b, c, *grid)
    near = functional.avg_pool2d(tiles, 3, 1).square().mean() * 9
    return near, error_bnc.mean(1).square().mean() * n
