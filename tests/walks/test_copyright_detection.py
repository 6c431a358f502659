"""An organisation that asks for copyright detection is told that there is no detector, whatever it has drawn."""

import pytest
from tests.api.every import OPERATIONS, asked, body_of, label
from tests.api.live import Live

from linocut.api.operation import Draws, Operation
from linocut.generation.detection import NO_DETECTOR

DRAWING = [
    one for one in OPERATIONS if isinstance(one.does, Draws) and not label(one).endswith(("describe", "magic-prompt"))
]


def test_there_are_as_many_as_we_think() -> None:
    assert len(DRAWING) > 12


@pytest.mark.parametrize("operation", DRAWING, ids=label)
def test_every_operation_that_draws_reads_the_property(live: Live, operation: Operation) -> None:
    account = live.account()
    path = f"/manage/api/organization/{account.organization_id}/api_properties"
    seen = []
    for enabled in (True, False):
        account.http.patch(path, json={"copyright_detection_enabled": enabled})
        told = account.http.request(operation.method, asked(operation), **body_of(operation))
        assert told.status_code == 200, told.text
        seen.append(told.text.count(NO_DETECTOR))
    assert seen[0] >= 1, "asked for by the organisation"
    assert seen[0] <= max(1, told.text.count('"is_image_safe"')), "once on each image"
    assert seen[1] == 0, "asked for by nobody"
