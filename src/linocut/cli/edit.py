"""``linocut edit``: a picture and an instruction in, PNG files out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption
from linocut.cli.drawing import (
    MagicPromptOption,
    NumImagesOption,
    OutOption,
    ResolutionOption,
    SeedOption,
    draw,
    given,
)
from linocut.cli.say import JsonFlag


def edit(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="JPEG, PNG or WebP pictures, ten at most.")
    ],
    prompt: Annotated[str, typer.Option("--prompt", help='What to change: "make the circle blue".')],
    seed: SeedOption = None,
    num_images: NumImagesOption = None,
    aspect_ratio: Annotated[
        str | None, typer.Option("--aspect-ratio", help="Another shape: 1x1, 16x9, 3x4 …; else the picture's own.")
    ] = None,
    resolution: ResolutionOption = None,
    magic_prompt: MagicPromptOption = None,
    transparent: Annotated[bool, typer.Option("--transparent", help="Make the ground transparent.")] = False,
    out: OutOption = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Change a picture by an instruction, and save the results. What was understood is told on stderr."""
    asked = given(
        seed=seed,
        num_images=num_images,
        aspect_ratio=aspect_ratio,
        resolution=resolution,
        magic_prompt=magic_prompt,
        transparent_background=transparent or None,
    )
    stem = f"{files[0].stem}-edit"
    draw(lambda client: client.edit(files, prompt, **asked), (url, key_file), out, stem, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("edit")(edit)
