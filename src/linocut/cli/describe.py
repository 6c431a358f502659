"""``linocut describe``: a picture in, its structured prompt or a sentence out."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.say import JsonFlag, answer, note_remarks


def describe(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A JPEG, PNG or WebP picture.")],
    style: Annotated[bool, typer.Option("--style", help="With --json: style and palette too.")] = False,
    tags: Annotated[bool, typer.Option("--tags", help="With --json: tags too.")] = False,
    boxes: Annotated[bool, typer.Option("--boxes/--no-boxes", help="With --json: where each thing is.")] = True,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Say what is on a picture: a sentence, or with --json the structured prompt that generate takes."""
    with connect(url, key_file) as client:
        told = client.describe_v4(file, include_bbox=boxes, include_style_descriptions=style, include_tags=tags)
    note_remarks(told)
    answer(told["json_prompt"], told["json_prompt"]["high_level_description"], as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("describe")(describe)
