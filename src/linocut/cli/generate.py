"""``linocut generate``: a prompt in, PNG files out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption
from linocut.cli.drawing import (
    MagicPromptOption,
    ModelOption,
    NumImagesOption,
    OutOption,
    PromptArgument,
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
    palette_of,
)
from linocut.cli.say import JsonFlag


def generate(
    prompt: PromptArgument,
    model: ModelOption = None,
    seed: SeedOption = None,
    num_images: NumImagesOption = None,
    aspect_ratio: Annotated[
        str | None, typer.Option("--aspect-ratio", help="Shape of the picture: 1x1, 16x9, 3x4 …")
    ] = None,
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
    """Draw a prompt, with a custom model or with the base, and save the pictures."""
    asked = given(
        custom_model_uri=model,
        seed=seed,
        num_images=num_images,
        aspect_ratio=aspect_ratio,
        rendering_speed=rendering_speed,
        magic_prompt=magic_prompt,
        negative_prompt=negative,
        style_type=style_type,
        style_preset=style_preset,
        style_codes=style_code or None,
        color_palette=palette_of(palette),
        style_reference_images=style_reference or None,
        character_reference_images=[character_reference] if character_reference else None,
    )
    draw(lambda client: client.generate(prompt, **asked), (url, key_file), out, "linocut", as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("generate")(generate)
