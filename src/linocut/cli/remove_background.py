"""``linocut remove-background``: a picture in, its object as a PNG with transparency out."""

from pathlib import Path

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.pictures import FileArgument, OutOption, save_all
from linocut.cli.say import JsonFlag


def remove_background(
    file: FileArgument,
    out: OutOption = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Cut the object out of a picture: cup.jpg becomes cup-cutout.png."""
    with connect(url, key_file) as client:
        save_all(client, client.remove_background(file), [f"{file.stem}-cutout"], out, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("remove-background")(remove_background)
