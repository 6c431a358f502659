"""What the verbs that draw share: their options, the wait, and what becomes of the answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from linocut.cli.connection import connect
from linocut.cli.saving import save_images
from linocut.cli.say import answer
from linocut.client import Client

PictureArgument = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A JPEG, PNG or WebP picture.")]
PromptArgument = Annotated[str, typer.Argument(help="What to draw.")]
ModelOption = Annotated[str | None, typer.Option("--model", help="A custom model: model/<name>/version/<n>.")]
SeedOption = Annotated[
    int | None, typer.Option("--seed", min=0, max=2**31 - 1, help="The same seed draws the same picture.")
]
NumImagesOption = Annotated[int | None, typer.Option("--num-images", min=1, max=8, help="How many pictures.")]
SpeedOption = Annotated[
    str | None, typer.Option("--rendering-speed", help="FLASH, TURBO, BALANCED, DEFAULT or QUALITY.")
]
AspectRatioOption = Annotated[str | None, typer.Option("--aspect-ratio", help="Shape of the picture: 1x1, 16x9, 3x4 …")]
ResolutionOption = Annotated[
    str | None, typer.Option("--resolution", help="Size of the picture instead of its shape: 1024x1024, 1344x640 …")
]
MagicPromptOption = Annotated[
    str | None,
    typer.Option("--magic-prompt", help="ON makes up what the prompt leaves out, OFF nothing, AUTO as it fits."),
]
OutOption = Annotated[
    Path, typer.Option("--out", readable=False, help="Folder for the pictures; made if there is none.")
]


def draw(
    ask: Callable[[Client], dict[str, Any]], server: tuple[str, Path], out: Path, stem: str, *, as_json: bool
) -> None:
    """Ask, wait, save the pictures in ``out`` under names that begin with ``stem``, and print where they are.

    ``server``: its address, and the file with the key.
    """
    with connect(*server) as client:
        with _waiting(quiet=as_json):
            result = ask(client)
        saved = save_images(client, result, out, stem)
    answer([{"path": str(p), **i} for p, i in saved], "\n".join(str(p) for p, _ in saved), as_json=as_json)


def given(**asked: Any) -> dict[str, Any]:
    """The fields that were asked for; those whose values are names in capitals."""
    named = ("rendering_speed", "magic_prompt", "style_type", "style_preset")
    return {name: value.upper() if name in named else value for name, value in asked.items() if value is not None}


@contextmanager
def _waiting(*, quiet: bool) -> Iterator[None]:
    """Turns something on a terminal while the server draws."""
    from rich.console import Console  # only the verbs that wait need it

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield
        return
    with console.status("drawing …"):
        yield
