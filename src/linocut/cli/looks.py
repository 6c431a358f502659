"""The options of a look: how what is drawn is to be, beside what the prompt says."""

from pathlib import Path
from typing import Annotated, Any

import typer

NegativeOption = Annotated[str | None, typer.Option("--negative", help="What is to be left out.")]
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


def palette_of(text: str | None) -> dict[str, Any] | None:
    """A preset's name, or colours with their weights behind colons, as the wire has them."""
    if text is None or "#" not in text:
        return None if text is None else {"name": text.upper()}
    members = []
    for item in text.split(","):
        colour, _, weight = item.strip().partition(":")
        members.append({"color_hex": colour, **({"color_weight": weight} if weight else {})})
    return {"members": members}
