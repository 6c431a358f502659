"""``linocut train``: a folder of pictures in, a custom model out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.say import JsonFlag, answer, note, training_progress
from linocut.cli.sending import CAPTIONS, UPLOADED, requests_of, send
from linocut.client import Client
from linocut.errors import InvalidRequest, RunFailed


def train(
    folder: Annotated[Path, typer.Argument(help="Pictures (JPEG, PNG, WebP), captions (.txt, .json), ZIPs of both.")],
    name: Annotated[str, typer.Option("--name", help="The model's name: 5 to 30 letters, digits, spaces, hyphens.")],
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for the training to end.")] = False,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Make a dataset of a folder, train a custom model on it, and show it train."""
    requests = requests_of([_with_pictures(folder)])
    with connect(url, key_file) as client:
        dataset = client.create_dataset(name)
        for files in requests:
            report = send(client, dataset["dataset_id"], files)
            for refused in report["failed_assets"]:
                why = refused.get("message") or refused["failure_reason"]
                note(f"not taken: {refused.get('file_name')}: {why}")
        started = client.train(dataset["dataset_id"], name)
        model = client.model(started["model_id"]) if detach else watch(client, started["model_id"], quiet=as_json)
    text = f"{model['status']}  model_id {model['model_id']}  {model.get('custom_model_uri') or ''}".rstrip()
    answer(model, text, as_json=as_json)


def _with_pictures(folder: Path) -> Path:
    if not folder.is_dir():
        raise InvalidRequest(f"{folder} is not a folder; give one that holds your pictures.")
    if not any(path.suffix.lower() in UPLOADED - CAPTIONS for path in folder.iterdir()):
        raise InvalidRequest(f"{folder} holds no JPEG, PNG, WebP or ZIP file to train on.")
    return folder


def watch(client: Client, model_id: str, *, quiet: bool) -> dict[str, object]:
    """Show the model until it is final, and return it. ``RunFailed`` with its sentence when it ended ERRORED."""
    with training_progress(quiet=quiet) as bar:
        for model in client.watch(model_id):
            bar.show(model)
    if model["status"] == "ERRORED":
        sentence = (model.get("x_linocut") or {}).get("error")
        raise RunFailed(str(sentence or "The training run failed."))
    return model


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("train")(train)
