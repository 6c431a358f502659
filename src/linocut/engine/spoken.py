"""What a base that reads plain words is told of a structured caption. Pure."""

import json
from typing import Any


def spoken(caption: str) -> str:
    """A structured caption as plain text: what it shows, then how it looks, then what stands on it and where not said
    before, and the words that are to be written in quotes. Any other text as it is."""
    if not caption.lstrip().startswith("{"):
        return caption
    try:
        whole = json.loads(caption)
    except ValueError:
        return caption
    if not isinstance(whole, dict):
        return caption
    said = [str(whole.get("high_level_description") or "")]
    parts = whole.get("compositional_deconstruction") or {}
    for element in parts.get("elements") or ():
        said.append(_element(element, said[0]))
    said.append(_unless(str(parts.get("background") or ""), said[0]))
    style = whole.get("style_description") or {}
    said += [value for name, value in style.items() if isinstance(value, str) and name != "color_palette"]
    if style.get("color_palette"):
        said.append(f"colours {', '.join(map(str, style['color_palette']))}")
    return ". ".join(sentence.strip().rstrip(".") for sentence in said if sentence.strip())


def _element(element: dict[str, Any], before: str) -> str:
    described = _unless(str(element.get("desc") or ""), before)
    if not (lettering := str(element.get("text") or "")):
        return described
    written = "" if f'"{lettering}"' in before else f'the text "{lettering}"'
    return ", ".join(part for part in (written, described) if part)


def _unless(text: str, before: str) -> str:
    """The text, unless it was said before."""
    return "" if text.lower() in before.lower() else text
