"""Enlarging with a network that the operator brings: any super-resolution network exported as ONNX.

Its signature is the common one: one input, float32 RGB from 0 to 1 as ``[1, 3, H, W]`` with free H and W; one output,
the same at a whole number of times the size. More than twice is scaled down to twice.

Shapes: H and W pixels.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linocut.engine.tools.resampling import Levels, pixels_of, rgb
from linocut.errors import NotReady
from linocut.onnx_files import open_network

FROM_WEIGHTS = "onnx-enlargement"
TILE = 256
"""Pixels a side that go through the network at once, so that its memory does not grow with the picture."""
RIM = 16
"""Pixels around a tile that the network sees and that are cut off again."""
PROBE = 32
FACTORS = (2, 3, 4, 8)


class OnnxEnlargement:
    """As ``resampling.Enlarger``. ``NotReady`` with a sentence for a file that is no such network."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._network = open_network(FROM_WEIGHTS, path, "LINOCUT_ENLARGEMENT", threads)
        inputs, outputs = self._network.get_inputs(), self._network.get_outputs()
        fits = len(inputs) == 1 and len(outputs) >= 1 and inputs[0].type == "tensor(float)"
        if not (fits and len(inputs[0].shape) == 4 and inputs[0].shape[1] == 3):
            raise _unfit()
        self._input, self._output = inputs[0].name, outputs[0].name
        try:
            probe = self._through(np.zeros((PROBE, PROBE, 3), np.uint8))
        except Exception as wrong:  # a fixed size, an operator that is not known: onnxruntime's own types
            raise _unfit() from wrong
        self.factor = probe.shape[0] // PROBE
        if probe.shape != (PROBE * self.factor, PROBE * self.factor, 3) or self.factor not in FACTORS:
            raise _unfit()

    def run(self, given: Any) -> Levels:
        """As ``Enlarger.run``."""
        pixels_HWC = rgb(given)
        height, width = pixels_HWC.shape[:2]
        out = np.empty((2 * height, 2 * width, 3), np.uint8)
        for top in range(0, height, TILE):
            for left in range(0, width, TILE):
                bottom, right = min(top + TILE, height), min(left + TILE, width)
                out[2 * top : 2 * bottom, 2 * left : 2 * right] = self._tile(pixels_HWC, top, left, bottom, right)
        return out

    def tokens(self, given: Any) -> int:
        """Its pixels."""
        return pixels_of(given)

    def _tile(self, pixels_HWC: Levels, top: int, left: int, bottom: int, right: int) -> Levels:
        """The part of the picture twice as large; the network has seen the pixels around it."""
        above, before = max(0, top - RIM), max(0, left - RIM)
        seen_HWC = pixels_HWC[above : bottom + RIM, before : right + RIM]
        larger_HWC = self._through(seen_HWC)
        if self.factor != 2:
            size = 2 * seen_HWC.shape[1], 2 * seen_HWC.shape[0]
            larger_HWC = np.asarray(Image.fromarray(larger_HWC).resize(size, Image.Resampling.BOX))
        y, x = 2 * (top - above), 2 * (left - before)
        return larger_HWC[y : y + 2 * (bottom - top), x : x + 2 * (right - left)]

    def _through(self, pixels_HWC: Levels) -> Levels:
        given: NDArray[np.float32] = (pixels_HWC.astype(np.float32) / 255.0).transpose(2, 0, 1)[None]
        (out,) = self._network.run([self._output], {self._input: np.ascontiguousarray(given)})
        levels: Levels = np.rint(np.clip(out[0].transpose(1, 2, 0), 0.0, 1.0) * 255.0).astype(np.uint8)
        return levels


def _unfit() -> NotReady:
    return NotReady(
        f"The weights of the tool {FROM_WEIGHTS} are no network that enlarges: it takes float32 [1, 3, H, W] from 0 to "
        "1, with free H and W, and gives the same at two, three, four or eight times the size."
    )
