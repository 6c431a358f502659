"""Cuts an object out with a network that the operator brings, as one ONNX file: BiRefNet, ISNet, U2-Net and their like.

Such a file takes a normalised RGB picture of a fixed size, ``[1, 3, h, w]``, and gives how much each pixel is the
object's, ``[1, 1, h, w]``, as its first output: in 0..1, or before the logistic function. Nothing is fetched.

Shapes: H and W pixels of the picture, h and w those of the network.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linocut.engine.tools.cut import NOTHING, Cut, checked
from linocut.errors import NotReady

ANY_SIDE = 1024
"""The side of a network that takes any."""
SIDES = (32, 4096)
NORMALISED: tuple[tuple[str, tuple[float, float, float], tuple[float, float, float]], ...] = (
    ("isnet", (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)),
    ("", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
)
"""What is in a file's name, and the mean and deviation (of 0..1) that such networks were trained with. The last, of
BiRefNet, U2-Net and most others, are ImageNet's."""
BYTES_PER_PIXEL = 1024
"""Of the network's input, about, while it runs."""
LEAST_OBJECT = 0.0005
UNDECIDED = 0.12
"""The largest part of the picture that is neither object nor ground of a cut that is sure."""

Floats = NDArray[np.float32]


class OnnxMatting:
    """The tool: uint8 ``pixels_HWC`` (RGB) -> ``Cut`` of the same size."""

    def __init__(self, file: Path) -> None:
        """``NotReady`` with a sentence when the file is no network that cuts out."""
        self._session, self._input, self._size = _opened(file)
        _, mean, deviation = next(entry for entry in NORMALISED if entry[0] in file.name.lower())
        self._mean, self._deviation = np.array(mean, np.float32), np.array(deviation, np.float32)
        found_hw = self._shares(np.full((*self._size, 3), 128, np.uint8))
        if found_hw.shape != self._size:
            raise NotReady(f"{file.name} {_WANTED}: its first output is {found_hw.shape} for {self._size}.")

    def run(self, given: Any) -> Cut:
        """``InvalidRequest`` when ``given`` is no RGB picture of at least 16 x 16 pixels."""
        pixels_HWC = checked(given)
        height, width = pixels_HWC.shape[:2]
        small = Image.fromarray(pixels_HWC).resize(self._size[::-1], Image.Resampling.BILINEAR)
        shares_hw = self._shares(np.asarray(small))
        levels_hw = np.rint(np.clip(shares_hw, 0.0, 1.0) * 255).astype(np.uint8)
        alpha = Image.fromarray(levels_hw).resize((width, height), Image.Resampling.BICUBIC)
        return Cut(np.asarray(alpha), _doubts(shares_hw))

    def tokens(self, given: Any) -> int:
        """The network sees as many pixels of every picture."""
        del given
        return self._size[0] * self._size[1]

    def _shares(self, pixels_hwC: NDArray[np.uint8]) -> Floats:
        """How much each pixel is the object's."""
        normal_hwC = (pixels_hwC.astype(np.float32) / 255.0 - self._mean) / self._deviation
        [found, *_] = self._session.run(None, {self._input: normal_hwC.transpose(2, 0, 1)[None]})
        shares_hw: Floats = np.squeeze(np.asarray(found, np.float32))
        if shares_hw.ndim == 2 and (shares_hw.min() < -0.01 or shares_hw.max() > 1.01):  # before the logistic function
            shares_hw = np.reciprocal(1.0 + np.exp(-np.clip(shares_hw, -30, 30)), dtype=np.float32)
        return shares_hw


_WANTED = "is no network that cuts an object out of a picture"


def _opened(file: Path) -> tuple[Any, str, tuple[int, int]]:
    """(session, the input's name, its height and width). ``NotReady``."""
    import onnxruntime

    if not file.is_file():
        raise NotReady(f"LINOCUT_MATTING names {file.name}, and there is no such file; give its whole path, or border.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # beside the base, which has the machine's cores
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as broken:  # the library has a dozen of its own, and raises what it likes
        raise NotReady(f"{file.name} cannot be read as an ONNX network; fetch it again.") from broken
    inputs = session.get_inputs()
    fits = len(inputs) == 1 and inputs[0].type == "tensor(float)" and len(inputs[0].shape) == 4
    if not fits or (inputs[0].shape[1] not in (3, None) and not isinstance(inputs[0].shape[1], str)):
        told = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
        raise NotReady(f"{file.name} {_WANTED}: it takes {told}, and not one tensor(float) of [1, 3, height, width].")
    sides = [side if isinstance(side, int) and side > 0 else ANY_SIDE for side in inputs[0].shape[2:]]
    if not all(SIDES[0] <= side <= SIDES[1] for side in sides):
        raise NotReady(f"{file.name} {_WANTED}: it takes pictures of {sides[1]} x {sides[0]} pixels.")
    return session, str(inputs[0].name), (sides[0], sides[1])


def _doubts(shares_hw: Floats) -> tuple[str, ...]:
    doubts = []
    if float((shares_hw > 0.5).mean()) < LEAST_OBJECT:
        doubts.append(NOTHING)
    if float(((shares_hw > 0.2) & (shares_hw < 0.8)).mean()) > UNDECIDED:
        doubts.append("The network is undecided about much of the picture.")
    return tuple(doubts)
