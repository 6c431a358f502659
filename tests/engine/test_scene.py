"""What is seen on drawn pictures, whose truth is known: the embedded base's own scenes, and the sample posters.

Measured beside what trivial answers reach: nothing seen, and the answers given to the wrong pictures.
"""

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from linocut.engine.tools.scene.colour import lab_of
from linocut.engine.tools.scene.figures import SHEET, known_names
from linocut.engine.tools.scene.scene import Look, Scene
from linocut.orders.seen import Seen, SeenFigure, SeenGround
from linocut.prompting.lexicon import OBJECTS, SHAPES
from linocut.samples.draw import MOTIFS, kettle_and_fern, posters
from pretrain import draw, figures, scene

SIDE = 128
SAME_COLOUR = 12.0
"""Lab units."""
PAINTER = draw.Painter(Path())
NOTHING = Seen(ground=SeenGround(pattern=""))
Truth = scene.Scene


def drawn(number: int) -> tuple[Any, Truth]:
    """A crowded scene without lettering (the fonts of the pretraining are not shipped), and what is on it."""
    planned = scene.sample(np.random.default_rng(1000 + number), SIDE, SIDE, 0.8)
    pixels, _, truth = PAINTER.paint(replace(planned, items=tuple(item for item in planned.items if item.name)))
    return pixels, truth


def near(seen: str, true: tuple[int, int, int]) -> bool:
    return float(np.linalg.norm(lab_of(rgb(seen)) - lab_of(true))) < SAME_COLOUR


def rgb(value: str) -> list[int]:
    return [int(value[i : i + 2], 16) for i in (1, 3, 5)]


def overlap(a: Any, b: Any) -> float:
    high, wide = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(0.0, high) * max(0.0, wide)
    return float(both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both))


def scores(pairs: list[tuple[Seen, Truth]]) -> dict[str, float]:
    """Shares over all elements: found (box IoU above 0.5), named, coloured; of all grounds: named, with their colours;
    and of what is told, what is there."""
    hits = dict.fromkeys(("found", "named", "coloured", "ground", "ground's colours"), 0)
    items = told = 0
    for seen, truth in pairs:
        hits["ground"] += ground_is(seen, truth)
        hits["ground's colours"] += ground_is(seen, truth) and ground_coloured(seen, truth)
        told += len(seen.figures)
        items += len(truth.items)
        for item in truth.items:
            x0, y0, x1, y1 = (1000 * edge / SIDE for edge in item.box)
            best = max(seen.figures, key=lambda figure: overlap(figure.box, (y0, x0, y1, x1)), default=None)
            if best is None or overlap(best.box, (y0, x0, y1, x1)) <= 0.5:
                continue
            hits["found"] += 1
            hits["named"] += (best.name, best.is_outlined) == (item.name, item.outlined)
            hits["coloured"] += near(best.colours[0], item.colour.rgb)
    shares = {name: count / (len(pairs) if "ground" in name else items) for name, count in hits.items()}
    return shares | {"true of what is told": hits["found"] / max(1, told)}


def ground_is(seen: Seen, truth: Truth) -> bool:
    kind, ground = truth.ground.kind, seen.ground
    return kind == f"{ground.turn} {ground.pattern}".strip() and bool(ground.border) == bool(truth.ground.border)


def ground_coloured(seen: Seen, truth: Truth) -> bool:
    kind = truth.ground.kind
    true = [truth.ground.first.rgb] + ([truth.ground.second.rgb] if kind not in ("plain", "paper") else [])
    true = true[::-1] if kind == "dots" else true
    return len(true) == len(seen.ground.colours) and all(map(near, seen.ground.colours, true))


@pytest.mark.long
def test_drawn_scenes_are_found_named_placed_and_coloured(capsys: pytest.CaptureFixture[str]) -> None:
    looked = [(Scene().run(Look(pixels)), truth) for pixels, truth in map(drawn, range(40))]
    right = scores(looked)
    empty = scores([(NOTHING, truth) for _, truth in looked])
    shuffled = scores([(seen, looked[(i + 1) % len(looked)][1]) for i, (seen, _) in enumerate(looked)])
    with capsys.disabled():
        for name in right:
            print(f"\n{name}: {right[name]:.2f}; nothing said {empty[name]:.2f}, shuffled {shuffled[name]:.2f}", end="")
    assert sum(len(truth.items) for _, truth in looked) >= 25
    least = {"found": 0.93, "named": 0.88, "coloured": 0.9, "ground": 0.93, "ground's colours": 0.9}
    for name, share in least.items():
        assert right[name] >= share, name
        assert max(empty[name], shuffled[name]) < share - 0.3, name
    assert right["true of what is told"] >= 0.9


@pytest.mark.long
def test_the_sample_posters_are_named_in_spite_of_their_shadows() -> None:
    looked = [(Scene().run(Look(np.asarray(kettle_and_fern(poster)))), poster) for poster in posters(len(MOTIFS))]
    named = [any(f.name == {"moon": "crescent"}.get(p.motif, p.motif) for f in seen.figures) for seen, p in looked]
    assert sum(named) >= 11
    assert all(seen.ground.pattern == "gradient" and seen.is_flat for seen, _ in looked)


def of_one(pixels: Any) -> SeenFigure:
    [figure] = Scene().run(Look(pixels)).figures
    return figure


def test_what_is_not_known_is_an_object() -> None:
    """A figure that the sheet has none of, and the same picture with one that it has."""
    scribble = np.full((SIDE, SIDE, 3), 250, np.uint8)
    for x in range(20, 100, 14):
        scribble[20:100, x : x + 5] = (40, 60, 200)
    scribble[96:100, 20:95] = (40, 60, 200)
    assert of_one(scribble).name == ""
    block = np.full((SIDE, SIDE, 3), 250, np.uint8)
    block[30:90, 30:90] = (40, 60, 200)
    assert of_one(block).name == "square"
    assert of_one(block).colours == ("#283CC8",)
    assert of_one(block).box == (234, 234, 703, 703)


def test_a_photograph_is_told_by_its_colours_only_and_says_so() -> None:
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 255, (12, 12, 3), dtype=np.uint8)
    rough = Image.fromarray(noise).resize((160, 160), Image.Resampling.BICUBIC)
    pixels = np.clip(np.asarray(rough).astype(int) + rng.integers(-25, 25, (160, 160, 3)), 0, 255).astype(np.uint8)
    seen = Scene().run(Look(pixels))
    assert not seen.is_flat
    assert (seen.figures, seen.ground.pattern) == ((), "")
    assert "no flat drawing" in seen.notes[0]
    assert seen.palette


def test_the_palette_is_of_shares_of_pixels() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:, :] = (20, 35, 90)
    pixels[:30] = (220, 42, 42)
    pixels[90:, :50] = (250, 208, 44)
    palette = Scene().run(Look(pixels)).palette
    assert [(one.value, one.share) for one in palette] == [("#14235A", 0.65), ("#DC2A2A", 0.3), ("#FAD02C", 0.05)]


@pytest.mark.parametrize("size", [(16, 16), (1, 40), (17, 900), (1200, 30)])
def test_pictures_of_any_size_are_looked_at(size: tuple[int, int]) -> None:
    pixels = np.full((*size, 3), 90, np.uint8)
    seen = Scene().run(Look(pixels))
    assert (seen.figures, seen.ground.pattern, seen.ground.colours) == ((), "plain", ("#5A5A5A",))


def test_the_sheet_is_the_one_that_the_code_draws() -> None:
    made, listed = figures.sheet()
    with Image.open(SHEET) as shipped:
        assert shipped.info["figures"] == listed
        assert (np.abs(np.asarray(shipped).astype(int) - np.asarray(made)) <= 2).all()
    assert known_names() >= {*SHAPES, *OBJECTS}


def test_the_same_picture_is_seen_the_same() -> None:
    pixels, _ = drawn(7)
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    assert Scene().run(Look(pixels)) == Scene().run(Look(np.asarray(Image.open(out))))


def test_a_bar_with_lettering_on_it_is_a_rectangle() -> None:
    """The lettering is taken for a part of the bar; beside it, it is none of it."""

    @dataclass(frozen=True)
    class Read:
        text: str
        corners: tuple[tuple[float, float], ...]
        confidence: float = 1.0
        ink: str = "#FFFFFF"

    pixels = np.full((SIDE, SIDE, 3), 250, np.uint8)
    pixels[80:120, 10:118] = (23, 63, 53)
    pixels[90:110, 30:90:4] = 255
    line = Read("TEA", ((28, 88), (92, 88), (92, 112), (28, 112)))
    [bar] = Scene().run(Look(pixels, [line])).figures
    assert (bar.name, bar.colours) == ("rectangle", ("#173F35",))
