"""A Ray cluster of this machine: a head and two nodes. These tests run by ``make cluster-test`` alone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.api.processes import environment, until
from tests.storage.store_fixtures import pytest_collection_modifyitems, swift  # noqa: F401

from linocut.settings import Settings


@contextmanager
def ray_cluster(cpus: int = 1) -> Iterator[Any]:
    """A head without room for workers, and two nodes with ``cpus`` each."""
    from ray.cluster_utils import Cluster

    for tries_left in (2, 1, 0):  # Ray gives a head thirty seconds to start, which a busy machine may not have
        try:
            cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
            break
        except Exception:
            if not tries_left:
                raise
    try:
        cluster.nodes_added = [cluster.add_node(num_cpus=cpus, wait=True) for _ in range(2)]
        yield cluster
    finally:
        cluster.shutdown()


@contextmanager
def server(settings: Settings) -> Iterator[str]:
    """``linocut serve`` with these settings; its address."""
    told = environment(settings, PYTHONPATH=os.pathsep.join(sys.path))
    process = subprocess.Popen([sys.executable, "-m", "linocut.cli.main", "serve"], env=told)
    try:
        note = settings.data / "server.json"
        until(note.exists, "the server's note")
        yield str(json.loads(note.read_text())["url"])
    finally:
        process.terminate()
        process.wait(60)
