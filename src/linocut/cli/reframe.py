"""``linocut reframe``: a picture and a size in, PNG files of that size out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption
from linocut.cli.drawing import NumImagesOption, OutOption, PictureArgument, SeedOption, SpeedOption, draw, given
from linocut.cli.looks import PaletteOption, StyleCodeOption, StylePresetOption, StyleReferenceOption, look
from linocut.cli.say import JsonFlag


def reframe(
    file: PictureArgument,
    resolution: Annotated[str, typer.Argument(help="What it is to fill: 1536x640, 1024x1024 …")],
    seed: SeedOption = None,
    num_images: NumImagesOption = None,
    rendering_speed: SpeedOption = None,
    style_preset: StylePresetOption = None,
    style_code: StyleCodeOption = None,
    palette: PaletteOption = None,
    style_reference: StyleReferenceOption = None,
    out: OutOption = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Draw on around a picture, and save the results; the picture itself stays to the last bit."""
    asked = given(
        seed=seed,
        num_images=num_images,
        rendering_speed=rendering_speed,
        **look(None, style_preset, style_code, palette, style_reference),
    )
    stem = f"{file.stem}-reframe"
    draw(lambda client: client.reframe(file, resolution, **asked), (url, key_file), out, stem, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("reframe")(reframe)
