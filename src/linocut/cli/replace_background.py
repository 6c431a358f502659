"""``linocut replace-background``: a picture and a prompt in, PNG files with another ground out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption
from linocut.cli.drawing import (
    MagicPromptOption,
    NumImagesOption,
    OutOption,
    PictureArgument,
    SeedOption,
    SpeedOption,
    draw,
    given,
)
from linocut.cli.looks import PaletteOption, StyleCodeOption, StylePresetOption, StyleReferenceOption, look
from linocut.cli.say import JsonFlag


def replace_background(
    file: PictureArgument,
    ground: Annotated[str | None, typer.Argument(help="What the new ground shows, and nothing but the ground.")] = None,
    prompt: Annotated[str | None, typer.Option("--prompt", help="The same, as an option.")] = None,
    seed: SeedOption = None,
    num_images: NumImagesOption = None,
    rendering_speed: SpeedOption = None,
    magic_prompt: MagicPromptOption = None,
    style_preset: StylePresetOption = None,
    style_code: StyleCodeOption = None,
    palette: PaletteOption = None,
    style_reference: StyleReferenceOption = None,
    out: OutOption = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Draw another ground behind the object of a picture, and save the results; the object stays as it is."""
    asked = given(
        seed=seed,
        num_images=num_images,
        rendering_speed=rendering_speed,
        magic_prompt=magic_prompt,
        **look(None, style_preset, style_code, palette, style_reference),
    )
    stem, words = f"{file.stem}-ground", ground if prompt is None else prompt
    if words is None or (ground is not None and prompt is not None):
        raise typer.BadParameter("Say what the new ground shows, once: FILE PROMPT, or FILE --prompt PROMPT.")
    draw(lambda client: client.replace_background(file, words, **asked), (url, key_file), out, stem, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("replace-background")(replace_background)
