"""What a request's style options mean, and which of them go together (FACTS 4, DECISIONS 13 to 17). Pure."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from linocut.dress import Dress, Palette, worn_together
from linocut.errors import InvalidRequest
from linocut.generation.styles import PALETTES, PRESETS, TYPES, of_codes
from linocut.generation.types import Look
from linocut.pictures.types import Seen

MOST_STYLE_REFERENCES = 10
MOST_MEMBERS = 8
LEAST_WEIGHT = 0.05
STRONG, SOFT = 70.0, 30.0
"""Deviations of the grey values of a picture, of 255, from which on its contrast is strong, and below which soft."""
RICH, SMOOTH = 12.0, 4.0
"""Mean steps of grey between neighbours at 64 x 64 pixels, of 255: a picture rich in detail, and a smooth one."""
_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")
_NUMBER = re.compile(r"(?:0|1)?(?:\.[0-9]{0,9})?(?<=[0-9.])")
_CODE = re.compile(r"[0-9a-fA-F]{8}")


def palette_of(value: Mapping[str, Any]) -> Palette:
    """The colours of a ``color_palette``, the heaviest first: a preset's by its ``name``, or its ``members``.

    Colours become ``#RRGGBB`` in capitals; a member without a weight has an equal share. Nothing for an empty one.
    ``InvalidRequest`` names the part that is wrong.
    """
    name, members = value.get("name"), value.get("members")
    if name is not None and members is not None:
        raise _wrong("color_palette: Send name or members, not both.")
    if name is not None:
        if name not in PALETTES:
            raise _wrong(f"color_palette.name must be one of {', '.join(PALETTES)}.")
        return PALETTES[name]
    if members is None:
        if value:
            raise _wrong("color_palette must have a name or members.")
        return ()
    if not isinstance(members, list) or not 1 <= len(members) <= MOST_MEMBERS:
        raise _wrong(f"color_palette.members must be a list of 1 to {MOST_MEMBERS} colours.")
    found = [
        _member(member, f"color_palette.members[{place}]", 1 / len(members)) for place, member in enumerate(members)
    ]
    return tuple(sorted(found, key=lambda one: -one[1]))


def _member(value: object, path: str, share: float) -> tuple[str, float]:
    colour = value.get("color_hex") if isinstance(value, Mapping) else None
    if not isinstance(colour, str) or not _HEX.fullmatch(colour):
        raise _wrong(f"{path}.color_hex must be a colour of 3 or 6 hexadecimal digits, such as #FFD700.")
    weight = value.get("color_weight") if isinstance(value, Mapping) else None
    if isinstance(weight, str) and _NUMBER.fullmatch(weight.strip()):
        weight = float(weight)
    if weight is None:
        weight = share
    elif isinstance(weight, bool) or not isinstance(weight, int | float) or not LEAST_WEIGHT <= weight <= 1.0:
        raise _wrong(f"{path}.color_weight must be a number from {LEAST_WEIGHT} to 1.")
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    return f"#{digits.upper()}", float(weight)


def _wrong(sentence: str, field: str = "color_palette") -> InvalidRequest:
    return InvalidRequest(sentence, field=field)


def check_look(look: Look, references: int, characters: int, masks: int) -> None:
    """The rules of combination. The last three: how many pictures came as ``style_reference_images``,
    ``character_reference_images`` and ``character_reference_images_mask``. ``InvalidRequest``."""
    for code in look.style_codes:
        if not _CODE.fullmatch(code):
            raise _wrong("style_codes must each have 8 hexadecimal digits, such as ABCD1234.", "style_codes")
    if look.style_type is not None and look.style_type not in TYPES:
        raise _wrong(f"style_type must be one of {', '.join(TYPES)}.", "style_type")
    if look.style_preset is not None and look.style_preset not in PRESETS:
        raise _wrong("style_preset must be one of the 62 values that /docs lists, such as BAUHAUS.", "style_preset")
    given = {
        "style_codes": bool(look.style_codes), "style_reference_images": references > 0,
        "style_type": look.style_type is not None, "style_preset": look.style_preset is not None,
    }  # fmt: skip
    for first, second in (
        ("style_codes", "style_reference_images"), ("style_codes", "style_type"),
        ("style_preset", "style_codes"), ("style_preset", "style_reference_images"),
    ):  # fmt: skip
        if given[first] and given[second]:
            raise _wrong(f"{first} and {second} cannot be sent together; leave one of them out.", first)
    if references > MOST_STYLE_REFERENCES:
        most = f"at most {MOST_STYLE_REFERENCES} files are taken, and {references} were sent"
        raise _wrong(f"style_reference_images: {most}.", "style_reference_images")
    if characters > 1:
        raise _wrong(
            f"character_reference_images: one file is taken, and {characters} were sent.", "character_reference_images"
        )
    if masks and masks != characters:
        field = "character_reference_images_mask"
        raise _wrong(f"{field}: Send as many masks as character_reference_images: {characters}, not {masks}.", field)


def dress_of(look: Look, *, own_model: bool, looks_at_them: bool) -> Dress:
    """The look in words and colours. With a custom model (``own_model``) the model decides the style, and
    ``style_type`` has no effect (published). ``looks_at_them``: the base looks at the references itself; else what was
    measured of them is said."""
    worn = []
    if look.style_preset is not None:
        worn.append(replace(PRESETS[look.style_preset], names=(f"style_preset {look.style_preset}",)))
    if look.style_codes:
        worn.append(of_codes(look.style_codes))
    if look.style_type is not None and not own_model:
        asked = TYPES[look.style_type]
        worn.append(replace(asked, names=(f"style_type {look.style_type}",)) if asked != Dress() else asked)
    if look.style_references:
        seen = [picture.seen for picture in look.style_references if picture.seen is not None]
        count = len(look.style_references)
        worn.append(_looked_at(count) if looks_at_them else worn_together([_of_seen(one) for one in seen]))
    if look.character_reference is not None:
        number = len(look.style_references) + 1
        worn.append(Dress(aesthetics=f"with the character of reference image {number}"))
    if look.palette:
        worn.append(Dress(palette=look.palette, insists=True, names=("color_palette",)))
    return worn_together(worn)


def _looked_at(count: int) -> Dress:
    which = "reference image 1" if count == 1 else f"reference images 1 to {count}"
    return Dress(aesthetics=f"in the style of {which}", names=("style_reference_images",))


def _of_seen(seen: Seen) -> Dress:
    """What was measured of a reference, in words and colours."""
    contrast = "strong contrasts" if seen.contrast > STRONG else "soft contrasts" if seen.contrast < SOFT else ""
    detail = "rich in detail" if seen.detail > RICH else "smooth, plain surfaces" if seen.detail < SMOOTH else ""
    words = ", ".join(word for word in (contrast, detail) if word)
    return Dress(aesthetics=words, palette=seen.palette, ground=seen.ground, names=("style_reference_images",))
