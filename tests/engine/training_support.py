"""A base in fifty lines for the training tests, pictures and orders for it, and a driver that executes units.

The stand-in keeps the family's promises (names, shapes, velocity = noise - data, gradients to the adapter only) with
two linears a layer, so that a whole run takes a fraction of a second. ``test_training_real_base.py`` trains the tiny
Ideogram 4 instead.
"""

import io
from collections.abc import Callable, Sequence
from math import exp
from pathlib import Path
from statistics import NormalDist
from typing import Any

import msgspec
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from linocut.bases import Sampling
from linocut.engine.adapters.apply import Adapter, project, share_rows
from linocut.engine.families.items import Grid, Item, Plan, Text, plan_of
from linocut.engine.noise import normals
from linocut.engine.training.run import train
from linocut.engine.work import Background, Bench, Routine
from linocut.files import sha256_hex
from linocut.orders import Event, PreviewPrompt, TrainOrder, TrainSample

PATCH, CHANNELS, WIDTH = 16, 12, 16


class StandIn:
    """A family of two layers over tokens of 16 x 16 pixels, each token its 2 x 2 mean colours."""

    takes_negative_text = True
    takes_references = True

    def __init__(self) -> None:
        names = ["layers.0.attention.to_q", "layers.0.feed_forward.w1", "layers.1.attention.to_q"]
        self.linears = {name: nn.Linear(WIDTH, WIDTH) for name in names}
        self.inward, self.outward = nn.Linear(CHANNELS + 1 + 8, WIDTH), nn.Linear(WIDTH, CHANNELS)
        for name, linear in {**self.linears, "inward": self.inward, "outward": self.outward}.items():
            for part, parameter in linear.named_parameters():
                parameter.requires_grad_(False).copy_(0.3 * normals(tuple(parameter.shape), "stand-in", name, part))

    def lora_targets(self) -> dict[str, tuple[int, int]]:
        return dict.fromkeys(self.linears, (WIDTH, WIDTH))

    def grid(self, width: int, height: int) -> Grid:
        assert (width % PATCH, height % PATCH) == (0, 0)
        return height // PATCH, width // PATCH

    def latent_shape(self, grid: Grid) -> tuple[int, ...]:
        return grid[0] * grid[1], CHANNELS

    def plan(self, sampling: Sampling, width: int, height: int) -> Plan:
        quantiles = [min(1.0 - step / sampling.steps, 1.0 - 1e-6) for step in range(sampling.steps)]
        levels = [sampling.mu + sampling.std * NormalDist().inv_cdf(quantile) for quantile in quantiles]
        return plan_of([1.0 / (1.0 + exp(-level)) for level in levels] + [0.0], sampling.guidance)

    def loss_weight(self, sigma: float) -> float:
        return 1.0

    def encode_text(self, captions: Sequence[str]) -> list[Text]:
        return [Text(4, {"features_TF": normals((4, 8), "text", caption)}) for caption in captions]

    def encode_images(self, pixels_HWC: Sequence[Tensor]) -> list[Tensor]:
        return [self._encode(picture) for picture in pixels_HWC]

    def _encode(self, pixels_HWC: Tensor) -> Tensor:
        means = avg_pool2d(pixels_HWC.permute(2, 0, 1)[None].float(), 8)[0] / 127.5 - 1.0
        rows, columns = means.shape[1] // 2, means.shape[2] // 2
        return means.reshape(3, rows, 2, columns, 2).permute(1, 3, 0, 2, 4).reshape(rows * columns, CHANNELS)

    def decode(self, latents_NC: Sequence[Tensor], grids: Sequence[Grid], *, tiles: int = 1) -> list[Tensor]:
        pictures = []
        for latent_NC, (rows, columns) in zip(latents_NC, grids, strict=True):
            means = latent_NC.reshape(rows, columns, 3, 2, 2).permute(0, 3, 1, 4, 2).reshape(rows * 2, columns * 2, 3)
            small = ((means + 1.0) * 127.5).clamp(0, 255).to(torch.uint8)
            pictures.append(small.repeat_interleave(8, 0).repeat_interleave(8, 1))
        return pictures

    def velocity(self, items: Sequence[Item]) -> list[Tensor]:
        with torch.no_grad():
            return [self._velocity(i.latents, i.sigma, i.text, i.adapter) for i in items]

    def velocity_for_training(
        self,
        latents_NC: Sequence[Tensor],
        grid: Grid,
        sigmas: Sequence[float],
        texts: Sequence[Text | None],
        adapter: Adapter | None,
        *,
        recompute: bool = False,
    ) -> list[Tensor]:
        items = zip(latents_NC, sigmas, texts, strict=True)
        return [self._velocity(latent_NC, sigma, text, adapter) for latent_NC, sigma, text in items]

    def release(self) -> None:
        pass

    def _velocity(self, x_NC: Tensor, sigma: float, text: Text | None, adapter: Adapter | None) -> Tensor:
        count = x_NC.shape[0]
        words = torch.zeros(8) if text is None else text.tensors["features_TF"].mean(0)
        facts = torch.cat([torch.tensor([sigma]), words]).expand(count, -1)
        hidden_NE = self.inward(torch.cat([x_NC, facts], dim=1))
        for name, linear in self.linears.items():
            hidden_NE = hidden_NE + torch.tanh(project(linear, name, hidden_NE, share_rows([adapter], [count])))
        velocity_NC: Tensor = self.outward(hidden_NE)
        return velocity_NC


class Poisoned(StandIn):
    """Velocities that are no numbers for one caption, once the adapter has grown beyond ``limit``."""

    def __init__(self, caption: str, limit: float, value: float = float("nan")) -> None:
        super().__init__()
        self.caption, self.limit, self.value = caption, limit, value

    def _velocity(self, x_NC: Tensor, sigma: float, text: Text | None, adapter: Adapter | None) -> Tensor:
        velocity_NC = super()._velocity(x_NC, sigma, text, adapter)
        poison = self.encode_text([self.caption])[0].tensors["features_TF"]
        grown = adapter is not None and max(float(up.detach().abs().max()) for up in adapter.up.values()) > self.limit
        if grown and text is not None and torch.equal(text.tensors["features_TF"], poison):
            return velocity_NC * self.value
        return velocity_NC


def picture(index: int, width: int = 48, height: int = 48) -> bytes:
    """A PNG of soft stripes and noise, a function of its arguments."""
    ramp = normals((height, width, 3), "picture", index).numpy() * 20 + np.linspace(40, 200, width)[None, :, None]
    file = io.BytesIO()
    Image.fromarray(np.clip(ramp + 10 * index, 0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


SIZES = [(48, 48), (64, 32), (48, 48), (32, 64), (100, 60), (48, 48), (64, 32)]


def dataset(count: int = 7) -> tuple[dict[str, bytes], tuple[TrainSample, ...]]:
    """(blobs by hash, samples sorted by content): pictures of several shapes, each with a caption of its own."""
    blobs, samples = {}, []
    for index in range(count):
        width, height = SIZES[index % len(SIZES)]
        data = picture(index, width, height)
        blobs[sha256_hex(data)] = data
        samples.append(
            TrainSample(image_sha256=sha256_hex(data), width=width, height=height, caption=f"caption {index}")
        )
    return blobs, tuple(sorted(samples, key=lambda sample: (sample.image_sha256, sample.caption)))


def train_order(samples: tuple[TrainSample, ...], **changes: Any) -> TrainOrder:
    """Twelve steps of batch three with a checkpoint every five, unless told otherwise."""
    order = TrainOrder(
        base="standin@0123456789abcdef",
        organization_id="org",
        run_id="run",
        samples=samples,
        holdout=(1, 4),
        seed=11,
        steps=12,
        rank=2,
        alpha=2.0,
        learning_rate=1e-2,
        batch_size=3,
        ema=0.99,
        caption_dropout=0.2,
        weight_decay=1e-4,
        warmup_steps=3,
        clip_norm=1.0,
        sigma_mean=0.0,
        sigma_std=1.0,
        native_pixels=48,
        size_multiple=16,
        checkpoint_every=5,
        preview_every=10,
        previews=(PreviewPrompt(caption="a boat", seed=1),),
        preview_sampling=Sampling(steps=2, guidance=1.0, mu=0.0, std=1.0),
    )
    return msgspec.structs.replace(order, **changes)


def execute(family: Any, unit: Any) -> Any:
    """What an engine does with one unit (or a list of them), without batching."""
    if isinstance(unit, list):
        return [execute(family, one) for one in unit]
    if isinstance(unit, Background):
        return unit.call()
    with torch.no_grad():
        [result] = type(unit).run([unit], Bench(family, torch.device("cpu")))
    return result


def drive(
    routine: Routine, family: Any, before: Callable[[int, Any], Exception | None] = lambda number, unit: None
) -> int:
    """Run ``routine`` to its end -> the number of units. ``before`` sees each unit first and may raise (the process
    dies), or return an error to throw into the routine instead of running the unit."""
    number, send, error = 0, None, None
    try:
        while True:
            unit = routine.throw(error) if error is not None else routine.send(send)
            send = error = None
            error = before(number, unit)
            number += 1
            if error is None:
                try:
                    send = execute(family, unit)
                except Exception as failed:
                    error = failed
    except StopIteration:
        return number


class Killed(BaseException):
    """The process dies here: nothing of it runs any more."""


def run_once(
    order: TrainOrder,
    blobs: dict[str, bytes],
    workspace: Path,
    before: Callable[[int, Any], Exception | None] = lambda number, unit: None,
    family: Any = None,
    **options: Any,
) -> list[Event]:
    """Train in ``workspace`` on the stand-in (or ``family``) -> the events."""
    family = family or StandIn()
    events: list[Event] = []
    drive(train(order, "run", family, blobs.__getitem__, workspace, events.append, **options), family, before)
    return events


def of_kind(events: list[Event], kind: type[Any]) -> list[Any]:
    """The events of one class."""
    return [event for event in events if isinstance(event, kind)]
