"""``linocut upscale``: a picture in, PNG files of twice its size out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption
from linocut.cli.drawing import NumImagesOption, OutOption, SeedOption, draw, given
from linocut.cli.say import JsonFlag


def upscale(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A JPEG, PNG or WebP picture.")],
    prompt: Annotated[str | None, typer.Option("--prompt", help="What the picture shows.")] = None,
    resemblance: Annotated[
        int | None, typer.Option("--resemblance", min=1, max=100, help="How near the answer stays to the picture.")
    ] = None,
    detail: Annotated[
        int | None, typer.Option("--detail", min=1, max=100, help="How much that is fine it gets.")
    ] = None,
    seed: SeedOption = None,
    num_images: NumImagesOption = None,
    out: OutOption = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Enlarge a picture to twice its size, and redraw it a little with the base."""
    asked = given(prompt=prompt, resemblance=resemblance, detail=detail, seed=seed, num_images=num_images)
    draw(lambda client: client.upscale(file, **asked), (url, key_file), out, f"{file.stem}-upscaled", as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("upscale")(upscale)
