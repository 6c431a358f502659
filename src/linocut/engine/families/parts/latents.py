"""Pictures to latents and back: what every autoencoder needs, and AutoencoderKLFlux2 with its batch-norm statistics.

Shapes: H and W pixels, K latent channels, h and w latent rows and columns (H / 8), r and c token rows and columns
(H / 16), P = 2 the patch's side, N = r x c image tokens, C = K x P x P channels of a token.
"""

import torch
from diffusers import AutoencoderKLFlux2
from torch import Tensor, device

from linocut.engine.families.items import Grid
from linocut.engine.families.parts.tiles import tiled
from linocut.errors import InvalidRequest

PATCH = 2


class Latents:
    """The VAE of a base, with the order in which its family lays a patch's values into a token's channels.

    ``channel_first`` True: (channel, patch row, patch column), FLUX.2; False: (patch row, patch column, channel),
    Ideogram 4. The batch-norm statistics are in the same order.
    """

    def __init__(self, vae: AutoencoderKLFlux2, channel_first: bool) -> None:
        self.vae = vae
        self.channel_first = channel_first
        self.pixels_per_token = PATCH * 2 ** (len(vae.config.block_out_channels) - 1)
        self.mean_C: Tensor = vae.bn.running_mean.float()
        # The statistics may be of half precision: the root is taken in that precision, as the pipelines do.
        self.std_C: Tensor = torch.sqrt(vae.bn.running_var + vae.config.batch_norm_eps).float()

    @property
    def channels(self) -> int:
        """C."""
        return int(self.vae.config.latent_channels) * PATCH * PATCH

    def grid(self, width: int, height: int) -> Grid:
        """(rows, columns) of tokens. ``InvalidRequest`` when a side is no positive multiple of a token's pixels."""
        return grid_of(width, height, self.pixels_per_token)

    @torch.no_grad()
    def encode(self, pixels_HWC: Tensor) -> Tensor:
        """uint8 picture -> ``latents_NC`` float32: the posterior's mode, normalised."""
        height, width, _ = pixels_HWC.shape
        grid = self.grid(width, height)
        pixels_1CHW = as_input(pixels_HWC, self.vae.device)
        latents_Khw = self.vae.encode(pixels_1CHW.to(self.vae.dtype)).latent_dist.mode()[0].float()
        latents_NC: Tensor = (packed(latents_Khw, grid, self.channel_first) - self.mean_C) / self.std_C
        return latents_NC

    @torch.no_grad()
    def decode(self, latents_NC: Tensor, grid: Grid, tiles: int = 1) -> Tensor:
        """``latents_NC`` -> uint8 ``pixels_HWC`` on the VAE's device, in ``tiles`` a side (see ``parts/tiles.py``)."""
        latents_NC = latents_NC.to(self.vae.device, torch.float32) * self.std_C + self.mean_C
        latents_1Khw = unpacked(latents_NC, grid, self.channel_first)[None]
        return as_levels(tiled(self._decode, latents_1Khw, tiles)[0])

    def _decode(self, latents_1Khw: Tensor) -> Tensor:
        pixels_1CHW: Tensor = self.vae.decode(latents_1Khw.to(self.vae.dtype), return_dict=False)[0]
        return pixels_1CHW.float()


def grid_of(width: int, height: int, side: int) -> Grid:
    """(rows, columns) of cells of ``side`` pixels. ``InvalidRequest`` when a side of the picture is no positive
    multiple of it."""
    if width < side or height < side or width % side or height % side:
        raise InvalidRequest(
            f"This base cannot draw {width} x {height} pixels: both sides must be multiples of {side}."
        )
    return height // side, width // side


def as_input(pixels_HWC: Tensor, on: device) -> Tensor:
    """uint8 ``pixels_HWC`` -> float32 ``pixels_1CHW`` from -1 to 1."""
    return pixels_HWC.to(on).permute(2, 0, 1)[None].float() / 127.5 - 1.0


def as_levels(pixels_CHW: Tensor) -> Tensor:
    """``pixels_CHW`` from -1 to 1 (what is beyond is cut) -> uint8 ``pixels_HWC``."""
    levels_CHW: Tensor = ((pixels_CHW * 0.5 + 0.5).clamp(0, 1) * 255.0).round().to(torch.uint8)
    return levels_CHW.permute(1, 2, 0).contiguous()


def packed(latents_Khw: Tensor, grid: Grid, channel_first: bool) -> Tensor:
    """``[K, h, w]`` -> ``[N, C]``, the values of a patch in the order that ``Latents`` explains."""
    rows, columns = grid
    latents_KrPcP = latents_Khw.reshape(-1, rows, PATCH, columns, PATCH)
    order = (1, 3, 0, 2, 4) if channel_first else (1, 3, 2, 4, 0)
    return latents_KrPcP.permute(*order).reshape(rows * columns, -1)


def unpacked(latents_NC: Tensor, grid: Grid, channel_first: bool) -> Tensor:
    """``[N, C]`` -> ``[K, h, w]``."""
    rows, columns = grid
    if channel_first:
        latents_KrPcP = latents_NC.reshape(rows, columns, -1, PATCH, PATCH).permute(2, 0, 3, 1, 4)
    else:
        latents_KrPcP = latents_NC.reshape(rows, columns, PATCH, PATCH, -1).permute(4, 0, 2, 1, 3)
    return latents_KrPcP.reshape(-1, rows * PATCH, columns * PATCH)
