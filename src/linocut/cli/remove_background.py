"""``linocut remove-background``: a picture in, its object as a PNG with transparency out."""

from pathlib import Path

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption
from linocut.cli.drawing import OutOption, PictureArgument, draw
from linocut.cli.say import JsonFlag


def remove_background(
    file: PictureArgument,
    out: OutOption = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Cut the object out of a picture: cup.jpg becomes cup-cutout.png."""
    stem = f"{file.stem}-cutout"
    draw(lambda client: client.remove_background(file), (url, key_file), out, stem, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("remove-background")(remove_background)
