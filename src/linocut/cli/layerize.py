"""``linocut layerize``: the lettering of a picture as text, and a PNG file of the picture without it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.say import JsonFlag, answer, note_remarks


def layerize(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A picture: JPEG, PNG or WebP.")],
    prompt: Annotated[
        str | None, typer.Option("--prompt", help="What is behind the letters; without it: what is around them.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=2**31 - 1, help="The same seed fills the same way.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", readable=False, help="Folder for the picture; made if there is none.")
    ] = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Read the lettering of a picture, print its blocks, and save the picture without it."""
    asked = {name: value for name, value in (("prompt", prompt), ("seed", seed)) if value is not None}
    with connect(url, key_file) as client:
        result = client.layerize_text(file, **asked)
        note_remarks(result)
        path = _free(out, f"{file.stem}-without-lettering")
        path.write_bytes(client.download(result["base_image_url"]))
    lines = [_line(block) for block in result["text_blocks"]]
    answer({"path": str(path), **result}, "\n".join([*lines, str(path)]), as_json=as_json)


def _line(block: dict[str, Any]) -> str:
    """A block on one line: what it says, what it is, how it looks and where it is."""
    text = block["text"].replace("\n", " / ")
    looks = [block.get("font_name") or "typeface not told", f"{block['font_size']} pt", block["color"]]
    looks += [word.replace("_", " ") for word in block["formatting"]]
    turned = f", turned {block['angle']:g} degrees" if block["angle"] else ""
    where = f"{block['width']}x{block['height']} at {block['x']},{block['y']}{turned}"
    return f"{block['role']}: {text}   ({', '.join(looks)}; {where})"


def _free(folder: Path, stem: str) -> Path:
    """A name in the folder that no file has yet."""
    folder.mkdir(parents=True, exist_ok=True)
    path, number = folder / f"{stem}.png", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.png"
    return path


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("layerize")(layerize)
