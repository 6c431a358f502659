"""Reads the lettering of a picture: lines with their text, place, angle and colours. Imports no torch.

Found and read by PP-OCR networks through ``rapidocr`` and ``onnxruntime``: the small ones inside its wheel, or those of
a folder. Only arrays go in; nothing is fetched and nothing is written. What the networks leave loose is put right here:
boxes are tightened to the ink, and spaces between words that were dropped are mended.

Corners and colours are the picture's own: x to the right and y down, in pixels from the top left.
"""

import logging
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import atan2, cos, degrees, hypot, radians, sin
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from linocut.engine.tools.ink import Ink, ink_of, tilt_of
from linocut.engine.tools.word_gaps import with_spaces
from linocut.errors import InvalidRequest, NotReady

Levels = NDArray[np.uint8]
Point = tuple[float, float]

EMBEDDED = "PP-OCRv6 small (rapidocr)"
"""What answers call the networks inside the wheel."""
LEAST_SIDE = 16
FINDING_SIDE = 1280
"""The longest side, in pixels, that lettering is looked for in; it is read at the picture's own size."""
SMALL_SIDE = 736
"""A picture whose shorter side is less is enlarged to it for finding, but never beyond ``FINDING_SIDE``."""
LEAST_CONFIDENCE = 0.5
"""What is read with less is left out, and said."""
LEAST_CONFIDENCE_ALONE = 0.9
"""Of a letter or digit that stands alone: a drawn cup is read as a G with 0.68, a leaf as an O."""
SURE_CONFIDENCE = 0.8
"""What is read with less is told, with a doubt."""
UPRIGHT_ASPECT = 1.5
"""A box this many times as high as wide holds a line that runs downwards, or a single narrow sign."""
SINGLE_ASPECT = 4.0
"""Higher than that it is a line that runs downwards."""
LONG_ASPECT = 1.5
"""What cannot be read and is no longer than this many times its height is a figure, and nothing is said of it. Of 40
drawn pictures without lettering 22 had such a place, 1.00 to 1.29 times as long as high, often the whole picture;
lettering that was blurred or pixelated until it was not read had 1.59 to 5.7."""


@dataclass(frozen=True)
class Line:
    """One line of lettering. ``corners``: of its ink, clockwise from the top left as one reads it. ``confidence``: 0 to
    1. ``angle``: degrees clockwise from level, in (-180, 180]. ``ink``, ``ground``: the colours of the letters and of
    what is behind them, ``#RRGGBB``."""

    text: str
    corners: tuple[Point, Point, Point, Point]
    confidence: float
    angle: float
    ink: str
    ground: str

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the upright box around the corners."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True)
class Lettering:
    """All lines, from the top down and from the left. ``doubts``: sentences on what may be missing or wrong, none where
    all is sure. ``read_by``: the networks' name."""

    lines: tuple[Line, ...]
    doubts: tuple[str, ...]
    read_by: str


@dataclass(frozen=True)
class Frame:
    """An upright or turned rectangle: its middle, its size along and across the reading direction, and the angle of
    that direction, degrees clockwise."""

    x: float
    y: float
    width: float
    height: float
    angle: float

    @property
    def is_long(self) -> bool:
        """Whether it is shaped as a line of lettering, level or upright."""
        return max(self.width, self.height) >= LONG_ASPECT * min(self.width, self.height)

    def point(self, along: float, across: float) -> Point:
        """A place measured from the frame's own top left."""
        turn = radians(self.angle)
        u, v = along - self.width / 2, across - self.height / 2
        return self.x + u * cos(turn) - v * sin(turn), self.y + u * sin(turn) + v * cos(turn)

    def part(self, left: float, top: float, right: float, bottom: float) -> "Frame":
        """The frame of a part, measured from this one's top left."""
        x, y = self.point((left + right) / 2, (top + bottom) / 2)
        return Frame(x, y, right - left, bottom - top, self.angle)

    def turned(self, quarters: int) -> "Frame":
        """The same place read in another direction, so many quarters clockwise."""
        width, height = (self.width, self.height) if quarters % 2 == 0 else (self.height, self.width)
        return Frame(self.x, self.y, width, height, _turn(self.angle + 90.0 * quarters))

    def corners(self) -> tuple[Point, Point, Point, Point]:
        """Clockwise from the top left."""
        w, h = self.width, self.height
        return self.point(0, 0), self.point(w, 0), self.point(w, h), self.point(0, h)

    def to_picture(self, margin: int) -> NDArray[np.float64]:
        """The 2 x 3 matrix that takes places of a strip (see there) to places of the picture, by pixels' middles."""
        turn = radians(self.angle)
        left, top = self.point(-margin + 0.5, -margin + 0.5)
        return np.array([[cos(turn), -sin(turn), left - 0.5], [sin(turn), cos(turn), top - 0.5]])

    def strip(self, pixels_HWC: Levels, margin: int) -> Levels:
        """What of a picture lies in it and ``margin`` pixels around it, laid level; the picture's rim is repeated."""
        size = max(1, round(self.width)) + 2 * margin, max(1, round(self.height)) + 2 * margin
        to_picture = self.to_picture(margin)
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        laid = cv2.warpAffine(pixels_HWC, to_picture, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
        return laid.astype(np.uint8, copy=False)

    def seen(self, height: int, width: int, margin: int) -> NDArray[np.bool_]:
        """Which pixels of a strip lie on a picture of that size."""
        columns, rows = max(1, round(self.width)) + 2 * margin, max(1, round(self.height)) + 2 * margin
        y, x = np.mgrid[:rows, :columns]
        matrix = self.to_picture(margin)
        at_x, at_y = (matrix[axis, 0] * x + matrix[axis, 1] * y + matrix[axis, 2] for axis in (0, 1))
        on_HW: NDArray[np.bool_] = (at_x > -0.5) & (at_x < width - 0.5) & (at_y > -0.5) & (at_y < height - 0.5)
        return on_HW


class Reader:
    """The tool: uint8 ``pixels_HWC`` (RGB) -> ``Lettering``. One picture at a time, whoever asks."""

    def __init__(self, folder: Path | None = None) -> None:
        """With the networks of the wheel, or with those of ``folder``. ``NotReady`` when they cannot be used."""
        self.name = EMBEDDED if folder is None else folder.name
        self._networks = _networks(_embedded() if folder is None else _files_of(folder))
        self._lock = Lock()

    def run(self, given: Any) -> Lettering:
        """``InvalidRequest`` when ``given`` is no RGB picture of at least 16 x 16 pixels."""
        pixels_HWC = _picture(given)
        with self._lock:
            found = [(frame, self._line(pixels_HWC, frame)) for frame in self._frames(pixels_HWC)]
        kept = tuple(line for _, line in found if _is_read(line))
        unread = sum(frame.is_long and not _is_figures(line.text) for frame, line in found if not _is_read(line))
        return Lettering(kept, tuple(_doubts(kept, unread)), self.name)

    def tokens(self, given: Any) -> int:
        """The picture's pixels."""
        return max(1, int(np.asarray(given).shape[0] * np.asarray(given).shape[1]))

    def _frames(self, pixels_HWC: Levels) -> Iterable[Frame]:
        """Where lines are, loosely."""
        height, width = pixels_HWC.shape[:2]
        scale = min(FINDING_SIDE / max(height, width), max(1.0, SMALL_SIDE / min(height, width)))
        sized = pixels_HWC
        if scale != 1.0:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
            sized = np.asarray(Image.fromarray(pixels_HWC).resize(size, how))
        below, beside = (max(0, 64 - side) for side in sized.shape[:2])
        sized = np.pad(sized, ((0, below), (0, beside), (0, 0)), mode="edge")
        found = self._networks(_bgr(sized), use_det=True, use_cls=False, use_rec=False)
        for box in [] if found.boxes is None else found.boxes:
            yield frame_of(np.asarray(box, np.float64) / scale)

    def _line(self, pixels_HWC: Levels, frame: Frame) -> Line:
        """What a frame says, with its box drawn close around the ink."""
        text, confidence, centres, frame = self._read(pixels_HWC, frame)
        ink, margin = _ink(pixels_HWC, frame)
        if ink.bounds is not None and (tilt := tilt_of(ink.mask_HW)):
            frame = replace(frame, angle=_turn(frame.angle + tilt))
            ink, margin = _ink(pixels_HWC, frame)
        tight = frame
        if ink.bounds is not None:
            left, top, right, bottom = (side - margin for side in ink.bounds)
            tight = frame.part(left, top, right, bottom)
            if ink.is_plain:
                text = with_spaces(text, [margin + centre for centre in centres], ink.mask_HW)
        return Line(text, tight.corners(), confidence, round(tight.angle, 2), ink.ink, ink.ground)

    def _read(self, pixels_HWC: Levels, frame: Frame) -> tuple[str, float, list[float], Frame]:
        """(text, confidence, middle of each sign along the frame, the frame as it is read)."""
        ways = [frame]
        if frame.height >= UPRIGHT_ASPECT * frame.width:
            ways = [frame.turned(1)] + ([frame] if frame.height < SINGLE_ASPECT * frame.width else [])
        read = [self._read_level(pixels_HWC, self._upright(pixels_HWC, way)) for way in ways]
        return max(read, key=lambda one: one[1])

    def _upright(self, pixels_HWC: Levels, frame: Frame) -> Frame:
        """The frame, turned by half where the letters stand on their heads."""
        if frame.width < 2 * frame.height:  # too few signs to tell
            return frame
        strip = _bgr(frame.strip(pixels_HWC, 0))
        told = self._networks(strip, use_det=False, use_cls=True, use_rec=False)
        [(label, score)] = told.cls_res
        return frame.turned(2) if label == "180" and score > 0.9 else frame

    def _read_level(self, pixels_HWC: Levels, frame: Frame) -> tuple[str, float, list[float], Frame]:
        strip = _bgr(frame.strip(pixels_HWC, 0))
        said = self._networks(strip, use_det=False, use_cls=False, use_rec=True)
        if not said.txts or not said.txts[0].strip():
            return "", 0.0, [], frame
        word = said.word_results[0]
        columns = [column for some in word.word_cols for column in some]
        centres = [(column + 0.5) / word.line_txt_len * frame.width for column in columns]
        return said.txts[0].strip(), float(said.scores[0]), centres, frame


def ink_in(pixels_HWC: Levels, frame: Frame, margin: int) -> Ink:
    """The ink of a frame, with ``margin`` pixels of its surroundings on each side of the strip."""
    height, width = pixels_HWC.shape[:2]
    return ink_of(frame.strip(pixels_HWC, margin), margin, frame.seen(height, width, margin))


def _ink(pixels_HWC: Levels, frame: Frame) -> tuple[Ink, int]:
    """The ink of a frame, and how many pixels of its strip lie around the frame."""
    margin = 2 + round(0.15 * frame.height)
    return ink_in(pixels_HWC, frame, margin), margin


def _is_read(line: Line) -> bool:
    """Whether a line counts as lettering, and as what was read."""
    alone = sum(sign.isalnum() for sign in line.text) <= 1
    least = LEAST_CONFIDENCE_ALONE if alone else LEAST_CONFIDENCE
    return not _is_figures(line.text) and line.confidence >= least


def _is_figures(text: str) -> bool:
    """Whether what was read are drawn figures: dots, stars and arrows are symbols, no letters, digits or marks."""
    kinds = {unicodedata.category(sign) for sign in text if sign != " "}
    return bool(kinds) and kinds <= {"Sm", "Sk", "So"}


def _doubts(lines: Sequence[Line], unread: int) -> Iterable[str]:
    if unread:
        places = "1 place looks" if unread == 1 else f"{unread} places look"
        yield f"{places} like lettering and could not be read."
    for line in lines:
        if line.confidence < SURE_CONFIDENCE:
            yield f'The line "{line.text}" was read with little confidence ({line.confidence:.2f} of 1).'


def _picture(given: Any) -> Levels:
    pixels_HWC: Levels = np.asarray(given)
    if (
        pixels_HWC.dtype != np.uint8
        or pixels_HWC.ndim != 3
        or pixels_HWC.shape[2] != 3
        or min(pixels_HWC.shape[:2]) < LEAST_SIDE
    ):
        raise InvalidRequest(f"A picture to read must be RGB, of at least {LEAST_SIDE} x {LEAST_SIDE} pixels.")
    return pixels_HWC


def _bgr(pixels_HWC: Levels) -> Levels:
    """As the networks were trained."""
    return np.ascontiguousarray(pixels_HWC[..., ::-1])


def frame_of(corners: NDArray[np.float64] | Sequence[Point]) -> Frame:
    """The rectangle of four corners, clockwise from the top left as one reads."""
    corners = np.asarray(corners, np.float64)
    top_left, top_right, bottom_right, bottom_left = corners
    along, across = (top_right - top_left + bottom_right - bottom_left) / 2, (bottom_left - top_left)
    across = (across + bottom_right - top_right) / 2
    x, y = corners.mean(axis=0)
    angle = _turn(degrees(atan2(along[1], along[0])))
    return Frame(float(x), float(y), max(1.0, hypot(*along)), max(1.0, hypot(*across)), angle)


def _turn(angle: float) -> float:
    """The same angle in (-180, 180]."""
    return 180.0 - (180.0 - angle) % 360.0


# the networks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Files:
    find: Path
    read: Path
    turn: Path
    signs: Path | None


def _embedded() -> _Files:
    import rapidocr

    models = Path(str(rapidocr.__file__)).parent / "models"
    return _Files(
        models / "PP-OCRv6_det_small.onnx",
        models / "PP-OCRv6_rec_small.onnx",
        models / "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
        None,
    )


def _files_of(folder: Path) -> _Files:
    """The files of a folder; what it lacks is said by name, without the folder's own."""
    for name in ("det.onnx", "rec.onnx"):
        if not (folder / name).is_file():
            raise NotReady(
                f"The folder that LINOCUT_LETTERING names has no {name}; it takes det.onnx, rec.onnx and, if need be, "
                "keys.txt and cls.onnx (docs/tools.md)."
            )
    turn = folder / "cls.onnx"
    signs = folder / "keys.txt" if (folder / "keys.txt").is_file() else None
    if signs is None and not _knows_its_signs(folder / "rec.onnx"):
        raise NotReady(
            "The rec.onnx that LINOCUT_LETTERING names does not list its signs: put them into keys.txt beside it, one "
            "a line (docs/tools.md)."
        )
    return _Files(folder / "det.onnx", folder / "rec.onnx", turn if turn.is_file() else _embedded().turn, signs)


def _knows_its_signs(file: Path) -> bool:
    """Whether a reading network lists its signs. Without them ``rapidocr`` would go and fetch a list."""
    from onnxruntime import InferenceSession

    try:
        session = InferenceSession(str(file), providers=["CPUExecutionProvider"])
    except Exception as unreadable:  # the library's own errors have no common class but this
        raise NotReady("The rec.onnx that LINOCUT_LETTERING names cannot be read as an ONNX network.") from unreadable
    return "character" in session.get_modelmeta().custom_metadata_map


def _networks(files: _Files) -> Any:
    """``rapidocr`` over these files, on one thread, without a word, with no path of its own to fetch from."""
    from rapidocr import RapidOCR

    params: dict[str, Any] = {
        "Global.log_level": "critical",
        "Global.use_preprocess_img": False,
        "Global.use_vertical_padding": False,
        "Global.return_word_box": True,
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "Det.limit_type": "max",
        "Det.limit_side_len": FINDING_SIDE,
        "Det.model_path": str(files.find),
        "Rec.model_path": str(files.read),
        "Cls.model_path": str(files.turn),
    }
    if files.signs is not None:
        params["Rec.rec_keys_path"] = str(files.signs)
    networks = RapidOCR(params=params)
    logging.getLogger("RapidOCR").handlers.clear()
    blank = np.full((64, 64, 3), 255, np.uint8)
    try:
        for use in ("use_det", "use_cls", "use_rec"):  # they are loaded by their first use
            networks(blank, **({"use_det": False, "use_cls": False, "use_rec": False} | {use: True}))
    except Exception as unfit:  # whatever a foreign network raises
        raise NotReady(
            "The networks that LINOCUT_LETTERING names cannot be run: they must be PP-OCR's det, rec and cls as ONNX "
            "(docs/tools.md)."
        ) from unfit
    return networks
