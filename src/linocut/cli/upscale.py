"""``linocut upscale``: a picture in, PNG files of twice its size out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.images import save_images
from linocut.cli.say import JsonFlag, answer


def upscale(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A JPEG, PNG or WebP picture.")],
    prompt: Annotated[str | None, typer.Option("--prompt", help="What the picture shows.")] = None,
    resemblance: Annotated[
        int | None, typer.Option("--resemblance", min=1, max=100, help="How near the answer stays to the picture.")
    ] = None,
    detail: Annotated[
        int | None, typer.Option("--detail", min=1, max=100, help="How much that is fine it gets.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=2**31 - 1, help="The same seed draws the same picture.")
    ] = None,
    num_images: Annotated[int | None, typer.Option("--num-images", min=1, max=8, help="How many pictures.")] = None,
    out: Annotated[
        Path, typer.Option("--out", readable=False, help="Folder for the pictures; made if there is none.")
    ] = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Enlarge a picture to twice its size, and redraw it a little with the base."""
    asked = {
        "prompt": prompt,
        "resemblance": resemblance,
        "detail": detail,
        "seed": seed,
        "num_images": num_images,
    }
    with connect(url, key_file) as client:
        result = client.upscale(file, **{name: value for name, value in asked.items() if value is not None})
        saved = save_images(client, result, out)
    answer([{"path": str(p), **i} for p, i in saved], "\n".join(str(p) for p, _ in saved), as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("upscale")(upscale)
