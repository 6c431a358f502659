"""``linocut datasets captions``: read, write, and carry captions out of a dataset and back into it."""

import json
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.gathering import CAPTIONS
from linocut.cli.say import JsonFlag, answer, note_remarks, number_of, short
from linocut.client import sent_name
from linocut.errors import InvalidRequest, NotFound

app = typer.Typer(help="Captions of a dataset's pictures.", no_args_is_help=True)

DatasetId = Annotated[str, typer.Argument(help="The dataset's id.")]
Picture = Annotated[str, typer.Argument(help="The picture's file name, its name without the suffix, or its asset id.")]


@app.command("list")
def list_(
    dataset_id: DatasetId, url: UrlOption = DEFAULT_URL, key_file: KeyFileOption = KEY_FILE, as_json: JsonFlag = False
) -> None:
    """Every picture with its caption."""
    with connect(url, key_file) as client:
        assets = client.assets(dataset_id)
    note_remarks(*assets)
    lines = [f"{one['file_name']:<32}  {short(one['caption'])}" for one in assets]
    answer(assets, "\n".join(lines) or "No pictures.", as_json=as_json)


@app.command("get")
def get(
    dataset_id: DatasetId,
    picture: Picture,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """One picture's caption, as it is; nothing when it has none."""
    with connect(url, key_file) as client:
        found = asset_called(client.assets(dataset_id), picture)
    answer(found, _text(found["caption"]), as_json=as_json)


@app.command("set")
def set_(
    dataset_id: DatasetId,
    source: Annotated[
        Path,
        typer.Argument(
            readable=False,
            help="A caption file, or a folder of them; each is named like its picture: cup.txt, cup.png.",
        ),
    ],
    picture: Annotated[str | None, typer.Option("--picture", help="Which picture one file is for.")] = None,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Write captions from files; an empty file takes its picture's caption away."""
    files = _caption_files(source)
    if picture is not None and source.is_dir():
        raise InvalidRequest("--picture is for one file; the files of a folder name their pictures themselves.")
    with connect(url, key_file) as client:
        assets = client.assets(dataset_id)
        wanted = [
            (asset_called(assets, picture or path.stem), _read(path)) for path in files
        ]  # all, before any is written
        written = [client.set_caption(dataset_id, asset["asset_id"], caption) for asset, caption in wanted]
    answer(written, f"{number_of(len(written), 'caption')} written", as_json=as_json)


@app.command("export")
def export(
    dataset_id: DatasetId,
    folder: Annotated[Path, typer.Argument(readable=False, help="Folder for the files; made if there is none.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Write each caption into a file named like its picture: .txt, or .json for a structured one.

    Where pictures differ in their suffix only, the file has the whole name: cup.png.txt."""
    with connect(url, key_file) as client:
        files = {folder / name: text for name, text in caption_files(client.assets(dataset_id)).items()}
    folder.mkdir(parents=True, exist_ok=True)
    if there := [path.name for path in files if path.exists() and not force]:
        raise InvalidRequest(f"{folder} holds {', '.join(there[:3])} already; give another folder, or --force.")
    for path, text in files.items():
        path.write_text(text + "\n", encoding="utf-8")
    answer([str(path) for path in files], f"{number_of(len(files), 'caption')} in {folder}", as_json=as_json)


def _caption_files(source: Path) -> list[Path]:
    if not source.is_dir():
        if source.suffix.lower() not in CAPTIONS or not source.is_file():
            raise InvalidRequest(f"{source} is not a .txt, .json or .caption file, nor a folder of them.")
        return [source]
    files = sorted(path for path in source.iterdir() if path.suffix.lower() in CAPTIONS and path.is_file())
    if not files:
        raise InvalidRequest(f"{source} holds no .txt, .json or .caption file.")
    return files


def _read(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8-sig").removesuffix("\n")
        return text if path.suffix.lower() != ".json" else json.loads(text or "null")
    except UnicodeDecodeError as broken:
        raise InvalidRequest(f"{path} is not UTF-8 text; save it as UTF-8.") from broken
    except ValueError as broken:
        raise InvalidRequest(
            f"{path} is not valid JSON; write a structured caption, or plain text as .txt."
        ) from broken


def caption_files(assets: list[dict[str, Any]]) -> dict[str, str]:
    """The captions by the names of their files, each of which ``asset_called`` finds its picture by."""
    names = {one["file_name"] for one in assets}
    stems = Counter(Path(name).stem for name in names)
    files = {}
    for one in assets:
        name, caption = one["file_name"], one["caption"]
        stem = Path(name).stem
        if caption is not None:
            files[(stem if stems[stem] == 1 and stem not in names else name) + _suffix(caption)] = _text(caption)
    return files


def asset_called(assets: list[dict[str, Any]], picture: str) -> dict[str, Any]:
    """The asset of that id or name; of several with the same stem none is guessed."""
    wanted = _as_kept(picture)
    exact = [one for one in assets if picture == one["asset_id"] or wanted == _as_kept(one["file_name"])]
    found = exact or [one for one in assets if wanted == _as_kept(Path(one["file_name"]).stem)]
    if not found:
        raise NotFound(f"The dataset has no picture {picture}; `linocut datasets captions list` shows those it has.")
    if len(found) > 1:
        names = ", ".join(one["file_name"] for one in found)
        raise InvalidRequest(f"{picture} may be any of {names}; give the whole file name with --picture.")
    return found[0]


def _as_kept(name: str) -> str:
    """A file name as an upload sends it, with its accents written one way: systems differ in that."""
    return unicodedata.normalize("NFC", sent_name(name))


def _text(caption: str | dict[str, Any] | None) -> str:
    return json.dumps(caption, ensure_ascii=False, indent=2) if isinstance(caption, dict) else caption or ""


def _suffix(caption: str | dict[str, Any]) -> str:
    return ".json" if isinstance(caption, dict) else ".txt"
