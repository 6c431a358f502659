"""What a request may ask beside its prompt, through the whole engine, on tiny random bases of every family."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.engine.engine_orders import no_blobs, run_to_the_end
from tests.engine.test_canvas import noisy, stored
from tests.engine.test_edit_routine import FEW, MAKERS, over, pixels
from tests.engine.test_generate_routine import Resident

from linocut.bases import FAMILIES
from linocut.engine.collage import collage
from linocut.orders import Failed, GenerateOrder


@pytest.fixture(scope="module", params=FEW)
def resident(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resident]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Resident(MAKERS[request.param](tmp_path_factory.mktemp("base") / request.param))
    torch.set_num_threads(threads)


def failed(resident: Resident, order: GenerateOrder) -> str:
    engine = resident.engine()
    engine.admit("a", order, resident.blobs.__getitem__, Path())
    [event] = run_to_the_end(engine)
    engine.close()
    assert isinstance(event, Failed)
    return event.error.message


def test_the_catalogue_says_of_a_base_what_the_engine_says(resident: Resident) -> None:
    """The API refuses what a base cannot do before an order is placed, and imports no family to know it."""
    assert resident.base.takes_negative_text == resident.family.takes_negative_text
    assert resident.base.takes_references == resident.family.takes_references
    assert set(MAKERS) <= set(FAMILIES)


def test_a_negative_text_is_guided_away_from_alone_and_in_company(resident: Resident) -> None:
    """Bit for bit alone; beside orders without one, and over a picture, within 2 of 255. The same text twice is no
    guidance at all, and none is as if it were not there."""
    plain, away = resident.order(seeds=(7,)), resident.order(seeds=(7,), negative="blurred")
    if not resident.family.takes_negative_text:
        assert "negative_prompt" in failed(resident, away)
        return
    alone = resident.draw(a=away)["a"]
    assert resident.draw(a=away)["a"] == alone != resident.draw(a=plain)["a"]
    edited = over(resident, level=0.7, negative="blurred")
    company = resident.draw(a=away, b=plain, c=edited, d=resident.order(seeds=(1, 2), negative="grey"))
    assert np.abs(pixels(company["a"][0]) - pixels(alone[0])).max() <= 2
    assert np.abs(pixels(company["c"][0]) - pixels(resident.draw(c=edited)["c"][0])).max() <= 2
    assert company["c"] != resident.draw(c=over(resident, level=0.7))["c"]


def test_references_are_looked_at_or_refused(resident: Resident) -> None:
    one, other = (stored(noisy(*size), resident.blobs) for size in ((100, 75), (64, 96)))
    order = resident.order(seeds=(7,), references=(one, other))
    if not resident.family.takes_references:
        assert "cannot look at other pictures" in failed(resident, order)
        return
    if resident.family.look(64, 96).text:
        return  # it also reads them, at a megapixel: a minute here; tests/engine/test_families_looking.py has one
    mask = Image.new("L", (64, 96), 0)
    mask.paste(255, (0, 0, 32, 96))
    ways = {
        "both": order,
        "none": resident.order(seeds=(7,)),
        "turned": resident.order(seeds=(7,), references=(other, one)),
        "marked": resident.order(seeds=(7,), references=(one, other), reference_mask=stored(mask, resident.blobs)),
    }
    drawn = resident.draw(**ways)
    assert len({pictures[0] for pictures in drawn.values()}) == len(ways)
    assert np.abs(pixels(resident.draw(a=order)["a"][0]) - pixels(drawn["both"][0])).max() <= 2


def test_a_start_in_a_style_is_the_same_alone_and_in_company(resident: Resident) -> None:
    style, another = (stored(noisy(*size), resident.blobs) for size in ((100, 75), (64, 96)))
    plain = resident.order(seeds=(7,))
    styled = resident.order(seeds=(7,), styles=(style,))
    alone = resident.draw(a=styled)["a"]
    both = resident.draw(a=resident.order(seeds=(7,), styles=(style, another)))["a"]
    assert len({alone[0], both[0], resident.draw(a=plain)["a"][0]}) == 3
    company = resident.draw(a=resident.order(seeds=(5, 7), styles=(style,)), b=plain)
    assert np.abs(pixels(company["a"][1]) - pixels(alone[0])).max() <= 2


def test_the_fake_counts_every_option(resident: Resident) -> None:
    """What it draws depends on each of them, and orders without any are drawn as ever."""
    from linocut.engine.fake_images import generate

    ref = stored(noisy(64, 96), resident.blobs)
    ways = [{}, {"negative": "x"}, {"references": (ref,)}, {"styles": (ref,)}]
    drawn = []
    for way in ways:
        events: list[object] = []
        for _ in generate(resident.order(seeds=(7,), **way), "a", no_blobs, Path(), events.append):
            pass
        drawn.append(events[0].png)  # type: ignore[attr-defined]
    assert len(set(drawn[:3])) == 3


def test_a_collage_has_the_colours_of_its_pictures_and_shows_none_of_them() -> None:
    left = Image.new("RGB", (256, 256), "#FF0000")
    left.paste("#0000FF", (64, 64, 192, 192))
    laid = np.asarray(collage([left], 128, 96)).reshape(-1, 3)
    blue = float((laid == (0, 0, 255)).all(axis=-1).mean())
    assert 0.1 < blue < 0.4
    red = collage([Image.new("RGB", (50, 90), "#FF0000")], 128, 96)
    assert red.size == (128, 96)
    assert red.getcolors() == [(128 * 96, (255, 0, 0))]
    mixed = {colour for _, colour in collage([red, Image.new("RGB", (9, 9), "#00FF00")], 64, 64).getcolors() or []}
    assert mixed == {(255, 0, 0), (0, 255, 0)}
    assert collage([left], 128, 96).tobytes() == collage([left], 128, 96).tobytes()
