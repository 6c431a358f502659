"""``linocut inpaint``: a picture, a mask and a prompt in, PNG files out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption
from linocut.cli.drawing import (
    MagicPromptOption,
    ModelOption,
    NumImagesOption,
    OutOption,
    PictureArgument,
    PromptArgument,
    SeedOption,
    SpeedOption,
    draw,
    given,
)
from linocut.cli.looks import (
    CharacterOption,
    PaletteOption,
    StyleCodeOption,
    StylePresetOption,
    StyleReferenceOption,
    StyleTypeOption,
    look,
)
from linocut.cli.say import JsonFlag


def inpaint(
    file: PictureArgument,
    mask: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="Of the picture's size: black is repainted, white stays."),
    ],
    prompt: PromptArgument,
    model: ModelOption = None,
    seed: SeedOption = None,
    num_images: NumImagesOption = None,
    rendering_speed: SpeedOption = None,
    magic_prompt: MagicPromptOption = None,
    style_type: StyleTypeOption = None,
    style_preset: StylePresetOption = None,
    style_code: StyleCodeOption = None,
    palette: PaletteOption = None,
    style_reference: StyleReferenceOption = None,
    character_reference: CharacterOption = None,
    out: OutOption = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Repaint what a mask leaves black, and save the results; the rest stays to the last bit."""
    asked = given(
        custom_model_uri=model,
        seed=seed,
        num_images=num_images,
        rendering_speed=rendering_speed,
        magic_prompt=magic_prompt,
        **look(style_type, style_preset, style_code, palette, style_reference, character_reference),
    )
    stem = f"{file.stem}-inpaint"
    draw(lambda client: client.inpaint(file, mask, prompt, **asked), (url, key_file), out, stem, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("inpaint")(inpaint)
