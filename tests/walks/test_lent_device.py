"""A training on mini with a device that another process lends: over HTTP, from the upload to the model."""

import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.api.processes import account_of, environment, settings_of
from tests.cluster.conftest import server
from tests.faults.test_sigkill_mini import _mini_in_small_steps
from tests.walks.steps import fill, finish, ok

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
TRAIN = "/v1/ideogram-v4/train-model-advanced"


def test_two_machines_learn_one_training(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with ExitStack() as stack:
        settings = settings_of(
            tmp_path, engine="torch", threads=1, training_remote_devices=1, training_listen=f"127.0.0.1:{port}",
            training_secret=SecretStr("what all of them know"), min_training_images=4,
        ).model_copy(update={"base": str(_mini_in_small_steps(tmp_path / "mini"))})  # fmt: skip
        other = settings.model_copy(update={"data": tmp_path / "another machine"})
        command = [sys.executable, "-m", "linocut.cli.main", "lend", settings.training_listen]
        lender = subprocess.Popen(command, env=environment(other))
        stack.callback(lender.wait)
        stack.callback(lender.kill)
        account = stack.enter_context(account_of(settings, stack))(stack.enter_context(server(settings)))
        body = {
            "dataset_id": fill(account), "model_name": "Tea posters", "training_steps": 100,
            "x_linocut": {"batch_size": 4},
        }  # fmt: skip
        model_id = str(ok(account.http.post(TRAIN, json=body))["model_id"])
        done = finish(account, model_id, seconds=200)
        assert done["status"] == "COMPLETED"
        said = done["training_runs"][0]["x_linocut"]
        assert said["notes"] == ["From step 1 on 2 devices learn together, with the same pictures in each step."]
        assert said["scores"]["devices_from_step_1"] == 2.0
        assert lender.poll() is None
