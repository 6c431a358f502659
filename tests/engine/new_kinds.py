"""Kinds of orders that the product does not have (yet): what their fakes do, and how they enter the tables for a test.

``recite`` has no seeds and draws nothing; ``upscale`` makes one image out of a stored picture; ``layerize`` makes
images and data; ``index`` works in the background and keeps nothing.
"""

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from linocut.engine.carriage import CARRIAGES, Carriage
from linocut.engine.door import Fetch
from linocut.engine.fake_files import flat_png
from linocut.errors import Internal, RunFailed
from linocut.files import sha256_hex
from linocut.orders import KINDS, Answered, Event, GenerateFinished, ImageDrawn, Order, OrderKind

Fake = Generator[None, bool, None]
Emit = Callable[[Event], None]


class ReciteOrder(Order, frozen=True, kw_only=True, tag="recite"):
    """Say what is on a stored picture, in so many sentences."""

    picture_sha256: str
    sentences: int


class UpscaleOrder(Order, frozen=True, kw_only=True, tag="upscale"):
    """One larger image of a stored picture."""

    picture_sha256: str
    width: int
    height: int


class LayerizeOrder(Order, frozen=True, kw_only=True, tag="layerize"):
    """A picture's layers, and what they say."""

    picture_sha256: str
    layers: int


class IndexOrder(Order, frozen=True, kw_only=True, tag="index"):
    """Something that nobody waits for."""

    pictures: tuple[str, ...]


def _recite(order: ReciteOrder, key: str, fetch: Fetch, workspace: Path, emit: Emit) -> Fake:
    picture = sha256_hex(fetch(order.picture_sha256))
    yield
    emit(Answered(key=key, answer={"descriptions": [f"{picture[:8]} {n}" for n in range(order.sentences)]}))


def _upscale(order: UpscaleOrder, key: str, fetch: Fetch, workspace: Path, emit: Emit) -> Fake:
    png = flat_png(sha256_hex(fetch(order.picture_sha256)), order.width, order.height)
    yield
    emit(ImageDrawn(key=key, index=0, seed=0, png=png, native_width=order.width, native_height=order.height))
    emit(GenerateFinished(key=key))


def _layerize(order: LayerizeOrder, key: str, fetch: Fetch, workspace: Path, emit: Emit) -> Fake:
    fetch(order.picture_sha256)
    for index in reversed(range(order.layers)):
        yield
        png = flat_png(f"layer {index}", 64, 64)
        emit(ImageDrawn(key=key, index=index, seed=0, png=png, native_width=64, native_height=64))
    emit(Answered(key=key, answer={"texts": ["TEA"]}))


def _index(order: IndexOrder, key: str, fetch: Fetch, workspace: Path, emit: Emit) -> Fake:
    for _ in order.pictures:
        yield
    emit(Answered(key=key, answer={"indexed": len(order.pictures)}))


FAKES: dict[type[Order], Any] = {
    ReciteOrder: _recite,
    UpscaleOrder: _upscale,
    LayerizeOrder: _layerize,
    IndexOrder: _index,
}


def carried(fake: Any, routine: Any = None) -> Carriage:
    """A carriage with this fake, and this routine of (order, hands)."""
    return Carriage(
        weigh=lambda footprint, order: round(64 * 64 * footprint.latent_bytes_per_pixel),
        routine=lambda: routine,
        fake=fake,
        out_of_memory=lambda order: RunFailed("No room."),
        unknown_fault=Internal,
    )


def kind(order: type[Order], **facts: Any) -> OrderKind:
    """The kind of ``order``: waited for, one place, unless told otherwise."""
    name = str(order.__struct_config__.tag)
    plain: dict[str, Any] = {"waited_for": True, "resumable": False, "places": lambda order: 1}
    return OrderKind(name=name, order=order, log_facts=lambda order: {}, **plain | facts)


@pytest.fixture
def new_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The four in the tables of orders and engine."""
    for order, fake in FAKES.items():
        known = kind(order, waited_for=False, places=lambda order: 0) if order is IndexOrder else kind(order)
        if order is LayerizeOrder:
            known = replace(known, places=lambda order: order.layers)
        monkeypatch.setitem(KINDS, known.name, known)
        monkeypatch.setitem(CARRIAGES, known.name, carried(fake))
