"""``linocut models``: look at custom models, follow one as it trains, take its weights home."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from linocut.cli import train
from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.model_table import model_text
from linocut.cli.say import JsonFlag, answer, note, note_remarks
from linocut.custom_models.slugs import MODEL_NAME_RULE, check_name
from linocut.errors import InvalidRequest
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
        Path | None,
        typer.Option(
            "--out",
            readable=False,
            help="File to write; without an ending, a folder for the weights and a README. The id when left out.",
        ),
    ] = None,
    layout: Annotated[
        Layout | None,
        typer.Option("--format", help="The program that it is for; as the server stores it (diffusers) when left out."),
    ] = None,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Save the adapter: a safetensors file for the library's load_lora_weights, or for another program. Into a folder:
    with its card, as the hub wants it."""
    with connect(url, key_file) as client:
        weights = client.weights(model_id, layout.value if layout else None)
        ending = f"-{layout}.safetensors" if layout else ".safetensors"
        path = out or Path(f"{model_id}{ending}")
        if path.is_dir() or (out is not None and not out.suffix):
            path = _beside_its_card(path, client.card(model_id), client.model(model_id), ending)
    path = path if path == out else _free(path, weights)
    write_durably(path, weights)
    facts = {"path": str(path), "bytes": len(weights), "sha256": sha256_hex(weights)}
    answer(facts, f"{path} ({len(weights)} bytes)", as_json=as_json)


def _beside_its_card(folder: Path, card: str, model: dict[str, Any], ending: str) -> Path:
    """Where the weights go in a folder; its README is written, unless there is another one."""
    if folder.is_file():
        raise InvalidRequest(
            f"{folder} is a file, and --out without an ending is taken for a folder: write the ending .safetensors, or "
            "give another folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    readme = folder / "README.md"
    if readme.exists() and readme.read_text(errors="replace") != card:
        note(f"linocut: {readme} is there already and was left as it is; `linocut models card` prints the model's own.")
    else:
        write_durably(readme, card.encode())
    slug, _, version = str(model["custom_model_uri"]).removeprefix("model/").partition("/version/")
    return folder / f"{slug}-{version}{ending}"


def _free(path: Path, weights: bytes) -> Path:
    """``path``, with the first free number where other weights lie there."""
    stem, number = path.stem, 1
    while path.exists() and path.read_bytes() != weights:
        number += 1
        path = path.with_name(f"{stem}-{number}{path.suffix}")
    return path


@app.command("card")
def card(
    model_id: ModelId,
    out: Annotated[
        Path | None, typer.Option("--out", readable=False, help="File to write; printed when left out.")
    ] = None,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """A model's card: a README for the hub, with its base, licence, prompts to try and the training's numbers."""
    with connect(url, key_file) as client:
        text = client.card(model_id)
    if out is not None:
        write_durably(out, text.encode())
        answer({"path": str(out), "bytes": len(text.encode())}, str(out), as_json=as_json)
    else:
        answer({"card": text}, text, as_json=as_json)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A LoRA in a safetensors file.", exists=True, dir_okay=False)],
    name: Annotated[str, typer.Option("--name", help=f"What to call the model: {MODEL_NAME_RULE}.")],
    alpha: Annotated[
        float | None,
        typer.Option("--alpha", help="Its alpha, for a file that does not say it; its rank when left out."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--base", help="What it was trained on, of several bases that it fits."),
    ] = None,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Take in a LoRA that was trained elsewhere: of diffusers, ComfyUI, kohya's tools or peft."""
    check_name(name, "--name")
    with connect(url, key_file) as client:
        model = client.import_model(file, name, alpha=alpha, base=base)
    note_remarks(model)
    answer(
        model, f"{_line(model)}\nIt was read as a file of {model['x_linocut']['imported']['layout']}.", as_json=as_json
    )


@app.command("promote")
def promote(
    model_id: ModelId,
    step: Annotated[int, typer.Argument(min=1, help="After which step: see linocut models get.")],
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Make a new version of a checkpoint that was kept of the model's training."""
    with connect(url, key_file) as client:
        model = client.promote(model_id, step)
    note_remarks(model)
    answer(model, _line(model), as_json=as_json)


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
