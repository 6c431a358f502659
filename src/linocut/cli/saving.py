"""Images of an answer into files."""

from pathlib import Path
from typing import Any

from linocut.cli.say import note, note_remarks
from linocut.client import Client


def save_images(
    client: Client, result: dict[str, Any], out: Path, stem: str = "linocut"
) -> list[tuple[Path, dict[str, Any]]]:
    """Fetch the images of an answer into a folder, which is made if there is none: their paths, and what was said of
    each. Names are ``stem`` and the seed, if it has one. Notes, and images that are not given out, are told on
    stderr."""
    note_remarks(result, *result["data"])
    saved = [_save(client.download(image["url"]), image, out, stem) for image in result["data"] if image.get("url")]
    for image in result["data"]:
        if not image.get("url"):
            note("One picture is not given out: the safety check refused it.")
    return saved


def _save(png: bytes, image: dict[str, Any], out: Path, stem: str) -> tuple[Path, dict[str, Any]]:
    """Write the picture under a name that no earlier picture has."""
    out.mkdir(parents=True, exist_ok=True)
    stem, number = f"{stem}-{image['seed']}" if "seed" in image else stem, 1
    path = out / f"{stem}.png"
    while path.exists():
        number += 1
        path = out / f"{stem}-{number}.png"
    path.write_bytes(png)
    return path, image
