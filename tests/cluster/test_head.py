"""Ray's head is killed: requests are answered and queued as before, and everything goes on once it is back."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from tests.api.processes import account_of, settings_of, until
from tests.cluster.conftest import ray_cluster, server
from tests.cluster.nodes import serving

pytest.importorskip("ray")
pytestmark = pytest.mark.cluster

AWAY_SECONDS = 15.0
NODES_WAIT_SECONDS = "10"
"""Ray's own default is a minute: then a node without a head ends itself, with all that runs on it."""


@pytest.mark.timeout(300)
def test_the_head_is_killed_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", NODES_WAIT_SECONDS)
    monkeypatch.setenv("LINOCUT_FAKE_STEP_SECONDS", "0.02")
    with ExitStack() as stack, ray_cluster() as cluster:
        settings = settings_of(
            tmp_path, cluster=cluster.address, cluster_least=1, cluster_most=1, lease_seconds=5.0, heartbeat_seconds=1.0
        )
        at = stack.enter_context(account_of(settings, stack))
        account = at(stack.enter_context(server(settings)))
        before = until(lambda: serving(settings), "a worker")
        assert account.http.post("/v1/ideogram-v3/generate", json={"prompt": "tea", "seed": 0}).status_code == 200
        port = int(cluster.address.rpartition(":")[2])
        lost_at = time.monotonic()
        cluster.remove_node(cluster.head_node, allow_graceful=False)
        with ThreadPoolExecutor(8) as clients:
            reads, asked = [], []
            while time.monotonic() - lost_at < AWAY_SECONDS or len(asked) < 6:
                assert time.monotonic() - lost_at < 120, "the nodes did not end without their head"
                reads.append(account.http.get("/models").status_code)
                is_due = time.monotonic() - lost_at > AWAY_SECONDS / 8 * len(asked)
                if is_due and len(asked) < 6 and (len(asked) < 5 or not engines(before)):
                    body = {"prompt": "tea", "seed": len(asked) + 1}
                    asked.append(clients.submit(account.http.post, "/v1/ideogram-v3/generate", json=body))
                time.sleep(0.1)
            waiting = sum(not one.done() for one in asked)
            away = time.monotonic() - lost_at
            assert set(reads) == {200}, "reads are answered without a head"
            assert waiting, "the last one is asked for when no worker lives, and waits"
            for node in cluster.nodes_added:
                cluster.remove_node(node, allow_graceful=False)  # what is left of them; a service starts them again
            back_at = time.monotonic()
            cluster.add_node(gcs_server_port=port, num_cpus=0, include_dashboard=False, wait=True)
            cluster.nodes_added = [cluster.add_node(num_cpus=1, wait=True) for _ in range(2)]
            until(lambda: serving(settings) - before, "a worker after the head is back", seconds=150)
            normal_at = time.monotonic()
            answers = [one.result() for one in asked]
        assert [answer.status_code for answer in answers] == [200] * 6, "what was asked without a head is drawn"
        print(
            f"head lost: {len(reads)} reads answered in {away:.0f} s without it, {waiting} of 6 requests "
            f"queued; a worker served again {normal_at - lost_at:.1f} s after the loss, "
            f"{normal_at - back_at:.1f} s after it came back"
        )


def engines(workers: set[str]) -> list[int]:
    """The processes of these workers that live."""
    return [one.pid for one in psutil.process_iter(["cmdline"]) if workers & set(one.info["cmdline"] or [])]
