"""What becomes of the options that not every base can honour: taken up, or refused, or left out with a note. Pure."""

from dataclasses import dataclass, replace

from linocut.bases import TAKE_NEGATIVE_TEXT, TAKE_REFERENCES
from linocut.errors import InvalidRequest
from linocut.generation.detection import NO_DETECTOR
from linocut.generation.sampling import sampling_of
from linocut.generation.types import GenerateAsk, Look, Means
from linocut.generation.unsupported import unsupported
from linocut.orders import PictureRef
from linocut.pictures.intake import StoredPicture

NOTHING = ("", "null", "none")
"""Texts that ask for nothing: some clients write a null into a form as "None"."""
ONE_CUSTOM_STYLE = (
    "style_type CUSTOM names a style of your own, and none came with it (custom_model_uri or style_reference_images): "
    "the style is the prompt's."
)
NO_TYPE_WITH_A_MODEL = "style_type {} has no effect with a custom model, which decides the style."


@dataclass(frozen=True)
class Options:
    """``negative``: what is to be left out, as it was sent, "" for nothing. ``references``, ``reference_mask`` and
    ``styles`` are the order's. ``notes``: what was left out or may be thought to have been done."""

    negative: str = ""
    references: tuple[PictureRef, ...] = ()
    reference_mask: PictureRef | None = None
    styles: tuple[PictureRef, ...] = ()
    notes: tuple[str, ...] = ()


def settled(ask: GenerateAsk, means: Means, *, has_character: bool = False) -> tuple[GenerateAsk, Options]:
    """The request without what the base cannot do, and what it can.

    ``has_character``: a picture of a character is still to come. ``InvalidRequest`` for what the base cannot do, unless
    the operator has it noted (``LINOCUT_UNSUPPORTED``).
    """
    base, settings, look = means.base, means.settings, ask.look
    notes = [NO_DETECTOR] if ask.detects_copyright else []
    notes += _of_style_type(ask)
    if ask.writer_config is not None:
        what = "has no system prompts of its own to choose from"
        notes.append(unsupported("magic_prompt_system_prompt_config_id", what, (), settings))
    negative = _negative(ask.negative_prompt)
    if negative and not base.takes_negative_text:
        what = "was taught to draw without guidance, so it cannot be led away from a text"
        notes.append(unsupported("negative_prompt", what, TAKE_NEGATIVE_TEXT - {base.family}, settings))
        negative = ""
    elif negative and sampling_of(base, ask.rendering_speed).guidance == 1.0:
        what = f"draws without guidance at rendering_speed {ask.rendering_speed}, so it cannot be led away from a text"
        notes.append(unsupported("negative_prompt", what, (), settings))
        negative = ""
    if (look.character_reference or has_character) and not base.takes_references:
        what = "cannot look at a picture of somebody while it draws"
        notes.append(unsupported("character_reference_images", what, TAKE_REFERENCES, settings))
        look = replace(look, character_reference=None, character_mask=None)
    if base.takes_references:
        ask, look, fewer = _as_many(ask, look, means)
        notes += fewer
    refs = tuple(map(_ref, (*ask.references, *look.style_references)))
    if not base.takes_references:
        styles = refs if ask.over is None else ()
        return replace(ask, look=look), Options(negative, styles=styles, notes=tuple(notes))
    if look.character_reference is not None:
        refs += (_ref(look.character_reference),)
    mask = None if look.character_mask is None else _ref(look.character_mask)
    return replace(ask, look=look), Options(negative, refs, mask, notes=tuple(notes))


def _as_many(ask: GenerateAsk, look: Look, means: Means) -> tuple[GenerateAsk, Look, list[str]]:
    """No more pictures than the base looks at: an edit's first, then styles, then the character."""
    most = means.base.max_references
    character = look.character_reference is not None
    sent = len(ask.references) + len(look.style_references) + character
    if sent <= most:
        return ask, look, []
    field = "images" if ask.references else "style_reference_images"
    note = too_many(field, most, sent, means)
    ask = replace(ask, references=ask.references[:most])
    look = replace(look, style_references=look.style_references[: most - len(ask.references)])
    if len(ask.references) + len(look.style_references) + character > most:
        look = replace(look, character_reference=None, character_mask=None)
    return ask, look, [note]


def too_many(field: str, most: int, sent: int, means: Means) -> str:
    """The note on pictures that the base does not look at. ``InvalidRequest``, unless the operator has it noted."""
    pictures = "one picture" if most == 1 else f"{most} pictures"
    looks = f"{field}: The base that is served looks at {pictures} while it draws"
    if means.settings.unsupported == "note":
        left = "the other was" if sent - most == 1 else f"the other {sent - most} were"
        return f"{looks}; {left} left out."
    raise InvalidRequest(
        f"{looks}, and {sent} were sent. Send {'one' if most == 1 else f'at most {most}'}.", field=field
    )


def _negative(text: str | None) -> str:
    return "" if text is None or text.strip().lower() in NOTHING else text


def _of_style_type(ask: GenerateAsk) -> list[str]:
    asked = ask.look.style_type
    if asked in (None, "AUTO", "GENERAL"):
        return []
    if ask.custom_model_uri is not None:
        return [] if asked == "CUSTOM" else [NO_TYPE_WITH_A_MODEL.format(asked)]
    return [ONE_CUSTOM_STYLE] if asked == "CUSTOM" and not ask.look.style_references else []


def _ref(picture: StoredPicture) -> PictureRef:
    return PictureRef(sha256=picture.sha256, width=picture.width, height=picture.height)
