"""``linocut remix``: a picture and a prompt in, PNG files out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption
from linocut.cli.drawing import (
    AspectRatioOption,
    MagicPromptOption,
    ModelOption,
    NumImagesOption,
    OutOption,
    PictureArgument,
    PromptArgument,
    ResolutionOption,
    SeedOption,
    SpeedOption,
    draw,
    given,
)
from linocut.cli.looks import (
    CharacterOption,
    NegativeOption,
    PaletteOption,
    StyleCodeOption,
    StylePresetOption,
    StyleReferenceOption,
    StyleTypeOption,
    look,
)
from linocut.cli.say import JsonFlag


def remix(
    file: PictureArgument,
    prompt: PromptArgument,
    image_weight: Annotated[
        int | None, typer.Option("--image-weight", min=1, max=100, help="How much of the picture stays; 50 if unsaid.")
    ] = None,
    model: ModelOption = None,
    seed: SeedOption = None,
    num_images: NumImagesOption = None,
    aspect_ratio: AspectRatioOption = None,
    resolution: ResolutionOption = None,
    rendering_speed: SpeedOption = None,
    magic_prompt: MagicPromptOption = None,
    negative: NegativeOption = None,
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
    """Draw a picture again by a prompt, and save the results."""
    asked = given(
        image_weight=image_weight,
        custom_model_uri=model,
        seed=seed,
        num_images=num_images,
        aspect_ratio=aspect_ratio,
        resolution=resolution,
        rendering_speed=rendering_speed,
        magic_prompt=magic_prompt,
        negative_prompt=negative,
        **look(style_type, style_preset, style_code, palette, style_reference, character_reference),
    )
    stem = f"{file.stem}-remix"
    draw(lambda client: client.remix(file, prompt, **asked), (url, key_file), out, stem, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("remix")(remix)
