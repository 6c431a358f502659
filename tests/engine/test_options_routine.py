"""What a request may ask beside its prompt, through the whole engine, on tiny random bases of every family."""

from collections.abc import Iterator

import pytest
import torch
from tests.engine.test_edit_routine import MAKERS
from tests.engine.test_generate_routine import Resident

from linocut.bases import FAMILIES


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
