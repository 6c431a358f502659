"""``linocut generate``: a prompt in, or a structured one, PNG files out."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption
from linocut.cli.drawing import (
    AspectRatioOption,
    MagicPromptOption,
    ModelOption,
    NumImagesOption,
    OutOption,
    ResolutionOption,
    SeedOption,
    SpeedOption,
    draw,
    given,
)
from linocut.cli.looks import (
    CharacterOption,
    NegativeOption,
    PaletteOption,
    StyleCodeOption,
    StylePresetOption,
    StyleReferenceOption,
    StyleTypeOption,
    look,
)
from linocut.cli.say import JsonFlag
from linocut.json_names import NameTwice, once

JsonPromptOption = Annotated[
    Path | None,
    typer.Option(
        "--json-prompt", exists=True, dir_okay=False, allow_dash=True,
        help="A structured prompt in a JSON file instead of a prompt, as `describe --json` writes it; - for stdin.",
    ),
]  # fmt: skip
BESIDE_A_JSON_PROMPT = {"custom_model_uri", "seed", "resolution", "rendering_speed"}
"""What Ideogram 4's generate takes beside it."""


def generate(
    prompt: Annotated[str | None, typer.Argument(help="What to draw.")] = None,
    json_prompt: JsonPromptOption = None,
    model: ModelOption = None,
    seed: SeedOption = None,
    num_images: NumImagesOption = None,
    aspect_ratio: AspectRatioOption = None,
    resolution: ResolutionOption = None,
    rendering_speed: SpeedOption = None,
    magic_prompt: MagicPromptOption = None,
    negative: NegativeOption = None,
    style_type: StyleTypeOption = None,
    style_preset: StylePresetOption = None,
    style_code: StyleCodeOption = None,
    palette: PaletteOption = None,
    style_reference: StyleReferenceOption = None,
    character_reference: CharacterOption = None,
    out: OutOption = Path(),
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Draw a prompt, with a custom model or with the base, and save the pictures."""
    asked = given(
        custom_model_uri=model,
        seed=seed,
        num_images=num_images,
        aspect_ratio=aspect_ratio,
        resolution=resolution,
        rendering_speed=rendering_speed,
        magic_prompt=magic_prompt,
        negative_prompt=negative,
        **look(style_type, style_preset, style_code, palette, style_reference, character_reference),
    )
    if (prompt is None) == (json_prompt is None):
        raise typer.BadParameter("Say what to draw, once: PROMPT, or --json-prompt FILE.")
    if json_prompt is not None:
        if not asked.keys() <= BESIDE_A_JSON_PROMPT:
            raise typer.BadParameter(
                "Beside --json-prompt only --model, --seed, --resolution and --rendering-speed can be given: the "
                "structured prompt says the rest."
            )
        asked["json_prompt"] = _read(json_prompt)
    draw(
        lambda client: client.generate_v4(**asked) if prompt is None else client.generate(prompt, **asked),
        (url, key_file),
        out,
        "linocut",
        as_json=as_json,
    )


def _read(file: Path) -> Any:
    """The structured prompt in a file, or on stdin."""
    try:
        text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return json.loads(text, object_pairs_hook=once)
    except (NameTwice, ValueError, RecursionError) as wrong:
        raise typer.BadParameter(f"{file} is no JSON: {wrong}.") from wrong


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("generate")(generate)
