"""``linocut models``: look at custom models, follow one as it trains, take its weights home."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from linocut.cli import train
from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.model_table import model_text
from linocut.cli.say import JsonFlag, answer, note_remarks
from linocut.files import sha256_hex, write_durably

app = typer.Typer(help="Custom models.", no_args_is_help=True)


class Layout(StrEnum):
    """Layouts of a LoRA file."""

    DIFFUSERS = "diffusers"
    COMFYUI = "comfyui"
    KOHYA = "kohya"


ModelId = Annotated[str, typer.Argument(help="The model's id: see linocut models list.")]


def _line(model: dict[str, Any]) -> str:
    uri = model.get("custom_model_uri") or ""
    return f"{model['model_id']}  {model['status']:<9}  {model['name']:<30}  {uri}".rstrip()


@app.command("list")
def list_(
    scope: Annotated[str | None, typer.Option("--scope", help="owned or shared; both when left out.")] = None,
    status: Annotated[
        list[str] | None, typer.Option("--status", help="COMPLETED, TRAINING …; may be given several times.")
    ] = None,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Your models and those shared with your organisation, newest first."""
    with connect(url, key_file) as client:
        found = client.models(scope, status or ())
    answer(found, "\n".join(_line(model) for model in found) or "No models.", as_json=as_json)


@app.command("get")
def get(
    model_id: ModelId, url: UrlOption = DEFAULT_URL, key_file: KeyFileOption = KEY_FILE, as_json: JsonFlag = False
) -> None:
    """One model with its training runs."""
    with connect(url, key_file) as client:
        model = client.model(model_id)
    note_remarks(model, *(model.get("training_runs") or ()))
    answer(model, model_text(model), as_json=as_json)


@app.command("cancel")
def cancel(
    model_id: ModelId, url: UrlOption = DEFAULT_URL, key_file: KeyFileOption = KEY_FILE, as_json: JsonFlag = False
) -> None:
    """End a model's training; the best checkpoint so far becomes the model, if there is one."""
    with connect(url, key_file) as client:
        client.cancel(model_id)
        model = client.model(model_id)
    note_remarks(model)
    answer(
        model,
        f"{_line(model)}\nAsked to end. To see what comes of it: linocut models watch {model_id}",
        as_json=as_json,
    )


@app.command("archive")
def archive(
    model_id: ModelId, url: UrlOption = DEFAULT_URL, key_file: KeyFileOption = KEY_FILE, as_json: JsonFlag = False
) -> None:
    """Take a model out of use for good; a training that is under way ends."""
    with connect(url, key_file) as client:
        client.delete_model(model_id)
    answer({"model_id": model_id, "status": "ARCHIVED"}, f"Archived {model_id}.", as_json=as_json)


@app.command("watch")
def watch(
    model_id: ModelId, url: UrlOption = DEFAULT_URL, key_file: KeyFileOption = KEY_FILE, as_json: JsonFlag = False
) -> None:
    """Follow a model until it is trained."""
    with connect(url, key_file) as client:
        model = train.watch(client, model_id, quiet=as_json)
    note_remarks(model)
    answer(model, _line(model), as_json=as_json)


@app.command("weights")
@app.command("download")
def download(
    model_id: ModelId,
    out: Annotated[
        Path | None, typer.Option("--out", readable=False, help="File to write; the model's id when left out.")
    ] = None,
    layout: Annotated[
        Layout | None,
        typer.Option("--format", help="The program that it is for; as the server stores it (diffusers) when left out."),
    ] = None,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Save the adapter: a safetensors file for the library's load_lora_weights, or for another program."""
    with connect(url, key_file) as client:
        weights = client.weights(model_id, layout.value if layout else None)
    path = out or Path(f"{model_id}.safetensors")
    write_durably(path, weights)
    facts = {"path": str(path), "bytes": len(weights), "sha256": sha256_hex(weights)}
    answer(facts, f"{path} ({len(weights)} bytes)", as_json=as_json)


@app.command("share")
def share(
    model_id: ModelId,
    org: Annotated[str, typer.Argument(help="The id of an organisation that you belong to.")],
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Let an organisation see a model and draw with it."""
    with connect(url, key_file) as client:
        model = client.share(model_id, org)["model"]
    answer(model, f"{_line(model)}\nShared with {org}.", as_json=as_json)


@app.command("unshare")
def unshare(
    model_id: ModelId,
    org: Annotated[str | None, typer.Option("--org", help="From which organisation; all when left out.")] = None,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Take a model back from an organisation, or from all."""
    with connect(url, key_file) as client:
        client.unshare(model_id, org)
        model = client.model(model_id)
    answer(model, f"{_line(model)}\nTaken back from {org or 'everybody'}.", as_json=as_json)


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="models")
