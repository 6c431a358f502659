"""``linocut datasets``: make, fill and look over the sets of pictures that models are trained on."""

from typing import Annotated, Any

import typer

from linocut.cli import dataset_captions, dataset_report, dataset_upload
from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.say import JsonFlag, answer, note_remarks, number_of, short

app = typer.Typer(help="Datasets: pictures and captions to train on.", no_args_is_help=True)

DatasetId = Annotated[str, typer.Argument(help="The dataset's id: see linocut datasets list.")]


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="1 to 64 characters; need not be unique.")],
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Make an empty dataset and print its id."""
    with connect(url, key_file) as client:
        made = client.create_dataset(name)
    answer(made, str(made["dataset_id"]), as_json=as_json)


@app.command("list")
def list_(
    search: Annotated[str | None, typer.Option("--search", help="Part of the name, whatever its case.")] = None,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Your datasets, the most recently changed first."""
    with connect(url, key_file) as client:
        found = client.datasets(search)
    answer(found, "\n".join(_line(one) for one in found) or "No datasets.", as_json=as_json)


@app.command("get")
def get(
    dataset_id: DatasetId,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """One dataset with its pictures and the models trained on it."""
    with connect(url, key_file) as client:
        found = client.dataset(dataset_id)
    note_remarks(found, *found["files"])
    lines = [_line(found["dataset"]), f"  {number_of(found['file_count'], 'picture')}"]
    lines += [f"  {file['file_name']:<32}  {short(file['caption'])}".rstrip() for file in found["files"]]
    lines += [f"  model {model_id}" for model_id in found["custom_model_ids"]]
    answer(found, "\n".join(lines), as_json=as_json)


@app.command("remove")
def remove(
    dataset_id: DatasetId,
    pictures: Annotated[list[str], typer.Argument(help="File names or asset ids of the pictures to take out.")],
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Take pictures and their captions out of a dataset; runs that use them go on."""
    with connect(url, key_file) as client:
        assets = client.assets(dataset_id)
        found = [dataset_captions.asset_called(assets, picture) for picture in pictures]  # all, before any goes
        for asset in found:
            client.delete_asset(dataset_id, asset["asset_id"])
    answer(found, "\n".join(f"removed {asset['file_name']}" for asset in found), as_json=as_json)


@app.command("delete")
def delete(
    dataset_id: DatasetId,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Delete a dataset with its pictures and captions; runs that use it go on, and its models stay."""
    with connect(url, key_file) as client:
        client.delete_dataset(dataset_id)
    answer({"dataset_id": dataset_id, "deleted": True}, f"Deleted {dataset_id}.", as_json=as_json)


def _line(dataset: dict[str, Any]) -> str:
    return f"{dataset['dataset_id']}  {dataset['creation_time']}  {dataset['name']}"


app.command("upload")(dataset_upload.upload)
app.command("report")(dataset_report.report)
app.add_typer(dataset_captions.app, name="captions")


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="datasets")
