"""The dial: a base's recipe and a dataset's size, turned into the numbers of one run. Pure.

Where the numbers come from:

- steps over dataset size: ``clamp(round100(50 N + 300), 600, 2500)`` at batch 1, fitted to what public trainers use
  (250 exposures a picture for tiny sets; 1000 steps for 15 to 100 pictures; 500 for 10 to 20 with four
  accumulations). A base states its steps for ``TYPICAL_IMAGES`` pictures; other sizes scale it along that curve.
- alpha = rank, so that the scale is 1 and the best learning rate hardly depends on the rank ("LoRA Without Regret").
- warm-up as the base has it, and at most a tenth of the steps; clip 1.0; weight decay as the base has it.
- a checkpoint each tenth of the run: scores then show the bend where a style is learned and the one where it is
  overlearned, and choosing costs less than a tenth of the run. Previews at every second checkpoint.
- by kind of dataset (style, subject, character): what the catalogue's ``kinds`` lay over the recipe (docs/log.md).
- the advanced routes' defaults (steps 1000, rank 128) are the published contract's; what it leaves open (EMA,
  learning rate) is the base's own.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from linocut.bases import Base
from linocut.bases.types import FEW_PICTURES, DatasetKind, KindRecipe
from linocut.errors import InvalidRequest
from linocut.ids import MAX_SEED
from linocut.orders import PreviewPrompt, TrainSample
from linocut.runs.types import AdvancedAsk

TYPICAL_IMAGES = 20
"""The dataset size for which a base's recipe states its steps."""
FEWEST_STEPS, MOST_STEPS = 100, 10_000
RANKS = (64, 128)
MOST_IN_A_BATCH = 64
UNUSUAL_RATE = 100
"""A learning rate above so many times the base's own is told to be unusual."""
DEFAULT_STEPS, DEFAULT_RANK = 1000, 128
CLIP_NORM = 1.0
HOLDOUT_SHARE, MOST_HOLDOUT = 0.1, 8
PREVIEW_SEEDS = (101, 102, 103)
"""One a preview, the same in every run, so that two runs' previews can be laid side by side."""


@dataclass(frozen=True)
class Recipe:
    """Every number of a run; the fields mean what ``orders.TrainOrder`` says."""

    steps: int
    rank: int
    alpha: float
    learning_rate: float
    batch_size: int
    ema: float
    caption_dropout: float
    weight_decay: float
    warmup_steps: int
    clip_norm: float
    sigma_mean: float
    sigma_std: float
    checkpoint_every: int
    preview_every: int


def plain(base: Base, n_images: int, kind: DatasetKind | None = None) -> Recipe:
    """The base's own recipe, its steps scaled to ``n_images`` pictures, with the steps and the rate for a ``kind``."""
    own, otherwise = base.training, _otherwise(base, kind)
    scaled = own.training_steps * otherwise.steps * _curve(n_images) / _curve(TYPICAL_IMAGES)
    rate = own.learning_rate
    if n_images < FEW_PICTURES:
        scaled, rate = scaled * otherwise.few_steps, otherwise.few_rate or rate
    steps = max(10, round(scaled / 10) * 10)
    return _recipe(base, steps=steps, rank=own.lora_rank, ema=own.ema, learning_rate=rate)


def advanced(
    base: Base,
    n_images: int,
    training_steps: int | None = None,
    lora_rank: int | None = None,
    ema: float | None = None,
    learning_rate: float | None = None,
) -> Recipe:
    """A recipe with the client's numbers; what is None takes the contract's default, or the base's where it has none.

    ``InvalidRequest`` names the field that is out of range. ``n_images`` changes nothing today: the contract's steps
    hold for every size; it is here so that a base may come to need it.
    """
    steps = DEFAULT_STEPS if training_steps is None else training_steps
    if not FEWEST_STEPS <= steps <= MOST_STEPS or steps % 100:
        raise InvalidRequest("training_steps must be 100 to 10000, in hundreds.", field="training_steps")
    rank = DEFAULT_RANK if lora_rank is None else lora_rank
    if rank not in RANKS:
        raise InvalidRequest("lora_rank must be 64 or 128.", field="lora_rank")
    ema = base.training.ema if ema is None else ema
    if not 0 < ema < 1:
        raise InvalidRequest("ema must lie between 0 and 1, both excluded; 0.99 to 0.9999 is usual.", field="ema")
    rate = base.training.learning_rate if learning_rate is None else learning_rate
    if not (rate > 0 and math.isfinite(rate)):
        raise InvalidRequest("learning_rate must be above 0; 1e-5 to 1e-4 is usual.", field="learning_rate")
    return _recipe(base, steps=steps, rank=rank, ema=ema, learning_rate=rate)


def for_ask(base: Base, n_images: int, ask: AdvancedAsk | None, kind: DatasetKind | None = None) -> Recipe:
    """``plain`` without an ask, ``advanced`` with one. A ``kind`` moves the noise levels of both, which no client sets,
    and other numbers only of the first."""
    if ask is None:
        recipe = plain(base, n_images, kind)
    else:
        recipe = advanced(base, n_images, ask.training_steps, ask.lora_rank, ask.ema, ask.learning_rate)
        recipe = replace(recipe, batch_size=_batch_size(base, ask.batch_size))
    return replace(recipe, sigma_mean=recipe.sigma_mean + _otherwise(base, kind).sigma)


def note_on_rate(base: Base, rate: float) -> str:
    """What the owner is told of a learning rate that is far above the base's own; "" for any other."""
    own = base.training.learning_rate
    if rate <= UNUSUAL_RATE * own:
        return ""
    return (
        f"learning_rate {rate:g} is more than {UNUSUAL_RATE} times the base's own ({own:g}). At such a rate a training "
        "may fail because its loss is no finite number."
    )


def check_seed(seed: int | None) -> None:
    """``InvalidRequest`` unless the seed is left out or within 0..2**31-1."""
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise InvalidRequest(f"seed must be 0 to {MAX_SEED}.", field="seed")


def holdout_of(samples: Sequence[TrainSample]) -> tuple[int, ...]:
    """The indexes kept out of training and used to score checkpoints, ascending: a tenth, at least 1, at most 8.

    The choice depends on content alone (a salted hash of picture and caption), so the same dataset always keeps out
    the same pictures, and adding one picture moves at most one other. A single picture is never kept out.
    """
    if len(samples) < 2:
        return ()
    count = min(MOST_HOLDOUT, max(1, round(len(samples) * HOLDOUT_SHARE)))
    ranked = sorted(range(len(samples)), key=lambda index: _draw(samples[index]))
    return tuple(sorted(ranked[:count]))


def previews_of(samples: Sequence[TrainSample], holdout: Sequence[int]) -> tuple[PreviewPrompt, ...]:
    """Three captions of the dataset with fixed seeds: held-out ones first, as the run never learns their pictures."""
    kept_out = set(holdout)
    in_turn = [*holdout, *(index for index in range(len(samples)) if index not in kept_out)]
    captions = list(dict.fromkeys(samples[index].caption for index in in_turn))
    chosen = [captions[place % len(captions)] for place in range(len(PREVIEW_SEEDS))]
    return tuple(PreviewPrompt(caption=caption, seed=seed) for caption, seed in zip(chosen, PREVIEW_SEEDS, strict=True))


def _recipe(base: Base, *, steps: int, rank: int, ema: float, learning_rate: float) -> Recipe:
    own = base.training
    every = max(1, steps // 10)
    return Recipe(
        steps=steps,
        rank=rank,
        alpha=float(rank),
        learning_rate=learning_rate,
        batch_size=own.batch_size,
        ema=ema,
        caption_dropout=own.caption_dropout,
        weight_decay=own.weight_decay,
        warmup_steps=min(own.warmup_steps, max(1, steps // 10)),
        clip_norm=CLIP_NORM,
        sigma_mean=own.sigma_mean,
        sigma_std=own.sigma_std,
        checkpoint_every=every,
        preview_every=2 * every,
    )


def _batch_size(base: Base, asked: int | None) -> int:
    batch = base.training.batch_size if asked is None else asked
    if not 1 <= batch <= MOST_IN_A_BATCH:
        raise InvalidRequest(f"x_linocut.batch_size must be 1 to {MOST_IN_A_BATCH}.", field="x_linocut.batch_size")
    return batch


def _otherwise(base: Base, kind: DatasetKind | None) -> KindRecipe:
    return KindRecipe() if kind is None else base.training.kinds.get(kind, KindRecipe())


def _curve(n_images: int) -> float:
    return min(2500.0, max(600.0, round((50 * n_images + 300) / 100) * 100.0))


def _draw(sample: TrainSample) -> str:
    return hashlib.sha256(f"holdout\0{sample.content}\0{sample.caption}".encode()).hexdigest()
