"""``linocut generate-transparent``: a prompt in, PNG files with a transparent ground out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.pictures import MagicOption, NumImagesOption, OutOption, SeedOption, SpeedOption, said, save_all
from linocut.cli.say import JsonFlag


def generate_transparent(
    prompt: Annotated[str, typer.Argument(help="What to draw; its ground is transparent.")],
    model: Annotated[str | None, typer.Option("--model", help="A custom model: model/<name>/version/<n>.")] = None,
    seed: SeedOption = None,
    num_images: NumImagesOption = 1,
    aspect_ratio: Annotated[
        str | None, typer.Option("--aspect-ratio", help="Shape of the picture: 1x1, 16x9, 3x4 …")
    ] = None,
    upscale_factor: Annotated[str, typer.Option("--upscale-factor", help="X1, X2 or X4.")] = "X1",
    rendering_speed: SpeedOption = "DEFAULT",
    magic_prompt: MagicOption = None,
    out: OutOption = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Draw a prompt on a transparent ground, and save the pictures."""
    asked = said(
        custom_model_uri=model, seed=seed, num_images=num_images, aspect_ratio=aspect_ratio,
        upscale_factor=upscale_factor.upper(), rendering_speed=rendering_speed.upper(),
        magic_prompt=magic_prompt.upper() if magic_prompt else None,
    )  # fmt: skip
    with connect(url, key_file) as client:
        result = client.generate_transparent(prompt, **asked)
        save_all(client, result, [f"linocut-{one['seed']}" for one in result["data"]], out, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("generate-transparent")(generate_transparent)
