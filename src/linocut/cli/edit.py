"""``linocut edit``: a picture and an instruction in, PNG files out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.generate import keep_images
from linocut.cli.say import JsonFlag


def edit(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Pictures, the one to change first.")],
    prompt: Annotated[str, typer.Option("--prompt", help="What to change: make the circle blue.")],
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=2**31 - 1, help="The same seed draws the same picture.")
    ] = None,
    num_images: Annotated[int, typer.Option("--num-images", min=1, max=8, help="How many pictures.")] = 1,
    aspect_ratio: Annotated[
        str | None, typer.Option("--aspect-ratio", help="Another shape: 1x1, 16x9, 3x4 …; else the picture's own.")
    ] = None,
    transparent: Annotated[bool, typer.Option("--transparent", help="Make the ground transparent.")] = False,
    out: Annotated[
        Path, typer.Option("--out", readable=False, help="Folder for the pictures; made if there is none.")
    ] = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Change a picture by an instruction, and save what was drawn. What was understood is said on stderr."""
    asked = {
        "seed": seed,
        "num_images": num_images,
        "aspect_ratio": aspect_ratio,
        "transparent_background": transparent or None,
    }
    with connect(url, key_file) as client:
        result = client.edit(files, prompt, **{name: value for name, value in asked.items() if value is not None})
        keep_images(client, result, out, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("edit")(edit)
