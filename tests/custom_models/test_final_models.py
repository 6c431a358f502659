"""What has ended stays as it ended, whoever reports what, and however late."""

import pytest
from tests.runs.workshop import Workshop

from linocut.custom_models import service as registry
from linocut.errors import Conflict
from linocut.orders import AdapterRef

LATE = AdapterRef(sha256="0" * 64, size_bytes=1)


@pytest.mark.parametrize("ended", ["COMPLETED", "ERRORED", "ARCHIVED"])
def test_a_model_that_has_ended_is_neither_completed_nor_failed(workshop: Workshop, ended: str) -> None:
    model_id = workshop.start(workshop.alice).model_id
    if ended == "ERRORED":
        workshop.cancel(workshop.alice, model_id)
    else:
        workshop.worker().run_until_idle()
    if ended == "ARCHIVED":
        workshop.archive(workshop.alice, model_id)
    before, told = workshop.model(workshop.alice, model_id), workshop.statuses(model_id)
    assert before.status == ended
    with pytest.raises(Conflict, match=f"This model is {ended} and cannot be completed"):
        workshop.write(lambda tx: registry.complete(tx, model_id, LATE))
    assert workshop.write(lambda tx: registry.fail(tx, model_id, "It failed after all.")) is False
    assert (workshop.model(workshop.alice, model_id), workshop.statuses(model_id)) == (before, told)
