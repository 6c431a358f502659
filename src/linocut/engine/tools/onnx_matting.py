"""Cuts an object out with a network that the operator brings, as one ONNX file: BiRefNet, ISNet, U2-Net and their like.

Such a file takes a normalised RGB picture, float32 ``[1, 3, h, w]``, mostly of one size, and gives how much each pixel
is the object's, ``[1, 1, h, w]``, as its first output: in 0..1, or before the logistic function. Nothing is fetched.

Shapes: H and W pixels of the picture, h and w those of the network.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linocut.engine.tools.cut import NOTHING, Cut, Levels, checked
from linocut.errors import NotReady
from linocut.onnx_files import open_network

NAME = "onnx-matting"
ANY_SIDE = 1024
"""The side at which a network sees that takes any."""
SIDES = (32, 4096)
NORMALISED: tuple[tuple[str, tuple[float, float, float], tuple[float, float, float]], ...] = (
    ("isnet", (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)),
    ("", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
)
"""What is in a file's name, and the mean and deviation (of 0..1) that such networks were trained with. The last, of
BiRefNet, U2-Net and most others, are ImageNet's."""
LEAST_OBJECT = 0.0005
UNDECIDED = 0.12
"""The largest part of the picture that is neither object nor ground in a cut that is sure."""
VAGUE = "The network is undecided about much of the picture."

Floats = NDArray[np.float32]


class OnnxMatting:
    """The tool: uint8 ``pixels_HWC`` (RGB) -> ``Cut`` of the same size. ``NotReady`` for a file that is no such
    network."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._network = open_network(NAME, path, "LINOCUT_MATTING", threads)
        self._by = f"{NAME} ({path.name})"
        inputs = self._network.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
            raise _unfit()
        self._input = inputs[0].name
        height, width = (side if isinstance(side, int) else ANY_SIDE for side in inputs[0].shape[2:])
        self._size = height, width
        if not all(SIDES[0] <= side <= SIDES[1] for side in self._size):
            raise _unfit()
        _, mean, deviation = next(entry for entry in NORMALISED if entry[0] in path.name.lower())
        self._mean, self._deviation = np.array(mean, np.float32), np.array(deviation, np.float32)
        try:
            probe_hw = self._shares(np.full((*self._size, 3), 128, np.uint8))
        except Exception as wrong:  # four channels, half precision: onnxruntime's own types
            raise _unfit() from wrong
        if probe_hw.shape != self._size or not np.isfinite(probe_hw).all():
            raise _unfit()

    def run(self, given: Any) -> Cut:
        """``InvalidRequest`` when ``given`` is no RGB picture of at least 16 x 16 pixels."""
        pixels_HWC = checked(given)
        height, width = pixels_HWC.shape[:2]
        small = Image.fromarray(pixels_HWC).resize(self._size[::-1], Image.Resampling.BILINEAR)
        shares_hw = self._shares(np.asarray(small))
        levels_hw = np.rint(np.clip(shares_hw, 0.0, 1.0) * 255).astype(np.uint8)
        alpha = Image.fromarray(levels_hw).resize((width, height), Image.Resampling.BICUBIC)
        return Cut(np.asarray(alpha), _doubts(shares_hw), self._by)

    def tokens(self, given: Any) -> int:
        """The network sees as many pixels of every picture."""
        del given
        return self._size[0] * self._size[1]

    def _shares(self, pixels_hwC: Levels) -> Floats:
        """How much each pixel is the object's, 0..1."""
        normal_hwC = (pixels_hwC.astype(np.float32) / 255.0 - self._mean) / self._deviation
        found = self._network.run(None, {self._input: np.ascontiguousarray(normal_hwC.transpose(2, 0, 1)[None])})
        shares_hw: Floats = np.asarray(found[0], np.float32)
        shares_hw = shares_hw.reshape([side for side in shares_hw.shape if side != 1] or [1])
        if shares_hw.min() < -0.01 or shares_hw.max() > 1.01:  # before the logistic function
            shares_hw = np.reciprocal(1.0 + np.exp(-np.clip(shares_hw, -30.0, 30.0)), dtype=np.float32)
        return shares_hw


def _doubts(shares_hw: Floats) -> tuple[str, ...]:
    doubts = [NOTHING] if float((shares_hw > 0.5).mean()) < LEAST_OBJECT else []
    if float(((shares_hw > 0.2) & (shares_hw < 0.8)).mean()) > UNDECIDED:
        doubts.append(VAGUE)
    return tuple(doubts)


def _unfit() -> NotReady:
    return NotReady(
        f"The weights of the tool {NAME} are no network that cuts out: it takes one float32 [1, 3, H, W] with sides of "
        f"{SIDES[0]} to {SIDES[1]} (or free ones), and gives [1, 1, H, W], how much each pixel is the object's."
    )
