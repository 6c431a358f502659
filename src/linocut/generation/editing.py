"""Drawing over a picture: which size, where the picture lies, how much noise is laid over it, and where new things go.

Pure. A picture's pixels are not looked at here: only its size, and the box of what its mask repaints.
"""

import json
import re
from math import log
from typing import Literal

from linocut.captions import Worded, caption_text, normalise
from linocut.errors import InvalidRequest
from linocut.generation.sizes import size_of, spoken_ratio
from linocut.generation.types import GenerateAsk, Over, Rules, Size
from linocut.orders import EditOrder, GenerateOrder, PictureRef, Placement
from linocut.pictures.intake import StoredPicture
from linocut.sizes import cover_crop, size_text

MOST_ASPECT = 4.0
"""The longest side over the shortest of a picture that is repainted as it is."""
LEAST_LEVEL = 0.1
"""The noise of the highest weight: what is redrawn is a little smoother, and otherwise the picture."""
REFRAME_LEVEL = 0.9
"""The noise over what is drawn on around a picture, which starts from the picture's own rim, drawn out. With nothing
left of it the embedded base makes up another ground (docs/editing.md has the figures)."""
BOX_MARGIN = 0.12
"""Air around a new thing in the box that it is drawn in, of that box."""

_KEEP: dict[str, Literal["nothing", "picture", "mask", "object"]] = {
    "remix": "nothing", "inpaint": "mask", "reframe": "picture", "replace-background": "object", "edit": "mask",
}  # fmt: skip
_LEVELS = {"inpaint": 1.0, "edit": 1.0, "replace-background": 1.0, "reframe": REFRAME_LEVEL}
UNSAID_WEIGHT = 50
_WEIGHTS = (
    (80, r"only|just|slightly|subtl\w+|keep\w*|same|retouch\w*|touch up|clean up|sharpen\w*|brighten\w*|darken\w*"),
    (65, r"recolou?r\w*|colou?r it|repaint|(?:make|turn) (?:it|this|the)|change|replace|restyle|in the style"),
    (30, r"inspired|reimagin\w*|loosely|variation\w*|something like|completely|different|new version"),
)
_WORDS = [(weight, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for weight, words in _WEIGHTS]


def weight_of_text(text: str) -> int:
    """The ``image_weight`` of an instruction without one, by its words: high where it asks for a small change, low
    where it asks for something freer, 50 where it says neither. Of several kinds of words, the highest counts."""
    return next((weight for weight, words in _WORDS if words.search(text)), UNSAID_WEIGHT)


def level_of(image_weight: int) -> float:
    """The noise that is laid over the picture: all but a trace at weight 1, a tenth at 100. It falls faster and faster,
    because a base decides late on the way up what of a picture is lost: at 50 it is three quarters."""
    return 1.0 - (1.0 - LEAST_LEVEL) * (image_weight / 100.0) ** 2


def edited_size(ask: GenerateAsk, over: Over) -> Size:
    """Width and height of the answer: what is inpainted, or given another ground, keeps its size; the others are as
    asked, and a remix of a version that leaves the ratio to the text has the picture's where its text speaks of none.
    ``InvalidRequest``."""
    picture = over.picture
    own = over.operation == "edit" and ask.resolution is None and ask.aspect_ratio is None
    if own or over.operation in ("inpaint", "replace-background"):
        if max(picture.width / picture.height, picture.height / picture.width) > MOST_ASPECT:
            raise InvalidRequest(
                f"image: The picture is {size_text(picture.width, picture.height)} pixels; one side may be at most "
                f"{MOST_ASPECT:.0f} times the other. Crop it{', and its mask with it' if over.mask else ''}.",
                field="image",
            )
        return picture.width, picture.height
    rules = ask.rules
    left_open = rules.text_chooses_ratio and ask.resolution is None and ask.aspect_ratio is None
    if left_open and spoken_ratio(ask.prompt or "", rules.ratios) is None:
        return nearest_size(frozenset(rules.ratios.values()), picture.width, picture.height)
    return size_of(rules, ask.resolution, ask.aspect_ratio, ask.prompt)


def nearest_size(sizes: frozenset[Size], width: int, height: int) -> Size:
    """The one of ``sizes`` whose shape is nearest to ``width`` x ``height``, and of several the nearest area."""
    return min(
        sorted(sizes),
        key=lambda size: (
            round(abs(log(size[0] / size[1] * height / width)), 6),
            abs(log(size[0] * size[1] / (width * height))),
        ),
    )


def published_size(rules: Rules, size: Size) -> Size:
    """``size``, or the published one that is most like it: an answer's ``resolution`` is always one of the list."""
    return size if size in rules.resolutions else nearest_size(rules.resolutions, *size)


def over_picture(order: GenerateOrder, over: Over, weight: int, matter: str, *, cut_free: bool = False) -> EditOrder:
    """The order that draws ``order`` over a picture. ``weight`` counts for a remix only: elsewhere what is kept
    stays to the last bit, and the rest begins with noise, or all but. ``matter``: the tool that finds an object."""
    size = order.output_width, order.output_height
    return EditOrder(
        **{name: getattr(order, name) for name in GenerateOrder.__struct_fields__},
        picture=_ref(over.picture),
        placement=placement_of(over, size),
        level=_LEVELS.get(over.operation) or level_of(weight),
        keep=_KEEP[over.operation],
        mask=None if over.mask is None else _ref(over.mask),
        matting=matter if over.operation == "replace-background" else "",
        cut_free=matter if cut_free else "",
    )


def placement_of(over: Over, size: Size) -> Placement:
    """Where the picture lies: a remix's covers the answer; others lie in the middle, scaled down where they must."""
    width, height = over.picture.width, over.picture.height
    if over.operation == "remix":
        crop = cover_crop(width, height, size)
        return Placement(left=-crop.left, top=-crop.top, width=crop.scaled_width, height=crop.scaled_height)
    scale = min(size[0] / width, size[1] / height)
    scale = scale if over.operation == "edit" else min(1.0, scale)
    width, height = max(1, round(width * scale)), max(1, round(height * scale))
    return Placement(left=(size[0] - width) // 2, top=(size[1] - height) // 2, width=width, height=height)


def edit_notes(over: Over, place: Placement, size: Size, weight: int) -> tuple[str, ...]:
    """A sentence for what the answer does not show of the picture as it was sent, and for what was chosen unasked."""
    notes = []
    sent = size_text(over.picture.width, over.picture.height)
    if over.operation == "remix":
        if over.image_weight is None:
            notes.append(f"image_weight was not sent; {weight} was chosen by the words of the instruction.")
        seen = round(over.picture.width * size[0] / place.width), round(over.picture.height * size[1] / place.height)
        if seen != (over.picture.width, over.picture.height):
            shape = size_text(*size)
            notes.append(f"The picture of {sent} pixels was cropped to its middle {size_text(*seen)} for {shape}.")
    elif (place.width, place.height) != (over.picture.width, over.picture.height):
        scaled = size_text(place.width, place.height)
        way = "down" if place.width < over.picture.width else "up"
        notes.append(f"The picture of {sent} pixels was scaled {way} to {scaled} to fit into {size_text(*size)}.")
    return tuple(notes)


def into_the_mask(said: Worded, mask: StoredPicture) -> Worded:
    """``said`` with a place for everything that has none: side by side in the box that the mask repaints."""
    caption = json.loads(said.caption)
    elements = caption["compositional_deconstruction"]["elements"]
    homeless = [element for element in elements if "bbox" not in element]
    if not homeless or mask.box is None:
        return said
    left, top, right, bottom = mask.box
    across = right - left >= bottom - top
    for index, element in enumerate(homeless):
        first, last = index / len(homeless), (index + 1) / len(homeless)
        x = _within(left, right, *((first, last) if across else (0.0, 1.0)), mask.width)
        y = _within(top, bottom, *((0.0, 1.0) if across else (first, last)), mask.height)
        element["bbox"] = [y[0], x[0], y[1], x[1]]
    placed = caption_text(normalise(caption))
    return Worded(placed, placed if said.prompt == said.caption else said.prompt, said.notes, said.is_cut)


def _within(start: int, end: int, first: float, last: float, side: int) -> tuple[int, int]:
    """A part of a stretch of pixels, without its margins, in thousandths of the side."""
    margin = BOX_MARGIN * (last - first)
    stretch = (start + (end - start) * part for part in (first + margin, last - margin))
    low, high = (round(1000 * place / side) for place in stretch)
    return low, high


def _ref(picture: StoredPicture) -> PictureRef:
    return PictureRef(sha256=picture.sha256, width=picture.width, height=picture.height)
