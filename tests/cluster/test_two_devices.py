"""A training learns on two devices of a node, its node is lost, and it goes on with two devices of the other node."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.api.processes import account_of, settings_of, until
from tests.cluster.conftest import ray_cluster, server
from tests.cluster.nodes import node_of, serving, trainer
from tests.cluster.steps import TRAIN, losses_of, step_of
from tests.faults.test_sigkill_mini import _mini_in_small_steps
from tests.walks.steps import fill, model, ok

pytest.importorskip("ray")
pytestmark = pytest.mark.cluster

STEPS, BATCH, LOST_AFTER = 100, 4, 20


@pytest.mark.timeout(600)
def test_two_devices_of_a_node_and_then_two_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINOCUT_THREADS", "1")
    with ExitStack() as stack, ray_cluster(cpus=2) as cluster:
        settings = settings_of(
            tmp_path, cluster=cluster.address, engine="torch", threads=1, training_devices=2, heartbeat_seconds=1.0,
            lease_seconds=30.0, checkpoints="store", checkpoints_seconds=1.0, min_training_images=4, log_level="ERROR",
        ).model_copy(update={"base": str(_mini_in_small_steps(tmp_path / "mini"))})  # fmt: skip
        at = stack.enter_context(account_of(settings, stack))
        account = at(stack.enter_context(server(settings)))
        (first,) = until(lambda: serving(settings), "a worker", seconds=150)
        body = {
            "dataset_id": fill(account), "model_name": "Tea posters", "training_steps": STEPS, "lora_rank": 64,
            "x_linocut": {"batch_size": BATCH},
        }  # fmt: skip
        model_id = str(ok(account.http.post(TRAIN, json=body))["model_id"])
        until(lambda: step_of(account, model_id) >= LOST_AFTER, "some steps", seconds=200)
        cluster.remove_node(node_of(cluster, trainer(settings)), allow_graceful=False)
        until(lambda: serving(settings) - {first}, "a worker on the other node", seconds=150)
        until(lambda: model(account, model_id)["status"] == "COMPLETED", "a model", seconds=240)
        (run,) = model(account, model_id)["training_runs"]
        said = run["x_linocut"]
        assert said["batch_size"] == BATCH
        devices = {name: count for name, count in said["scores"].items() if name.startswith("devices_from_step_")}
        assert devices == {"devices_from_step_1": 2.0}, "two on both nodes"
        assert said["notes"] == ["From step 1 on 2 devices learn together, with the same pictures in each step."]
        assert {"0", str(STEPS)} <= losses_of(account, model_id).keys(), "scored from the first step to the last"
