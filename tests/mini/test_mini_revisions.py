"""Edits by an instruction on the embedded base, against drawn pairs: what the picture was, and what it should be."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from tests.engine.test_canvas import stored
from tests.mini.test_mini_describing import Trip

from linocut.captions import caption_text, normalise
from linocut.generation.editing import over_picture
from linocut.generation.redrawing import regions_of
from linocut.generation.types import Over
from linocut.orders import DescribeOrder, GenerateOrder
from linocut.orders.seen import Seen
from linocut.pictures.intake import StoredPicture
from linocut.pictures.painting import mask_of
from linocut.prompting import revise, tell
from linocut.runtime import worded
from pretrain import shapes

SIDE = 512
Figure = tuple[str, str, tuple[int, int, int]]  # name, colour, (left, top, width)


@dataclass(frozen=True)
class Poster:
    """A ground, figures on it, and a word below them."""

    ground: str
    figures: tuple[Figure, ...]
    word: str = ""

    def drawn(self) -> Image.Image:
        picture = Image.new("RGB", (2 * SIDE, 2 * SIDE), self.ground)
        pen = ImageDraw.Draw(picture)
        for name, colour, (left, top, width) in self.figures:
            for points, tone in shapes.figure(name):
                fill = colour if tone == 0 else "#161616"
                at = points * 2 * width + np.array([2 * left, 2 * top])
                pen.polygon([tuple(p) for p in at.tolist()], fill=fill)
        if self.word:
            font = ImageFont.load_default(300)
            pen.text((SIDE, 1.5 * SIDE), self.word, "#FFFFFF", font, anchor="mm", stroke_width=12)
        return picture.reduce(2)


NAVY, RED, GOLD, BLUE = "#14235A", "#DC2A2A", "#FAD02C", "#2358CE"
LEFT, RIGHT = (50, 90, 170), (300, 90, 170)
TWO = (("circle", RED, LEFT), ("star", GOLD, RIGHT))
BIG: tuple[Figure, ...] = (("circle", RED, (70, 60, 370)),)
"""It leaves little of the ground beside it."""

PAIRS = (
    ("recolour", "make the circle blue", Poster("#FBF3DA", TWO), Poster("#FBF3DA", (("circle", BLUE, LEFT), TWO[1]))),
    ("recolour", "paint the star white", Poster(NAVY, TWO), Poster(NAVY, (TWO[0], ("star", "#FFFFFF", RIGHT)))),
    ("swap", "replace the star with a heart", Poster(NAVY, TWO), Poster(NAVY, (TWO[0], ("heart", GOLD, RIGHT)))),
    (
        "swap",
        "turn the circle into a green square",
        Poster(NAVY, TWO),
        Poster(NAVY, (("square", "#2E9E44", LEFT), TWO[1])),
    ),
    ("remove", "remove the star", Poster(NAVY, TWO), Poster(NAVY, TWO[:1])),
    ("remove", "delete the circle", Poster("#12867F", TWO), Poster("#12867F", TWO[1:])),
    (
        "move",
        "move the circle to the bottom",
        Poster(NAVY, TWO),
        Poster(NAVY, (("circle", RED, (50, 311, 170)), TWO[1])),
    ),
    ("ground", "change the background to plain green", Poster(NAVY, TWO), Poster("#2E9E44", TWO)),
    ("ground", "make the background yellow", Poster("#12867F", BIG), Poster("#FAD02C", BIG)),
    ("reword", 'change "TEA" to "JAM"', Poster(NAVY, (), "TEA"), Poster(NAVY, (), "JAM")),
)


class Editor(Trip):
    """What the route does, without HTTP: look, revise, draw."""

    def seen(self, picture: Image.Image) -> Seen:
        """What is on a picture."""
        return msgspec.convert(self.run([self.look(picture)])[0].answer["seen"], Seen)

    def look(self, picture: Image.Image) -> DescribeOrder:
        ref = stored(picture, self.blobs)
        return DescribeOrder(base=self.base.identity, organization_id="o", picture=ref, describer="embedded")

    def edited(self, pictures: list[Image.Image], asked: list[str]) -> list[tuple[Any, Any]]:
        """(the answer, which of its pixels were to change) of each."""
        looks = self.run([self.look(one) for one in pictures])
        orders, masks = [], []
        for picture, look, instruction in zip(pictures, looks, asked, strict=True):
            seen = msgspec.convert(look.answer["seen"], Seen)
            caption = tell(seen)
            new = revise(caption, instruction, picture.size)
            regions = regions_of(seen, caption, new.redrawn, new.kept, ground_changes=new.ground_changes)
            made = mask_of(*picture.size, all_anew=regions.all_anew, boxes=regions.boxes, kept=regions.kept)
            assert made is not None
            mask = Image.open(BytesIO(made[0]))
            masks.append(np.asarray(mask) < 128)
            text = caption_text(normalise(new.caption))
            plain = GenerateOrder(
                base=self.base.identity, organization_id="o", width=128, height=128, output_width=SIDE,
                output_height=SIDE, seeds=(4,), sampling=self.base.sampling["TURBO"], adapter=None,
                caption=worded(self.base, text, SIDE, SIDE, make_up=False).caption,
            )  # fmt: skip
            refs = stored(picture, self.blobs), stored(mask, self.blobs)
            whole, part = (StoredPicture(one.sha256, 1, one.width, one.height, has_alpha=False) for one in refs)
            orders.append(over_picture(plain, Over("edit", whole, mask=part), 50, ""))
        drawn = [np.asarray(Image.open(BytesIO(event.png))).astype(float) for event in self.run(orders)]
        return list(zip(drawn, masks, strict=True))


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Editor()
    torch.set_num_threads(before)


@pytest.mark.long
def test_each_kind_of_change_comes_near_to_the_truth_and_leaves_the_rest(
    editor: Editor, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a picture had to change (by the truth): its distance to the truth, that of the picture as it was, and that
    to the truth of the wrong pair. Where nothing had to: bytes."""
    before = [np.asarray(old.drawn()).astype(float) for _, _, old, _ in PAIRS]
    truth = [np.asarray(new.drawn()).astype(float) for _, _, _, new in PAIRS]
    done = editor.edited([old.drawn() for _, _, old, _ in PAIRS], [text for _, text, _, _ in PAIRS])
    words = [text.text for text in editor.seen(Image.fromarray(done[-1][0].astype(np.uint8))).texts]
    rows = []
    for i, ((kind, text, _, _), (after, anew)) in enumerate(zip(PAIRS, done, strict=True)):
        inside = (np.abs(truth[i] - before[i]) > 8).any(axis=-1)
        own, nothing = (float(np.abs(x - truth[i])[inside].mean()) for x in (after, before[i]))
        wrong = float(np.abs(after - truth[i - 1])[inside].mean())
        outside = float(np.abs(after - truth[i])[~inside].mean())
        kept = bool((after[~anew] == before[i][~anew]).all())
        rows.append((kind, text, own, nothing, wrong, outside, kept, float(anew.mean())))
    with capsys.disabled():
        print(f"\nreword: read {words} where TEA was")
        for kind, text, own, nothing, wrong, outside, _, anew in rows:
            print(
                f"{kind:9} {text:40} inside {own:5.1f} (unchanged {nothing:5.1f}, another {wrong:5.1f}); "
                f"outside {outside:4.1f}; drawn anew {anew:.2f}"
            )
    assert words == ["JAM"]
    for kind, text, own, nothing, wrong, outside, kept, anew in rows:
        assert kept, text
        if kind == "reword":  # the base's letters are others than the font's
            continue
        assert own < 0.45 * nothing, text
        assert own < wrong, text
        assert outside < 6, text
        assert anew < 0.5 or kind == "ground", text
