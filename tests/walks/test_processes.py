"""The whole walk once more, with every process its own: ``linocut serve``, ``linocut keys create``, and a client."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest
from tests.api.live import HOOKS, Account, base_folder
from tests.walks.steps import FEWEST, V3_GENERATE, fill, finish, ok, train

LINOCUT = [sys.executable, "-m", "linocut.cli.main"]


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[tuple[str, subprocess.Popen[bytes], dict[str, str]]]:
    """Address, process and environment of a server with one engine process."""
    told = {"DATA": tmp_path / "data", "DATABASE_URL": database_url,
            "BASE": base_folder(tmp_path / "base"), "ENGINE": "fake", "PORT": 0,
            "WORKERS": 1, "MIN_TRAINING_IMAGES": FEWEST}  # fmt: skip
    environment = {**os.environ, **{f"LINOCUT_{name}": str(value) for name, value in told.items()}}
    process = subprocess.Popen([*LINOCUT, "serve"], env=environment)
    try:
        yield _ready(tmp_path / "data" / "server.json"), process, environment
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _ready(note: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            url = str(json.loads(note.read_text())["url"])
            if httpx2.get(f"{url}/readyz", timeout=5).status_code == 200:
                return url
        except (FileNotFoundError, httpx2.TransportError):
            pass
        time.sleep(0.05)
    raise TimeoutError("the server did not become ready")


def test_pictures_to_image_over_real_processes(
    server: tuple[str, subprocess.Popen[bytes], dict[str, str]],
) -> None:
    url, process, environment = server
    made = subprocess.run([*LINOCUT, "keys", "create", "--json"], env=environment, capture_output=True, check=True)
    key = json.loads(made.stdout)
    headers = {"Api-Key": key["api_key"]}
    with httpx2.Client(base_url=url, headers=headers, timeout=60, event_hooks=HOOKS) as http:
        account = Account(key["api_key"], key["api_key_id"], key["user_id"], key["organization_id"], http)
        done = finish(account, train(account, fill(account)))
        assert done["custom_model_uri"] == "model/tea-posters/version/1"
        asked = {"prompt": "a pot of tea", "seed": 1, "custom_model_uri": done["custom_model_uri"]}
        (image,) = ok(http.post(V3_GENERATE, json=asked))["data"]
    assert httpx2.get(image["url"]).headers["content-type"] == "image/png"

    revoked = subprocess.run(
        [*LINOCUT, "keys", "revoke", key["api_key_id"]], env=environment, capture_output=True, text=True
    )
    assert revoked.returncode == 0, revoked.stderr
    assert httpx2.get(f"{url}/datasets", headers=headers).status_code == 401

    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
