"""``linocut replace-background``: a picture in, its object before another ground out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.pictures import (
    FileArgument,
    MagicOption,
    NumImagesOption,
    OutOption,
    SeedOption,
    SpeedOption,
    said,
    save_all,
)
from linocut.cli.say import JsonFlag


def replace_background(
    file: FileArgument,
    prompt: Annotated[str, typer.Option("--prompt", help="The new ground, and nothing but the ground.")],
    seed: SeedOption = None,
    num_images: NumImagesOption = 1,
    rendering_speed: SpeedOption = "DEFAULT",
    magic_prompt: MagicOption = None,
    out: OutOption = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Draw another ground behind the object of a picture: cup.jpg becomes cup-SEED.png."""
    asked = said(seed=seed, magic_prompt=magic_prompt.upper() if magic_prompt else None)
    with connect(url, key_file) as client:
        result = client.replace_background(
            file, prompt, num_images=num_images, rendering_speed=rendering_speed, **asked
        )
        save_all(client, result, [f"{file.stem}-{one['seed']}" for one in result["data"]], out, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("replace-background")(replace_background)
