"""Every verb as a person types it: what it prints, where, and its exit code."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.cli.conftest import Type
from tests.cli.shell import typed, typed_here
from tests.faults.server import Server

from linocut.files import sha256_hex
from linocut.samples import PICTURES


def test_train_ends_with_a_model_that_has_a_uri(model: dict[str, Any]) -> None:
    assert model["status"] == "COMPLETED"
    assert model["custom_model_uri"] == "model/from-the-shell/version/1"


def test_train_shows_its_progress_on_stderr_and_its_answer_on_stdout(linocut: Type, few: Path) -> None:
    done = linocut("train", str(few), "--name", "Seen from afar")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("COMPLETED  model_id ")
    assert re.search(r"^[A-Z]+: step \d+/\d+", done.stderr, re.MULTILINE)


def test_train_detached_does_not_wait(linocut: Type, few: Path) -> None:
    done = linocut("train", str(few), "--name", "Left alone", "--detach", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] in ("CREATING", "TRAINING", "COMPLETED")


def test_train_says_which_file_was_not_taken(linocut: Type, few: Path, tmp_path: Path) -> None:
    for picture in few.iterdir():
        (tmp_path / picture.name).write_bytes(picture.read_bytes())
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    done = linocut("train", str(tmp_path), "--name", "With a broken one")
    assert done.returncode == 0, done.stderr
    assert "not taken: broken.png:" in done.stderr


def test_train_needs_pictures(linocut: Type, empty_folder: Path) -> None:
    done = linocut("train", str(empty_folder), "--name", "Nothing there")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no JPEG, PNG, WebP or ZIP" in done.stderr
    assert linocut("train", str(empty_folder / "missing"), "--name", "Nothing there").returncode == 1


def test_train_names_the_option_that_is_wrong(linocut: Type, few: Path) -> None:
    done = linocut("train", str(few), "--name", "no")
    assert done.returncode == 1
    assert "--name must be" in done.stderr


def test_generate_saves_pictures_and_never_overwrites_one(linocut: Type, model: dict[str, Any], tmp_path: Path) -> None:
    command = ("generate", "a cat", "--model", model["custom_model_uri"], "--seed", "5", "--num-images", "2")
    for _ in range(2):
        done = linocut(*command, "--out", str(tmp_path), "--json")
        assert done.returncode == 0, done.stderr
        assert [row["seed"] for row in json.loads(done.stdout)] == [5, 6]
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["linocut-5-2.png", "linocut-5.png", "linocut-6-2.png", "linocut-6.png"]
    assert Image.open(tmp_path / "linocut-5.png").size == (1024, 1024)


def test_generate_with_a_model_that_is_not_there(linocut: Type, tmp_path: Path) -> None:
    done = linocut("generate", "a cat", "--model", "model/never-was/version/1", "--out", str(tmp_path))
    assert done.returncode == 4
    assert list(tmp_path.iterdir()) == []


def test_models_list_get_watch_download(linocut: Type, model: dict[str, Any], tmp_path: Path) -> None:
    listed = json.loads(linocut("models", "list", "--status", "COMPLETED", "--json").stdout)
    assert model["model_id"] in [row["model_id"] for row in listed]
    assert json.loads(linocut("models", "get", model["model_id"], "--json").stdout)["training_runs"]
    assert "run " in linocut("models", "get", model["model_id"]).stdout
    assert "COMPLETED" in linocut("models", "watch", model["model_id"]).stdout
    path = tmp_path / "adapter.safetensors"
    saved = json.loads(linocut("models", "download", model["model_id"], "--out", str(path), "--json").stdout)
    assert saved["sha256"] == sha256_hex(path.read_bytes())
    assert linocut("models", "get", "nosuchmodel").returncode == 4


def test_models_weights_for_another_program(linocut: Type, model: dict[str, Any], tmp_path: Path) -> None:
    """The same verb under both its names; a layout that nobody has is refused with those that there are."""
    files = {}
    for verb, layout in (("weights", "comfyui"), ("download", "kohya"), ("weights", None)):
        path = tmp_path / f"{layout}.safetensors"
        more = ("--format", layout) if layout else ()
        saved = json.loads(linocut("models", verb, model["model_id"], "--out", str(path), *more, "--json").stdout)
        assert saved["sha256"] == sha256_hex(path.read_bytes())
        files[layout] = path.read_bytes()
    assert b'"diffusion_model.' in files["comfyui"]
    assert b'"lora_unet_' in files["kohya"]
    assert b'"transformer.' in files[None]
    refused = linocut("models", "weights", model["model_id"], "--format", "gguf")
    assert refused.returncode == 2
    assert "comfyui" in refused.stderr


def test_models_share_and_unshare(linocut: Type, server: Server, key: str, model: dict[str, Any]) -> None:
    mine, colleague = server.key(), server.key("--user", "grace")  # the same organisation, another user
    organization, model_id = mine["organization_id"], model["model_id"]
    theirs = {"LINOCUT_URL": server.url, "LINOCUT_API_KEY": colleague["api_key"]}

    def sees() -> int:
        return typed_here("models", "get", model_id, environment=theirs).returncode

    assert sees() == 4
    done = linocut("models", "share", model_id, organization)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"Shared with {organization}.\n")
    assert json.loads(linocut("models", "share", model_id, organization, "--json").stdout)["model_id"] == model_id
    assert sees() == 0
    assert typed_here("models", "unshare", model_id, environment=theirs).returncode == 1
    for which in (["--org", organization], []):
        assert linocut("models", "share", model_id, organization).returncode == 0
        done = linocut("models", "unshare", model_id, *which)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(f"Taken back from {which[-1] if which else 'everybody'}.\n")
        assert sees() == 4
    assert json.loads(linocut("models", "unshare", model_id, "--json").stdout)["model_id"] == model_id
    assert linocut("models", "share", model_id, "elsewhere").returncode == 4


def test_keys_create_gives_the_same_user_and_organisation_each_time(server: Server) -> None:
    first, second, other = server.key(), server.key(), server.key("--user", "ada", "--org", "letters")
    assert first["user_id"] == second["user_id"] != other["user_id"]
    assert first["organization_id"] == second["organization_id"] != other["organization_id"]
    assert first["api_key"] != second["api_key"]
    assert set(first) == {"api_key", "api_key_id", "user_id", "organization_id"}


def test_a_revoked_key_is_refused_at_once_by_the_running_server(server: Server) -> None:
    made = server.key()
    environment = {"LINOCUT_URL": server.url, "LINOCUT_API_KEY": made["api_key"]}
    assert typed_here("models", "list", environment=environment).returncode == 0
    assert typed_here("keys", "revoke", made["api_key_id"], "--data", str(server.data), environment={}).returncode == 0
    assert typed_here("models", "list", environment=environment).returncode == 3
    rows = json.loads(typed_here("keys", "list", "--data", str(server.data), "--json", environment={}).stdout)
    assert [bool(row["revoked"]) for row in rows if row["api_key_id"] == made["api_key_id"]] == [True]
    assert all(made["api_key"] not in json.dumps(row) for row in rows)
    assert typed_here("keys", "revoke", "nosuchkey", "--data", str(server.data), environment={}).returncode == 4


def test_the_key_may_come_from_a_file_but_never_from_the_command_line(server: Server, key: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(key + "\n")
    assert typed_here("models", "list", "--url", server.url, "--key-file", str(path), environment={}).returncode == 0
    missing = str(tmp_path / "none")
    assert typed_here("models", "list", "--url", server.url, "--key-file", missing, environment={}).returncode == 3
    assert typed_here("models", "list", "--url", server.url, "--api-key", key, environment={}).returncode == 2


def test_wrong_usage_is_two(linocut: Type) -> None:
    assert linocut("models", "download").returncode == 2
    assert linocut("generate", "a cat", "--seed", "-1").returncode == 2
    assert linocut("nosuchverb").returncode == 2
    assert typed("serve", "--port", "99999").returncode == 2


def test_no_server_is_a_sentence(key: str) -> None:
    done = typed_here("models", "list", environment={"LINOCUT_URL": "http://127.0.0.1:1", "LINOCUT_API_KEY": key})
    assert done.returncode == 1
    assert "No server answers at http://127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_finds_a_well_server(server: Server, key: str) -> None:
    environment = {"LINOCUT_URL": server.url, "LINOCUT_API_KEY": key}
    done = typed_here("doctor", "--data", str(server.data), "--json", environment=environment)
    findings = {finding["name"]: finding["ok"] for finding in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert set(findings) == {
        "python", "libraries", "threads", "disk", "port", "base", "database", "keys", "storage", "server", "key",
        "tools", "proxy", "safety", "language models", "fits", "prices",
    }  # fmt: skip


def test_doctor_says_how_to_mend_what_is_not_well(tmp_path: Path) -> None:
    wrong = ("--data", str(tmp_path), "--base", str(tmp_path), "--url", "http://127.0.0.1:1")
    done = typed_here("doctor", *wrong, environment={})
    assert done.returncode == 1
    for line in (
        "FAIL  base:",
        "linocut serve --base mini",
        "FAIL  server:",
        "linocut serve",
        "FAIL  key:",
        "ok    database:",
    ):
        assert line in done.stdout


@pytest.mark.long
@pytest.mark.timeout(180)
def test_the_demo_on_the_fake_engine(tmp_path: Path) -> None:
    done = typed("demo", "--out", str(tmp_path), "--json", environment={"LINOCUT_ENGINE": "fake"})
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["model"]["status"] == "COMPLETED"
    assert len(facts["base"]) == len(facts["custom"]) == 10
    assert Image.open(facts["contact_sheet"]).width > 1000
    assert "20 pictures taken, 0 refused" in done.stderr


def _hear_sigint() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.long
def test_interrupted_is_a_hundred_and_thirty(tmp_path: Path) -> None:
    slow = Server(tmp_path / "data", {"LINOCUT_ENGINE": "fake", "LINOCUT_FAKE_STEP_SECONDS": "0.5"})
    slow.start()
    try:
        environment = {**os.environ, "LINOCUT_URL": slow.url, "LINOCUT_API_KEY": slow.key()["api_key"]}
        slow.wait_for("/readyz", "", 60)
        command = [sys.executable, "-m", "linocut.cli.main", "train", str(PICTURES), "--name", "Never to be"]
        # A shell starts what it puts in the background deaf to SIGINT, and a child inherits that.
        typing = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=_hear_sigint)
        assert typing.stderr is not None
        while "TRAINING" not in typing.stderr.readline():
            pass
        typing.send_signal(signal.SIGINT)
        assert typing.wait(60) == 130
        assert "Traceback" not in typing.stderr.read()
    finally:
        slow.stop()
