"""Drawing over pictures on the embedded base: what is drawn here is drawn by code, so the truth is known."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageColor, ImageDraw
from tests.engine.engine_orders import run_to_the_end
from tests.engine.test_canvas import edit_order, stored

from linocut.bases import MINI, load_base
from linocut.captions import Worded
from linocut.engine.families.family import load_family
from linocut.engine.resident import engine_over
from linocut.generation.editing import into_the_mask, level_of
from linocut.orders import EditOrder, Failed, GenerateOrder, ImageDrawn
from linocut.pictures.intake import StoredPicture
from linocut.runtime import worded

SIDE = 256
GROUNDS = ("#102060", "#F0E0C0", "#C03030", "#208080", "#FFFFFF", "#303030", "#E0A030", "#80C0F0")
FIGURES = ("#E03030", "#207040", "#F0F0F0", "#F0C020", "#3030C0", "#E080C0", "#602080", "#804020")


class Mini:
    """The embedded base, and orders over it."""

    def __init__(self) -> None:
        self.base = load_base(MINI)
        self.family = load_family(self.base.family, MINI, torch.device("cpu"), torch.float32)
        self.blobs: dict[str, bytes] = {}

    def order(self, picture: Image.Image, said: Worded, speed: str, **changes: Any) -> EditOrder:
        plain = GenerateOrder(
            base=self.base.identity, organization_id="o", caption=said.caption, width=128, height=128,
            output_width=picture.width, output_height=picture.height, seeds=(3,),
            sampling=self.base.sampling[speed], adapter=None,
        )  # fmt: skip
        return edit_order(stored(picture, self.blobs), plain, **changes)

    def said(self, text: str) -> Worded:
        return worded(self.base, text, SIDE, SIDE, make_up=False)

    def draw(self, orders: Sequence[GenerateOrder]) -> list[Any]:
        """The first image of each."""
        return [drawn[0] for drawn in self.draw_all(orders)]

    def draw_all(self, orders: Sequence[GenerateOrder]) -> list[list[Any]]:
        engine = engine_over(self.base, self.family, torch.device("cpu"), 1 << 26)
        for number, order in enumerate(orders):
            engine.admit(str(number), order, self.blobs.__getitem__, Path())
        events = run_to_the_end(engine)
        engine.close()
        assert not [event for event in events if isinstance(event, Failed)]
        drawn: dict[str, list[bytes]] = {}
        for event in events:
            if isinstance(event, ImageDrawn):
                drawn.setdefault(event.key, []).append(event.png)
        return [
            [np.asarray(Image.open(BytesIO(png))).astype(float) for png in drawn[str(n)]] for n in range(len(orders))
        ]


@pytest.fixture(scope="module")
def mini() -> Iterator[Mini]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Mini()
    torch.set_num_threads(before)


def poster(number: int) -> Image.Image:
    """A ground and a figure on it, each number other colours and another place."""
    picture = Image.new("RGB", (SIDE, SIDE), GROUNDS[number])
    pen, left = ImageDraw.Draw(picture), 40 + 10 * number
    figure = pen.ellipse if number % 2 else pen.rectangle
    figure((left, 60, left + 110, 170), fill=FIGURES[number])
    return picture


@pytest.mark.long
def test_more_weight_is_less_distance_to_the_picture(mini: Mini, capsys: pytest.CaptureFixture[str]) -> None:
    """Over five weights and eight pictures, each step of each picture. An answer that is the picture, one that does not
    look at it, and pictures given in another order all fail."""
    weights, pictures = (10, 30, 50, 70, 95), [poster(number) for number in range(8)]
    said = mini.said("a yellow star on a green ground")
    orders = [mini.order(p, said, "FLASH", level=level_of(w)) for p in pictures for w in weights]
    drawn = np.stack(mini.draw(orders)).reshape(8, 5, SIDE, SIDE, 3)
    truth = np.stack([np.asarray(picture).astype(float) for picture in pictures])[:, None]
    distance = np.abs(drawn - truth).mean(axis=(2, 3, 4))
    shuffled = np.abs(drawn - np.roll(truth, 1, axis=0)).mean(axis=(2, 3, 4))
    with capsys.disabled():
        print("\nmean distance by weight:", dict(zip(weights, distance.mean(axis=0).round(1).tolist(), strict=True)))
    assert (np.diff(distance, axis=1) < 0).all()
    assert (distance[:, -1] < 8).all()  # all but the picture
    assert (distance[:, 0] > 3 * distance[:, -1]).all()
    assert (shuffled[:, -1] > 4 * distance[:, -1]).all()


ASKED = [
    ("a yellow star", "#FAD02C"),
    ("a red circle", "#E02828"),
    ("a blue fish", "#2060D0"),
    ("a red heart", "#E02828"),
]

OTHERS = (1, 2, 0, 0)
"""Another's prompt for each, whose colour is not there anyhow."""


@pytest.mark.long
def test_what_is_inpainted_is_the_prompt_s_and_the_rest_is_the_picture_s(
    mini: Mini, capsys: pytest.CaptureFixture[str]
) -> None:
    """Inside the mask the asked colour takes about a figure's part of it, and the old figure is gone; outside it every
    pixel is the picture's; at the rim there is no step. With the prompts exchanged the first measure fails."""
    box = (120, 100, 240, 220)
    mask = Image.new("L", (SIDE, SIDE), 255)
    ImageDraw.Draw(mask).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=0)
    given = StoredPicture("", 0, SIDE, SIDE, has_alpha=False, box=box)
    pictures, orders = [], []
    for number, (text, _) in enumerate(ASKED):
        picture = Image.new("RGB", (SIDE, SIDE), GROUNDS[number])
        pen = ImageDraw.Draw(picture)
        pen.rectangle((10, 10, 70, 70), fill=FIGURES[number])
        pen.ellipse((150, 130, 210, 190), fill=FIGURES[number])
        pictures.append(np.asarray(picture).astype(float))
        said = into_the_mask(mini.said(text), given)
        orders.append(mini.order(picture, said, "TURBO", keep="mask", mask=stored(mask, mini.blobs)))
    drawn = mini.draw(orders)
    inside = np.asarray(mask) == 0
    shares, others, steps = [], [], []
    for number, (after, before) in enumerate(zip(drawn, pictures, strict=True)):
        assert (after[~inside] == before[~inside]).all()
        shares.append(share(after[inside], ASKED[number][1]))
        others.append(share(after[inside], ASKED[OTHERS[number]][1]))
        ground = np.asarray(ImageColor.getrgb(GROUNDS[number]))
        rim = np.concatenate([after[box[1], box[0] : box[2]], after[box[1] : box[3], box[0]]])
        steps.append(float(np.median(np.abs(rim - ground).max(axis=-1))))
        assert share(after[inside], FIGURES[number]) < 0.03 or FIGURES[number] == "#E03030"
    with capsys.disabled():
        print(
            "\nasked colour inside:", np.round(shares, 2), "another's:", np.round(others, 2), "rim:", np.round(steps, 1)
        )
    assert min(shares) > 0.1
    assert max(shares) < 0.8
    assert max(others) < 0.05
    assert max(steps) <= 6


def share(pixels_NC: Any, colour: str) -> float:
    """The part of the pixels that have about this colour."""
    return float((np.abs(pixels_NC - np.asarray(ImageColor.getrgb(colour))).max(axis=-1) < 60).mean())
