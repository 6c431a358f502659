"""The options of a look: how what is drawn is to be, beside what the prompt says."""

from pathlib import Path
from typing import Annotated, Any

import typer

NegativeOption = Annotated[str | None, typer.Option("--negative", "--negative-prompt", help="What is to be left out.")]
StyleTypeOption = Annotated[
    str | None, typer.Option("--style-type", help="AUTO, GENERAL, REALISTIC, DESIGN, FICTION, STYLIZED or CUSTOM.")
]
StylePresetOption = Annotated[
    str | None, typer.Option("--style-preset", help="One of 62 names, such as BAUHAUS: docs/generating.md lists them.")
]
StyleCodeOption = Annotated[
    list[str] | None, typer.Option("--style-code", help="A style as 8 hexadecimal digits; give it again for more.")
]
PaletteOption = Annotated[
    str | None, typer.Option("--palette", help="EMBER or its like, or colours with weights: #102060:0.7,#fc0:0.3.")
]
StyleReferenceOption = Annotated[
    list[Path] | None,
    typer.Option("--style-reference", exists=True, dir_okay=False, help="A picture of the style; up to ten of them."),
]
CharacterOption = Annotated[
    Path | None,
    typer.Option("--character-reference", exists=True, dir_okay=False, help="A picture of who is to appear."),
]


def look(
    style_type: str | None = None,
    style_preset: str | None = None,
    style_code: list[str] | None = None,
    palette: str | None = None,
    style_reference: list[Path] | None = None,
    character_reference: Path | None = None,
) -> dict[str, Any]:
    """The fields of a look that was asked for; None where there is none."""
    return {
        "style_type": style_type,
        "style_preset": style_preset,
        "style_codes": style_code or None,
        "color_palette": palette_of(palette),
        "style_reference_images": style_reference or None,
        "character_reference_images": [character_reference] if character_reference else None,
    }


def palette_of(text: str | None) -> dict[str, Any] | None:
    """A preset's name, or colours with their weights behind colons, as the wire has them."""
    if text is None or "#" not in text:
        return None if text is None else {"name": text.upper()}
    members = []
    for item in text.split(","):
        colour, _, weight = item.strip().partition(":")
        members.append({"color_hex": colour, **({"color_weight": weight} if weight else {})})
    return {"members": members}
