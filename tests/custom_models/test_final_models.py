"""What has ended stays as it ended, whoever reports what, and however late."""

import pytest
from tests.runs.workshop import Workshop

from linocut.custom_models import service as registry
from linocut.errors import Conflict
from linocut.orders import AdapterRef

LATE = AdapterRef(sha256="0" * 64, size_bytes=1)


@pytest.mark.parametrize("ended", ["COMPLETED", "ERRORED", "ARCHIVED"])
def test_a_model_that_has_ended_is_neither_completed_nor_failed(house: Workshop, ended: str) -> None:
    model_id = house.start(house.alice).model_id
    if ended == "ERRORED":
        house.cancel(house.alice, model_id)
    else:
        house.worker().run_until_idle()
    if ended == "ARCHIVED":
        house.archive(house.alice, model_id)
    before, told = house.model(house.alice, model_id), house.statuses(model_id)
    assert before.status == ended
    with pytest.raises(Conflict, match=f"This model is {ended} and cannot be completed"):
        house.write(lambda tx: registry.complete(tx, model_id, LATE))
    assert house.write(lambda tx: registry.fail(tx, model_id, "It failed after all.")) is False
    assert (house.model(house.alice, model_id), house.statuses(model_id)) == (before, told)
