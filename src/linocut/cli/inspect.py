"""``linocut inspect``: what a generated PNG says of itself. Reads the file alone; no server is asked."""

import warnings
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image, UnidentifiedImageError

from linocut.cli.say import JsonFlag, answer
from linocut.errors import InvalidRequest

PREFIX = "linocut:"
FIELDS = ("prompt", "caption", "seed", "model", "base", "version")
"""In the order in which they are shown; each is a text chunk ``linocut:prompt`` and so on."""


def inspect(
    file: Annotated[Path, typer.Argument(readable=False, help="A PNG that linocut has drawn.")],
    as_json: JsonFlag = False,
) -> None:
    """Show what a generated PNG was drawn from: prompt, caption, seed, model, base, server version.

    Exit code 1 for a file that does not tell."""
    found = record_of(file)
    facts: dict[str, str | int] = {"path": str(file), **found}
    if found.get("seed", "").isdecimal():
        facts["seed"] = int(found["seed"])
    answer(facts, "\n".join(f"{name:<8} {_on_one_line(value)}" for name, value in found.items()), as_json=as_json)


def record_of(path: Path) -> dict[str, str]:
    """The texts that linocut wrote into a PNG, by field, those that it has. ``InvalidRequest`` says what is wrong."""
    texts = _texts_of(path)
    said = {name.removeprefix(PREFIX): text for name, text in texts.items() if name.startswith(PREFIX)}
    if not said:
        raise InvalidRequest(
            f"{path} does not say what it was drawn from: linocut did not draw it, its server leaves that out, or "
            "another program has saved it again."
        )
    return {name: said[name] for name in (*FIELDS, *sorted(said.keys() - set(FIELDS))) if name in said}


def _texts_of(path: Path) -> dict[str, str]:
    """The text chunks of a whole PNG."""
    if not path.exists():
        raise InvalidRequest(f"There is no file {path}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                kind = picture.format
                if kind == "PNG":
                    picture.load()  # to the end: a file that is cut off is told
                    return {str(name): str(text) for name, text in picture.text.items()}  # type: ignore[attr-defined]
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise InvalidRequest(f"{path} is larger than any picture that linocut draws.") from None
    except UnidentifiedImageError:
        raise InvalidRequest(f"{path} is not a picture, or its beginning is damaged.") from None
    except (OSError, SyntaxError, ValueError) as damaged:
        if isinstance(damaged, OSError) and damaged.errno is not None:  # the file system's, not the picture's
            raise InvalidRequest(f"{path} cannot be read: {damaged.strerror}.") from damaged
        raise InvalidRequest(f"{path} is damaged or cut off.") from damaged
    raise InvalidRequest(f"{path} is a {kind}; only the PNG files that linocut draws say what they were drawn from.")


def _on_one_line(text: str) -> str:
    """Whoever made the file chose its texts: nothing of them may steer a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("inspect")(inspect)
