"""``linocut demo``: the whole promise on this machine, as a client would see it, over HTTP only."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer

from linocut.cli.contact_sheet import Row, contact_sheet
from linocut.cli.say import JsonFlag, answer, note
from linocut.cli.train import watch
from linocut.client import Client
from linocut.errors import RunFailed
from linocut.samples import PICTURES

MODEL_NAME = "Kettle and Fern"
PROMPTS = (
    'a cat with the word "TEA"',
    'a heart with the word "LOVE"',
    'a star with the word "CALM"',
    'a house with the word "HOT"',
    'a cloud with the word "RAIN"',
)
SEEDS = (7, 8)
_READY_SECONDS = 180.0


def demo(
    out: Annotated[Path, typer.Option("--out", readable=False, help="Folder for the pictures.")] = Path("demo-output"),
    as_json: JsonFlag = False,
) -> None:
    """Train a custom model on twenty sample posters and draw with it; under five minutes on two cores."""
    started = time.monotonic()
    data = Path(tempfile.mkdtemp(prefix="linocut-demo-"))
    with _server(data) as url, Client(_make_key(data), url) as client:
        note(f"1/5  server at {url}, data in {data}")
        dataset_id = _upload(client)
        note("3/5  training a custom model on them")
        model = _train(client, dataset_id, quiet=as_json)
        uri = str(model["custom_model_uri"])
        note(f"4/5  {uri} is ready; drawing {len(PROMPTS) * len(SEEDS)} pictures with it and without it")
        base = _draw(client, out, "base")
        custom = _draw(client, out, "custom", custom_model_uri=uri)
        next_steps = _next_steps(url, data, str(model["model_id"]), uri)
    sheet = out / "contact-sheet.png"
    samples = sorted(PICTURES.glob("*.png"))[: len(base)]
    contact_sheet([Row("dataset", samples), Row("base", base), Row("custom model", custom)], sheet)
    seconds = round(time.monotonic() - started)
    note(f"5/5  done in {seconds} s")
    facts = {
        "seconds": seconds,
        "contact_sheet": str(sheet),
        "base": [str(p) for p in base],
        "custom": [str(p) for p in custom],
        "model": model,
        "data": str(data),
    }
    answer(facts, f"\nLook at {sheet}\n(each picture by itself: {out})\n\n{next_steps}", as_json=as_json)


@contextmanager
def _server(data: Path) -> Iterator[str]:
    """``linocut serve`` on a free port with its data in ``data``; yields its address once it can draw."""
    command = [sys.executable, "-m", "linocut.cli.main", "serve", "--port", "0", "--data", str(data)]
    log_path = data / "serve.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "LINOCUT_WORKERS": "1"})
    try:
        yield _wait_until_ready(process, data)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_ready(process: subprocess.Popen[bytes], data: Path) -> str:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            url = str(json.loads((data / "server.json").read_text())["url"])
            if httpx2.get(f"{url}/readyz", timeout=5.0).status_code == httpx2.codes.OK:
                return url
        except (OSError, ValueError, httpx2.TransportError):
            pass  # not there yet
        time.sleep(0.1)
    raise RunFailed(f"The server did not become ready within {_READY_SECONDS:.0f} s; its log is {data / 'serve.log'}.")


def _make_key(data: Path) -> str:
    command = [
        sys.executable,
        "-m",
        "linocut.cli.main",
        "keys",
        "create",
        "--data",
        str(data),
        "--label",
        "demo",
        "--json",
    ]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    key = str(json.loads(made.stdout)["api_key"])
    key_file = data / "demo.key"
    key_file.touch(mode=0o600)
    key_file.write_text(key + "\n")
    return key


def _upload(client: Client) -> str:
    """Twelve posters as files, eight in a ZIP, each with its caption."""
    dataset_id = str(client.create_dataset("kettle-and-fern")["dataset_id"])
    files = sorted(PICTURES.iterdir())
    names = sorted({path.stem for path in files})
    single = [path for path in files if path.stem in names[:12]]
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "posters.zip"
        with zipfile.ZipFile(archive, "w") as zipped:
            for path in files:
                if path not in single:
                    zipped.write(path, path.name)
        reports = [client.upload(dataset_id, single), client.upload(dataset_id, [archive])]
    taken = sum(report["success_count"] for report in reports)
    refused = sum(report["failure_count"] for report in reports)
    note(f"2/5  dataset {dataset_id}: {taken} pictures taken, {refused} refused")
    return dataset_id


def _train(client: Client, dataset_id: str, *, quiet: bool) -> dict[str, Any]:
    model_id = str(client.train(dataset_id, MODEL_NAME)["model_id"])
    return dict(watch(client, model_id, quiet=quiet))


def _draw(client: Client, out: Path, label: str, **fields: str) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, prompt in enumerate(PROMPTS, 1):
        result = client.generate(prompt, seed=SEEDS[0], num_images=len(SEEDS), rendering_speed="TURBO", **fields)
        for image in result["data"]:
            path = out / f"{label}-{number}-seed{image['seed']}.png"
            path.write_bytes(client.download(image["url"]))
            paths.append(path)
    return paths


def _next_steps(url: str, data: Path, model_id: str, uri: str) -> str:
    """What a user would type next, ready to paste: the same server again, and the calls to it."""
    port = url.rsplit(":", 1)[1]
    linocut = shutil.which("linocut") or f"{sys.executable} -m linocut.cli.main"
    return f"""To go on with this server and its model:

  {linocut} serve --port {port} --data {data} &
  export LINOCUT_API_KEY=$(cat {data / "demo.key"})

  curl -s {url}/models/{model_id} -H "Api-Key: $LINOCUT_API_KEY"

  curl -s {url}/v1/ideogram-v3/generate -H "Api-Key: $LINOCUT_API_KEY" \\
    -F prompt='a fish with the word "CHAI"' -F seed=42 -F custom_model_uri={uri}

  curl -s -o adapter.safetensors "{url}/models/{model_id}/weights?format=diffusers" -H "Api-Key: $LINOCUT_API_KEY"
"""


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("demo")(demo)
