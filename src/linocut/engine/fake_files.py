"""The files that the fake engine makes: a flat picture and a small valid adapter, the same bytes for the same order."""

import hashlib

import numpy
from PIL import Image

from linocut.engine.png_text import chunks
from linocut.lora_files.stored import DOWN, UP, AdapterMetadata, header_metadata, prefix_of, safetensors_bytes
from linocut.orders import TrainOrder
from linocut.picture_files import png_bytes

LINEAR = "layers.0.attention.to_q"
FEATURES = 192
"""The one linear that a fake adapter covers, and its features in and out: as in the embedded base, so that it fits."""


def flat_picture(text: str, width: int, height: int) -> Image.Image:
    """A picture of two flat colours, upper and lower half, that are a hash of ``text``."""
    digest = hashlib.sha256(text.encode()).digest()
    picture = Image.new("RGB", (width, height), (digest[0], digest[1], digest[2]))
    picture.paste((digest[3], digest[4], digest[5]), (0, height // 2, width, height))
    return picture


def flat_png(text: str, width: int, height: int, texts: dict[str, str] | None = None) -> bytes:
    """``flat_picture`` as PNG bytes; ``texts`` as in ``png_text``."""
    return as_png(flat_picture(text, width, height), texts)


def as_png(picture: Image.Image, texts: dict[str, str] | None = None) -> bytes:
    """The picture as PNG bytes; ``texts`` as in ``png_text``."""
    return png_bytes(picture, chunks(texts or {}))


def adapter_bytes(order: TrainOrder, order_sha256: str, step: int) -> bytes:
    """An adapter file with ``order.rank`` rows on one small linear, drawn from the order's hash and ``step``."""
    draw = numpy.random.Philox(key=int(order_sha256[:16], 16), counter=step)
    metadata = AdapterMetadata(base=order.base, rank=order.rank, alpha=order.alpha)
    prefix = prefix_of(metadata.family)
    names = f"{prefix}{LINEAR}{DOWN}", f"{prefix}{LINEAR}{UP}"
    tensors = {}
    for name, shape in zip(names, ((order.rank, FEATURES), (FEATURES, order.rank)), strict=True):
        words = draw.random_raw(order.rank * FEATURES)
        tensors[name] = shape, (words / 2.0**64 - 0.5).astype("<f4").tobytes()
    return safetensors_bytes(tensors, header_metadata([LINEAR], metadata))
