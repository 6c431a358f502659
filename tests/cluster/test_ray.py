"""Workers in a Ray cluster: a node that is lost, and what comes of its images and of its training."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.api.live import Account
from tests.api.processes import account_of, settings_of, until
from tests.cluster.conftest import ray_cluster, server
from tests.cluster.nodes import node_of, serving, trainer
from tests.walks.steps import fill, model, train

pytest.importorskip("ray")
pytestmark = pytest.mark.cluster


@pytest.mark.timeout(300)
def test_a_node_is_lost_under_ten_generations_and_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINOCUT_FAKE_STEP_SECONDS", "0.05")
    with ExitStack() as stack, ray_cluster() as cluster:
        settings = settings_of(
            tmp_path, cluster=cluster.address, cluster_least=2, cluster_most=2, lease_seconds=10.0,
            heartbeat_seconds=1.0, checkpoints="store", max_images_in_flight=20,
            min_training_images=4,
        )  # fmt: skip
        at = stack.enter_context(account_of(settings, stack))
        account = at(stack.enter_context(server(settings)))
        before = until(lambda: len(found := serving(settings)) == 2 and found, "two workers")
        model_id = train(account, fill(account))
        until(lambda: step_of(account, model_id) >= 40, "forty steps")
        with ThreadPoolExecutor(10) as clients:
            asked = [
                clients.submit(account.http.post, "/v1/ideogram-v3/generate", json={"prompt": "tea", "seed": seed})
                for seed in range(10)
            ]
            time.sleep(0.3)
            lost_at = time.monotonic()
            reached = step_of(account, model_id)
            cluster.remove_node(node_of(cluster, trainer(settings)), allow_graceful=False)
            answers = [one.result() for one in asked]
        assert [answer.status_code for answer in answers] == [200] * 10
        until(lambda: step_of(account, model_id) > reached, "a step after the loss")
        resumed = time.monotonic() - lost_at
        done = until(lambda: (m := model(account, model_id))["status"] == "COMPLETED" and m, "a model")
        print(f"node lost: ten images came, a step beyond {reached} after {resumed:.1f} s")
        assert done["custom_model_uri"]
        assert len(before & serving(settings)) <= 1, "one of the two was lost"


def step_of(account: Account, model_id: str) -> int:
    return int(model(account, model_id)["x_linocut"].get("step") or 0)
