"""``linocut generate``: a prompt in, PNG files out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.images import save_images
from linocut.cli.say import JsonFlag, answer


def generate(
    prompt: Annotated[str, typer.Argument(help="What to draw.")],
    model: Annotated[str | None, typer.Option("--model", help="A custom model: model/<name>/version/<n>.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=2**31 - 1, help="The same seed draws the same picture.")
    ] = None,
    num_images: Annotated[int, typer.Option("--num-images", min=1, max=8, help="How many pictures.")] = 1,
    aspect_ratio: Annotated[
        str | None, typer.Option("--aspect-ratio", help="Shape of the picture: 1x1, 16x9, 3x4 …")
    ] = None,
    rendering_speed: Annotated[
        str, typer.Option("--rendering-speed", help="FLASH, TURBO, BALANCED, DEFAULT or QUALITY.")
    ] = "DEFAULT",
    magic_prompt: Annotated[
        str | None,
        typer.Option("--magic-prompt", help="ON makes up what the prompt leaves out, OFF nothing, AUTO as it fits."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", readable=False, help="Folder for the pictures; made if there is none.")
    ] = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Draw a prompt, with a custom model or with the base, and save the pictures."""
    asked = {
        "custom_model_uri": model,
        "seed": seed,
        "num_images": num_images,
        "aspect_ratio": aspect_ratio,
        "rendering_speed": rendering_speed,
        "magic_prompt": magic_prompt.upper() if magic_prompt else None,
    }
    with connect(url, key_file) as client:
        result = client.generate(prompt, **{name: value for name, value in asked.items() if value is not None})
        saved = save_images(client, result, out)
    answer([{"path": str(p), **i} for p, i in saved], "\n".join(str(p) for p, _ in saved), as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("generate")(generate)
