"""``linocut generate-transparent``: a prompt in, PNG files with a transparent ground out."""

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
    PromptArgument,
    SeedOption,
    SpeedOption,
    draw,
    given,
)
from linocut.cli.looks import NegativeOption
from linocut.cli.say import JsonFlag


def generate_transparent(
    prompt: PromptArgument,
    model: ModelOption = None,
    seed: SeedOption = None,
    num_images: NumImagesOption = None,
    aspect_ratio: AspectRatioOption = None,
    upscale_factor: Annotated[str, typer.Option("--upscale-factor", help="X1, X2 or X4: how much is enlarged.")] = "X1",
    rendering_speed: SpeedOption = None,
    magic_prompt: MagicPromptOption = None,
    negative: NegativeOption = None,
    out: OutOption = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Draw a prompt on a transparent ground, and save the pictures."""
    asked = given(
        custom_model_uri=model, seed=seed, num_images=num_images, aspect_ratio=aspect_ratio,
        upscale_factor=upscale_factor.upper(), rendering_speed=rendering_speed, magic_prompt=magic_prompt,
        negative_prompt=negative,
    )  # fmt: skip
    stem = "linocut-transparent"
    draw(lambda client: client.generate_transparent(prompt, **asked), (url, key_file), out, stem, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("generate-transparent")(generate_transparent)
