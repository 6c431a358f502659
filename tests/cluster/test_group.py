"""A training learns on two devices of a node and one of another. The other node is lost, then the first one; it goes on
with the devices that are there."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.api.processes import account_of, settings_of, until
from tests.cluster.conftest import ray_cluster, server
from tests.cluster.nodes import node_of, serving, trainer
from tests.cluster.steps import TRAIN, losses_of, step_of
from tests.faults.test_sigkill_mini import _mini_in_small_steps
from tests.walks.steps import fill, model, ok

pytest.importorskip("ray")
pytestmark = pytest.mark.cluster

STEPS, BATCH, LENDER_LOST_AFTER, LEADER_LOST_AFTER = 100, 3, 15, 40


@pytest.mark.timeout(600)
def test_a_group_over_two_nodes_loses_one_and_then_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINOCUT_THREADS", "1")
    with ExitStack() as stack, ray_cluster(cpus=2) as cluster:
        settings = settings_of(
            tmp_path, cluster=cluster.address, engine="torch", threads=1, training_devices=2, training_remote_devices=1,
            heartbeat_seconds=1.0, lease_seconds=30.0, checkpoints="store", checkpoints_seconds=1.0,
            min_training_images=4, log_level="WARNING",
        ).model_copy(update={"base": str(_mini_in_small_steps(tmp_path / "mini"))})  # fmt: skip
        at = stack.enter_context(account_of(settings, stack))
        account = at(stack.enter_context(server(settings)))
        (first,) = until(lambda: serving(settings), "a worker", seconds=150)
        body = {
            "dataset_id": fill(account), "model_name": "Tea posters", "training_steps": STEPS, "lora_rank": 64,
            "x_linocut": {"batch_size": BATCH},
        }  # fmt: skip
        model_id = str(ok(account.http.post(TRAIN, json=body))["model_id"])

        def said() -> dict[str, Any]:
            (run,) = model(account, model_id)["training_runs"]
            found: dict[str, Any] = run["x_linocut"]
            return found

        until(lambda: step_of(account, model_id) >= LENDER_LOST_AFTER, "some steps", seconds=200)
        leaders = node_of(cluster, trainer(settings))
        assert lenders_on(cluster) == [node for node in cluster.nodes_added if node is not leaders]
        cluster.remove_node(lenders_on(cluster)[0], allow_graceful=False)
        cluster.nodes_added = [leaders, cluster.add_node(num_cpus=2, wait=True)]
        until(lambda: step_of(account, model_id) >= LEADER_LOST_AFTER, "more steps", seconds=200)
        assert any("A device was lost" in note for note in said()["notes"]), said()["notes"]
        cluster.remove_node(leaders, allow_graceful=False)
        until(lambda: serving(settings) - {first}, "a worker on the new node", seconds=150)
        until(lambda: model(account, model_id)["status"] == "COMPLETED", "a model", seconds=240)

        scores, notes = said()["scores"], said()["notes"]
        devices = {name: count for name, count in scores.items() if name.startswith("devices_from_step_")}
        print(f"group: {devices}; {notes}")
        assert devices.pop("devices_from_step_1") == 3.0
        assert set(devices.values()) == {2.0}, "as many as are left, and as many on the new node"
        assert notes[0] == "From step 1 on 3 devices learn together, with the same pictures in each step."
        assert {"0", str(STEPS)} <= losses_of(account, model_id).keys(), "scored from the first step to the last"


def lenders_on(cluster: Any) -> list[Any]:
    """The nodes that lend a device."""
    lending = [one for one in psutil.process_iter(["cmdline"]) if "linocut.workers.lend" in (one.info["cmdline"] or [])]
    above = {parent.pid for one in lending for parent in one.parents()}
    return [node for node in cluster.nodes_added if node.all_processes["raylet"][0].process.pid in above]
