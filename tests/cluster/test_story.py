"""The story of ``make cluster-demo``: mini is trained on two nodes of a Ray cluster, and loses the one that trains it.

The real engine trains. The same training is then run once more without any loss: both end with the same losses and the
same bytes.
"""

import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.api.processes import account_of, settings_of, until
from tests.cluster.conftest import ray_cluster, server
from tests.cluster.nodes import node_of, serving, trainer
from tests.cluster.steps import begin, losses_of, step_of, trained_alone, weights_of
from tests.faults.test_sigkill_mini import _mini_in_small_steps
from tests.walks.steps import fill, model

pytest.importorskip("ray")
pytestmark = pytest.mark.cluster

STEPS, LOST_AFTER = 100, 30


class Story:
    """Lines with the seconds since the beginning, for whoever reads them."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def tell(self, sentence: str) -> None:
        """One line, at once."""
        sys.stdout.write(f"{time.monotonic() - self._began:6.1f} s  {sentence}\n")
        sys.stdout.flush()


@pytest.mark.timeout(600)
def test_a_training_loses_its_node_and_goes_on_with_equal_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINOCUT_THREADS", "1")
    story = Story()
    sys.stdout.write("\n")
    story.tell("Ray starts on this machine: a head, and two nodes with room for one worker each.")
    with ExitStack() as stack, ray_cluster() as cluster:
        settings = settings_of(
            tmp_path, cluster=cluster.address, engine="torch", threads=1, heartbeat_seconds=1.0, lease_seconds=30.0,
            checkpoints="store", checkpoints_seconds=1.0, min_training_images=4,
            log_level="ERROR",
        ).model_copy(update={"base": str(_mini_in_small_steps(tmp_path / "mini"))})  # fmt: skip
        at = stack.enter_context(account_of(settings, stack))
        story.tell(f"linocut serve --cluster {cluster.address}: the API, and a controller that asks Ray for workers.")
        account = at(stack.enter_context(server(settings)))
        (first,) = until(lambda: serving(settings), "a worker", seconds=150)
        story.tell(f"The worker {first} has loaded the base, and serves.")
        dataset_id = fill(account)
        model_id, body = begin(account, dataset_id, STEPS)
        story.tell(f"A dataset of four pictures is uploaded; a training of {STEPS} steps begins.")
        until(lambda: step_of(account, model_id) >= LOST_AFTER, "some steps", seconds=200)
        reached = step_of(account, model_id)
        node = node_of(cluster, trainer(settings))
        cluster.remove_node(node, allow_graceful=False)
        lost_at = time.monotonic()
        story.tell(f"The node that trains is killed at step {reached}. Its checkpoints lie in the store.")
        (second,) = until(lambda: serving(settings) - {first}, "a worker on the other node", seconds=150)
        story.tell(f"The controller has buried {first} and asked Ray for another: {second} serves, on the other node.")
        resumed = until(lambda: after(account, model_id, settings, second), "a step on the other node", seconds=150)
        took = time.monotonic() - lost_at
        story.tell(f"The training goes on there from step {resumed}, {took:.1f} s after the node was lost.")
        assert resumed > 1, "it goes on from a checkpoint, and does not begin again"
        until(lambda: model(account, model_id)["status"] == "COMPLETED", "a model", seconds=240)
        story.tell(f"The model is COMPLETED: {model(account, model_id)['custom_model_uri']}.")
        story.tell("The same training is run once more, and nothing is killed.")
        alone = trained_alone(account, body)
        lost, whole = losses_of(account, model_id), losses_of(account, alone)
        told = ", ".join(f"step {step}: {loss:.6f} and {whole[step]:.6f}" for step, loss in lost.items())
        story.tell(f"Held-out losses of both: {told}.")
        assert lost == whole, "equal loss"
        assert weights_of(account, model_id) == weights_of(account, alone)
        story.tell("They are equal, and so are the two adapters, byte for byte.")


def after(account: object, model_id: str, settings: object, worker_id: str) -> int:
    """The first step that another worker has told of; 0 before there is one."""
    from linocut.db.database import Database
    from linocut.db.tables import jobs, model_events

    del account
    db = Database.open(settings.resolved_database_url)  # type: ignore[attr-defined]
    try:
        with db.read() as tx:
            held = jobs.select().where(jobs.c.kind == "train", jobs.c.worker_id == worker_id)
            job = tx.execute(held).first()
            if job is None:
                return 0
            told = model_events.select().where(
                model_events.c.model_id == model_id, model_events.c.kind == "progress",
                model_events.c.created_at > job.started_at,
            ).order_by(model_events.c.event_id)  # fmt: skip
            row = tx.execute(told).first()
            return 0 if row is None else int(row.data["step"])
    finally:
        db.close()
