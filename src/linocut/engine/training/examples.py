"""From stored pictures and captions to what a training step takes: latents and text features, each by its content.

A sample's key is the SHA-256 of its picture's content (``TrainSample.content``), the crop that it gets and its caption.
Everything that is kept, in memory or on the disk, is kept under that key and compared with it when read, so that no
caption can ever meet another picture. A picture is scaled and cut to its bucket, never squashed, never scaled up.

Shapes: H and W pixels; latents and texts as in ``families/items.py``.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from linocut.engine.families.family import Family
from linocut.engine.families.items import Grid, Text
from linocut.engine.training.sealed import Damaged, seal, unseal
from linocut.engine.units import EncodeImage, EncodeText
from linocut.engine.work import Background, Yielded, finite
from linocut.errors import Busy, LinocutError, RunFailed
from linocut.files import sha256_hex, write_durably
from linocut.orders import TrainOrder, TrainSample
from linocut.picture_files import open_stored
from linocut.sizes import Crop, bucket_for, cover_crop

Fetch = Callable[[str], bytes]

_FORMAT = "2"
"""Raise it when the same key may come to mean other latents (another resampling filter, another layout)."""

_LATENTS, _TOKENS, _WORDS = "latents", "tokens", "text."
"""Names of the tensors in a file; a text's own follow the last."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture, ready: ``position`` counts from 1 in the order, ``label`` is what its owner reads in a sentence."""

    position: int
    label: str
    image_sha256: str
    key: str
    grid: Grid
    latents: Tensor
    text: Text


def crop_of(order: TrainOrder, sample: TrainSample) -> Crop:
    """How the sample's picture fills its bucket."""
    bucket = bucket_for(sample.width, sample.height, order.native_pixels, order.size_multiple)
    return cover_crop(sample.width, sample.height, bucket)


def sample_facts(order: TrainOrder, sample: TrainSample) -> dict[str, str]:
    """Everything that a sample's latents and features are a function of; its ``key`` is the hash of the other facts."""
    c = crop_of(order, sample)
    content = {
        "image": sample.content,
        "transform": f"lanczos {c.scaled_width}x{c.scaled_height} cut {c.width}x{c.height}+{c.left}+{c.top}",
        "caption": sha256_hex(sample.caption.encode()),
    }
    return {**content, "key": sha256_hex("\n".join(content.values()).encode())}


def label_of(order: TrainOrder, index: int) -> str:
    """``picture 5 of 20 (sha256 1a2b3c4d)``: its place in the frozen dataset and the head of its content hash."""
    return f"picture {index + 1} of {len(order.samples)} (sha256 {order.samples[index].image_sha256[:8]})"


def prepare(order: TrainOrder, family: Family, fetch: Fetch, folder: Path) -> Generator[Yielded, Any, list[Sample]]:
    """Encode every sample, in the order's order; what ``folder`` holds from an earlier attempt is taken from there.

    ``RunFailed`` names the picture that is missing, damaged, or that the base cannot encode.
    """
    texts: dict[str, Text] = {}
    latents: dict[tuple[str, str], Tensor] = {}
    samples = []
    for index, ordered in enumerate(order.samples):
        label, facts = label_of(order, index), sample_facts(order, ordered)
        crop = crop_of(order, ordered)
        cache = _Cached(folder, {**facts, "base": order.base, "format": _FORMAT})
        kept = yield Background(cache.read, "read features")
        if kept is None:
            try:
                kept = yield from _encode(order, index, fetch, latents, texts)
            except (RunFailed, Busy):  # Busy: no disk or store just now, which is no fault of the picture
                raise
            except LinocutError as refused:  # a caption beyond the base's length, say
                raise _cannot_encode(order, index, refused.message) from refused
            yield Background(partial(cache.write, *kept), "keep features")
        grid = family.grid(crop.width, crop.height)
        if tuple(kept[0].shape) != tuple(family.latent_shape(grid)):
            raise RunFailed(f"The base gave latents of another shape for {label}.", **picture_details(order, index))
        text = texts.setdefault(facts["caption"], kept[1])
        samples.append(Sample(index + 1, label, ordered.image_sha256, facts["key"], grid, kept[0], text))
    return samples


def _encode(
    order: TrainOrder,
    index: int,
    fetch: Fetch,
    latents: dict[tuple[str, str], Tensor],
    texts: dict[str, Text],
) -> Generator[Yielded, Any, tuple[Tensor, Text]]:
    """The sample's latents and features, taken from ``latents`` and ``texts`` where its content was encoded before."""
    facts = sample_facts(order, order.samples[index])
    picture = (facts["image"], facts["transform"])
    if picture not in latents:
        pixels_HWC = yield Background(partial(load_pixels, order, index, fetch), "decode picture")
        latents[picture] = _plain((yield EncodeImage(pixels_HWC)))
    if facts["caption"] not in texts:
        text = yield EncodeText(order.samples[index].caption)
        texts[facts["caption"]] = Text(text.tokens, {name: _plain(tensor) for name, tensor in text.tensors.items()})
    found = latents[picture], texts[facts["caption"]]
    if not all(finite(tensor) for tensor in (found[0], *found[1].tensors.values())):
        raise _cannot_encode(order, index, "the result is no finite number.")
    return found


def _cannot_encode(order: TrainOrder, index: int, why: str) -> RunFailed:
    return RunFailed(
        f"The base cannot encode {label_of(order, index)}: {why} Change or remove that picture and its caption and "
        "train again.",
        **picture_details(order, index),
    )


def load_pixels(order: TrainOrder, index: int, fetch: Fetch) -> Tensor:
    """The bucket's ``pixels_HWC`` uint8 of sample ``index``. ``RunFailed`` when its blob is missing or damaged,
    ``Busy`` when the store cannot be asked."""
    ordered, crop = order.samples[index], crop_of(order, order.samples[index])
    try:
        data = fetch(ordered.image_sha256)
        if sha256_hex(data) != ordered.image_sha256:
            raise ValueError("its content is not what was stored")
        with open_stored(data) as stored:
            if stored.size != (ordered.width, ordered.height):
                raise ValueError("its size is not the recorded one")
            picture = stored.convert("RGB")
    except Busy:
        raise
    except (LinocutError, OSError, KeyError, ValueError, SyntaxError, Image.DecompressionBombError) as broken:
        raise RunFailed(
            f"The stored file of {label_of(order, index)} is missing or damaged. Delete that picture from the dataset, "
            "upload it again and train again.",
            **picture_details(order, index),
        ) from broken
    scaled = picture.resize((crop.scaled_width, crop.scaled_height), Image.Resampling.LANCZOS)
    cut = scaled.crop((crop.left, crop.top, crop.left + crop.width, crop.top + crop.height))
    return torch.from_numpy(np.array(cut, dtype=np.uint8))


def picture_details(order: TrainOrder, index: int) -> dict[str, Any]:
    """What a program needs to find the picture that a sentence is about."""
    return {"position": index + 1, "image_sha256": order.samples[index].image_sha256}


@dataclass(frozen=True)
class _Cached:
    """One sample's latents and text features on the disk. A lost or damaged file costs one more encoding."""

    folder: Path
    facts: dict[str, str]

    @property
    def path(self) -> Path:
        return self.folder / f"{sha256_hex(repr(sorted(self.facts.items())).encode())}.safetensors"

    def read(self) -> tuple[Tensor, Text] | None:
        try:
            tensors, facts = unseal(self.path.read_bytes())
        except (FileNotFoundError, Damaged):
            return None
        if facts != self.facts:  # the wall between a caption and another caption's picture
            return None
        words = {name.removeprefix(_WORDS): tensor for name, tensor in tensors.items() if name.startswith(_WORDS)}
        return tensors[_LATENTS], Text(int(tensors[_TOKENS]), words)

    def write(self, latents: Tensor, text: Text) -> None:
        words = {f"{_WORDS}{name}": tensor for name, tensor in text.tensors.items()}
        tensors = {_LATENTS: latents, _TOKENS: torch.tensor(text.tokens), **words}
        write_durably(self.path, seal(tensors, self.facts))


def _plain(tensor: Tensor) -> Tensor:
    """The tensor as it will come back from the disk, so that a resumed run computes with the same memory layout."""
    return tensor.detach().to("cpu").contiguous().clone()
