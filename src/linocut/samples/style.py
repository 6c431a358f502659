"""How near pictures are to a style, from pixels alone: no network that a training run could have pleased.

A picture becomes a vector of three parts that together say "style" and not "subject": which colours it uses (a soft
histogram over CIELAB, wherever they stand), which colours stand where near its edge and in its corners (frames,
bands), and how its brightness changes over short distances by direction and scale (dots, rays, outlines). The
distance of a picture to a style is the mean distance to its three nearest pictures of that style, so that a varied
style is not mistaken for its average.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_SIDE = 96
_SRGB_TO_LAB = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
Vector = NDArray[np.float64]


def style_vector(image: Image.Image) -> Vector:
    """The picture's style as one vector; every part has about unit weight."""
    small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    lab = np.asarray(ImageCms.applyTransform(small, _SRGB_TO_LAB), dtype=np.uint8).astype(np.float64)
    lab[..., 1:] = (lab[..., 1:] + 128) % 256  # Pillow stores a and b as signed bytes
    return np.concatenate([_palette(lab), 0.5 * _edge_profile(lab), 0.5 * _texture(lab[..., 0])])


def _palette(lab: Vector) -> Vector:
    """Share of the picture in each of 6 x 8 x 8 bins, square-rooted (Hellinger) so that small accents count."""
    bins = (lab / 256 * np.array([6, 8, 8])).astype(int)
    flat = (bins[..., 0] * 64 + bins[..., 1] * 8 + bins[..., 2]).ravel()
    histogram = np.bincount(flat, minlength=384).reshape(6, 8, 8).astype(float)
    for axis in range(3):  # a neighbour's share, so that a slightly shifted colour is near, not foreign
        histogram = 0.5 * histogram + 0.25 * (np.roll(histogram, 1, axis) + np.roll(histogram, -1, axis))
    return np.asarray(np.sqrt(histogram.ravel() / histogram.sum()))


def _edge_profile(lab: Vector) -> Vector:
    """Mean colour of eight rings from the border inwards: frames and margins."""
    rows, columns = np.indices(lab.shape[:2])
    ring = np.minimum.reduce([rows, columns, _SIDE - 1 - rows, _SIDE - 1 - columns])
    means = [lab[(ring >= 2 * i) & (ring < 2 * i + 2)].mean(axis=0) for i in range(8)]
    return np.asarray(np.concatenate(means) / 128 / np.sqrt(8))


def _texture(light: Vector) -> Vector:
    """Strength of brightness changes at 4 scales and 4 directions."""
    parts = []
    for scale in (1, 2, 4, 8):
        pooled = light[: _SIDE // scale * scale, : _SIDE // scale * scale]
        pooled = pooled.reshape(_SIDE // scale, scale, _SIDE // scale, scale).mean(axis=(1, 3))
        dy, dx = np.gradient(pooled)
        for direction in range(4):
            angle = direction * np.pi / 4
            parts.append(np.abs(dx * np.cos(angle) + dy * np.sin(angle)).mean() / 16)
    return np.array(parts)


def style_distance(image: Image.Image, style: Sequence[Vector], nearest: int = 3) -> float:
    """How far ``image`` is from the pictures whose vectors are ``style``: 0 is the same, about 1 is foreign."""
    own = style_vector(image)
    distances = sorted(float(np.linalg.norm(own - other)) for other in style)
    return float(np.mean(distances[:nearest]))
