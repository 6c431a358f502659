"""What a request may ask beside its prompt, through the whole engine, on tiny random bases of every family."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from tests.engine.engine_orders import run_to_the_end
from tests.engine.test_canvas import noisy, stored
from tests.engine.test_edit_routine import MAKERS, pixels
from tests.engine.test_generate_routine import Resident

from linocut.bases import FAMILIES
from linocut.engine.families import flux2, qwen_image_edit
from linocut.orders import Failed


@pytest.fixture(scope="module", params=list(MAKERS))
def resident(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resident]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Resident(MAKERS[request.param](tmp_path_factory.mktemp("base") / request.param))
    torch.set_num_threads(threads)


def test_the_catalogue_says_of_a_base_what_the_engine_says(resident: Resident) -> None:
    """The API refuses what a base cannot do before an order is placed, and imports no family to know it."""
    assert resident.base.takes_negative_text == resident.family.takes_negative_text
    assert resident.base.takes_references == resident.family.takes_references
    assert set(MAKERS) == set(FAMILIES)


@pytest.fixture
def _small_areas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are looked at in thousands of pixels instead of a million: the same, and quicker."""
    monkeypatch.setattr(flux2, "REFERENCE_AREA", 64 * 64)
    monkeypatch.setattr(qwen_image_edit, "NETWORK_AREA", 64 * 64)
    monkeypatch.setattr(qwen_image_edit, "PLUS_TEXT_AREA", 48 * 48)


@pytest.mark.usefixtures("_small_areas")
def test_references_are_seen_alone_and_in_any_company(resident: Resident) -> None:
    """By the network, and by the text tower where it sees pictures; a base that looks at none says so."""
    seen, other = (stored(picture, resident.blobs) for picture in (noisy(100, 75), noisy(60, 90).rotate(90)))
    orders = {"none": (), "one": (seen,), "other": (other,), "two": (seen, other)}
    asked = {key: resident.order(seeds=(7,), references=refs, negative="") for key, refs in orders.items()}
    if not resident.family.takes_references:
        engine = resident.engine()
        engine.admit("one", asked["one"], resident.blobs.__getitem__, resident.folder)
        assert "cannot look at other pictures" in str([e for e in run_to_the_end(engine) if isinstance(e, Failed)])
        return
    together = resident.draw(**asked)
    for key, order in asked.items():
        assert resident.draw(only=order)["only"] == resident.draw(only=order)["only"]
        [alone], [in_company] = resident.draw(only=order)["only"], together[key]
        assert np.abs(pixels(alone) - pixels(in_company)).max() <= 2
    drawn = [pixels(images[0]) for images in together.values()]
    for index, one in enumerate(drawn):
        assert all((one != another).any() for another in drawn[index + 1 :]), "each reference counts"
