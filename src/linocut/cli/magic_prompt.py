"""``linocut magic-prompt``: a prompt in, the structured prompt that is drawn of it out."""

import json
from typing import Annotated

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.drawing import PromptArgument
from linocut.cli.say import JsonFlag, answer, note_remarks


def magic_prompt(
    prompt: PromptArgument,
    aspect_ratio: Annotated[
        str, typer.Option("--aspect-ratio", help="The shape that it is written for: 1x1, 16x9, 3x4 …, or AUTO.")
    ] = "AUTO",
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Write a prompt out as a structured one, for an editor and `generate --json-prompt`; --json: on one line."""
    with connect(url, key_file) as client:
        told = client.magic_prompt(prompt, "AUTO" if aspect_ratio.upper() == "AUTO" else aspect_ratio)
    note_remarks(told)
    written = told["json_prompt"]
    answer(written, json.dumps(written, indent=2, ensure_ascii=False), as_json=as_json)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("magic-prompt")(magic_prompt)
