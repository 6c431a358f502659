"""Small orders for the engine's tests, and a blob store that is a dict."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from linocut.bases import Base, Sampling
from linocut.engine.door import Engine
from linocut.files import sha256_hex
from linocut.orders import Event, Failed, GenerateFinished, GenerateOrder, PreviewPrompt, TrainFinished, TrainOrder
from linocut.orders import TrainSample as Sample

BASE = "ideogram4@0123456789abcdef"
FINAL = (GenerateFinished, TrainFinished, Failed)


def base(identity: str = BASE, native_pixels: int = 64) -> Base:
    """A base's facts for an engine that needs no weights."""
    facts: dict[str, Any] = {
        "identity": identity,
        "name": "tiny",
        "family": identity.split("@")[0],
        "native_pixels": native_pixels,
        "size_multiple": 16,
        "max_text_tokens": 64,
        "sampling": {},
        "training": json.loads(
            '{"lora_rank": 2, "learning_rate": 0.001, "training_steps": 10, "batch_size": 1, "ema": 0.9,'
            ' "caption_dropout": 0.0, "warmup_steps": 1, "weight_decay": 0.0, "sigma_mean": 0, "sigma_std": 1}'
        ),
    }
    return msgspec.convert(facts, Base)


def generate_order(*, steps: int = 3, guidance: float = 2.0, **changes: Any) -> GenerateOrder:
    """Two images of 64 x 48 in three steps, unless told otherwise."""
    order = GenerateOrder(
        base=BASE,
        organization_id="org",
        caption="a red boat",
        width=64,
        height=48,
        output_width=100,
        output_height=75,
        seeds=(7, 8),
        sampling=Sampling(steps=steps, guidance=guidance, mu=0.0, std=1.5),
        adapter=None,
    )
    return msgspec.structs.replace(order, **changes)


def train_order(blobs: dict[str, bytes], pictures: list[bytes] | None = None, **changes: Any) -> TrainOrder:
    """A run of 12 steps over ``pictures`` (put into ``blobs``), a checkpoint every 4, previews every 6."""
    samples = []
    for index, picture in enumerate(pictures or [b"one", b"two", b"three", b"four"]):
        blobs[sha256_hex(picture)] = picture
        samples.append(Sample(image_sha256=sha256_hex(picture), width=64, height=64, caption=f"picture {index}"))
    order = TrainOrder(
        base=BASE,
        organization_id="org",
        run_id="run",
        samples=tuple(sorted(samples, key=lambda s: s.image_sha256)),
        holdout=(0,),
        seed=5,
        steps=12,
        rank=2,
        alpha=2.0,
        learning_rate=1e-3,
        batch_size=2,
        ema=0.9,
        caption_dropout=0.0,
        weight_decay=0.0,
        warmup_steps=2,
        clip_norm=1.0,
        sigma_mean=0.0,
        sigma_std=1.0,
        native_pixels=64,
        size_multiple=16,
        checkpoint_every=4,
        preview_every=6,
        previews=(PreviewPrompt(caption="a red boat", seed=1), PreviewPrompt(caption="a blue boat", seed=2)),
        preview_sampling=Sampling(steps=2, guidance=1.0, mu=0.0, std=1.0),
    )
    return msgspec.structs.replace(order, **changes)


def run_to_the_end(
    engine: Engine, before_step: Callable[[int, list[Event]], None] = lambda step, events: None
) -> list[Event]:
    """Step until the engine is idle; ``before_step(n, events so far)`` runs before each step."""
    events: list[Event] = []
    steps = 0
    while engine.busy():
        before_step(steps, events)
        events += engine.step()
        steps += 1
        assert steps < 100_000
    return events


def of(events: list[Event], key: str) -> list[Event]:
    """The events of one order."""
    return [event for event in events if event.key == key]


def no_blobs(sha256: str) -> bytes:
    """A store that must not be asked."""
    raise AssertionError(f"asked for {sha256}")


def workspace(tmp_path: Path, name: str = "run") -> Path:
    """A fresh folder of a run."""
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    return folder
