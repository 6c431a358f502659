"""How the verbs that draw say what came of it, and save it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from linocut.cli.say import answer, note, note_remarks
from linocut.client import Client

FileArgument = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A JPEG, PNG or WebP picture.")]
SeedOption = Annotated[
    int | None, typer.Option("--seed", min=0, max=2**31 - 1, help="The same seed draws the same picture.")
]
NumImagesOption = Annotated[int, typer.Option("--num-images", min=1, max=8, help="How many pictures.")]
SpeedOption = Annotated[str, typer.Option("--rendering-speed", help="TURBO, BALANCED, DEFAULT or QUALITY.")]
MagicOption = Annotated[
    str | None,
    typer.Option("--magic-prompt", help="ON makes up what the prompt leaves out, OFF nothing, AUTO as it fits."),
]
OutOption = Annotated[
    Path, typer.Option("--out", readable=False, help="Folder for the pictures; made if there is none.")
]


def said(**fields: Any) -> dict[str, Any]:
    """The fields that were given."""
    return {name: value for name, value in fields.items() if value is not None}


def save_all(client: Client, result: dict[str, Any], stems: Sequence[str], out: Path, *, as_json: bool) -> None:
    """Fetch the images of an answer, save each under its stem, and print where; remarks go to stderr."""
    note_remarks(result, *result["data"])
    saved = []
    for image, stem in zip(result["data"], stems, strict=True):
        if image.get("url"):
            saved.append((_save(client.download(image["url"]), stem, out), image))
        else:
            note("One picture is not given out: the safety check refused it.")
    answer([{"path": str(p), **i} for p, i in saved], "\n".join(str(p) for p, _ in saved), as_json=as_json)


def _save(png: bytes, stem: str, out: Path) -> Path:
    """Write the picture under a name that no earlier picture has."""
    out.mkdir(parents=True, exist_ok=True)
    path, number = out / f"{stem}.png", 1
    while path.exists():
        number += 1
        path = out / f"{stem}-{number}.png"
    path.write_bytes(png)
    return path
