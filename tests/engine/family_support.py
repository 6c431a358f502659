"""What the tests of families and adapters share: each family beside the library's pipeline on the same tiny base.

Shapes: R rank, I input and O output features of a linear, N image tokens, C latent channels.
"""

import hashlib
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import Flux2KleinPipeline, Ideogram4Pipeline
from tests.engine.tiny_bases import flux2_base, ideogram4_base
from torch import Tensor, nn

from linocut.bases import Sampling
from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.family import Family, load_family
from linocut.engine.families.items import Reference, Text
from linocut.engine.families.parts.schedule import resolution_mu
from linocut.engine.units import Denoise
from linocut.lora_files.stored import AdapterMetadata

CPU = torch.device("cpu")
IDENTITY = "tiny@0123456789abcdef"
RANK, ALPHA = 4, 6.0
METADATA = AdapterMetadata(base=IDENTITY, rank=RANK, alpha=ALPHA)
CAPTION = "a red fox beside a teapot"
STEPS = 4
TOKENS = 96
"""Text tokens that the library pads to here, and klein always sees; its defaults (2048 and 512) only take longer."""


@dataclass(frozen=True)
class Tiny:
    """A tiny base on disk and our family on it."""

    name: str
    folder: Path
    family: Family

    def stock(self) -> Any:
        """The library's own pipeline on the same files, a fresh one each time (adapters change it)."""
        kind = {"ideogram4": Ideogram4Pipeline, "flux2": Flux2KleinPipeline}[self.name]
        pipeline = kind.from_pretrained(str(self.folder), local_files_only=True)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def modules(self) -> list[nn.Module]:
        """Every network of the base: among the family's attributes, and among theirs."""
        holders = [self.family, *(value for value in vars(self.family).values() if hasattr(value, "__dict__"))]
        return [value for holder in holders for value in vars(holder).values() if isinstance(value, nn.Module)]


BUILDERS: dict[str, Callable[..., Path]] = {"ideogram4": ideogram4_base, "flux2": flux2_base}


def tiny(name: str, folder: Path, **options: Any) -> Tiny:
    """Build and load the tiny base of family ``name`` inside ``folder``."""
    torch.set_num_threads(1)
    if name == "flux2":
        options.setdefault("max_text_tokens", TOKENS)
    built = BUILDERS[name](folder / name, **options)
    return Tiny(name, built, load_family(name, built, CPU, torch.float32))


def random_adapter(family: Family, seed: int, rank: int = RANK, alpha: float = ALPHA) -> Adapter:
    """An adapter strong enough to change the picture plainly."""
    draw = torch.Generator().manual_seed(seed)
    targets = family.lora_targets()
    return Adapter(
        down={name: torch.randn(rank, i, generator=draw) / i**0.5 for name, (i, _) in targets.items()},
        up={name: 0.5 * torch.randn(o, rank, generator=draw) / rank**0.5 for name, (_, o) in targets.items()},
        scale=alpha / rank,
        sha256=f"{seed:064x}",
    )


def start(family: Family, width: int, height: int, seed: int) -> Tensor:
    """Noise ``[N, C]`` for an image of that size."""
    shape = family.latent_shape(family.grid(width, height))
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def draw_ours(
    tiny: Tiny,
    noise_NC: Tensor,
    size: tuple[int, int],
    adapter: Adapter | None,
    guidance: float,
    references: tuple[Reference, ...] = (),
) -> Tensor:
    """Euler over the family's own schedule, as the routine does it."""
    family, (width, height) = tiny.family, size
    mu = resolution_mu(0.0, width, height) if tiny.name == "ideogram4" else 0.0
    (text,) = family.encode_text([CAPTION])
    x_NC = noise_NC
    for step in family.plan(Sampling(STEPS, guidance, mu, 1.5), width, height).steps:
        grid = family.grid(width, height)
        unit = Denoise(x_NC, grid, step.sigma, text, adapter, step.guidance, references=references)
        x_NC = x_NC + (step.sigma_next - step.sigma) * family.velocity([unit])[0]
    return x_NC


def draw_stock(tiny: Tiny, pipeline: Any, noise_NC: Tensor, size: tuple[int, int], guidance: float) -> Tensor:
    """The latents ``[N, C]`` that the library's pipeline ends with, from the same noise, schedule and prompt."""
    common = {"prompt": CAPTION, "width": size[0], "height": size[1], "num_inference_steps": STEPS,
              "guidance_scale": guidance, "output_type": "latent", "max_sequence_length": TOKENS}  # fmt: skip
    if tiny.name == "ideogram4":
        latents_1NC: Tensor = pipeline(**common, guidance_schedule=None, latents=noise_NC[None]).images
        return latents_1NC[0]
    last: list[Tensor] = []

    def keep(_: Any, __: int, ___: Any, state: dict[str, Tensor]) -> dict[str, Tensor]:
        last[:] = [state["latents"]]
        return {}

    rows, columns = tiny.family.grid(*size)
    latents_1Crc = noise_NC.T.reshape(1, -1, rows, columns)
    pipeline(**common, latents=latents_1Crc, callback_on_step_end=keep)
    return last[0][0]


def hash_of(modules: list[nn.Module]) -> str:
    """A hash over the bytes and the names of all parameters and buffers."""
    digest = hashlib.sha256()
    for module in modules:
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            digest.update(name.encode() + tensor.detach().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def text_of_length(family: Family, letters: int) -> Text:
    """Features of a caption of that many letters."""
    return family.encode_text([("teapot and fox " * 20)[:letters]])[0]


@contextmanager
def complaints() -> Iterator[list[str]]:
    """Every warning raised and every line of level WARNING or above logged inside."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    ear = Ear(level=logging.WARNING)
    loggers = [logging.getLogger(name) for name in ("", "diffusers", "transformers", "peft", "accelerate")]
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        for logger in loggers:
            logger.addHandler(ear)
        try:
            yield heard
        finally:
            for logger in loggers:
                logger.removeHandler(ear)
            heard.extend(str(warning.message) for warning in raised)
