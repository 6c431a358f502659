"""The pictures of a request's look, taken in once everything else of the request has been checked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from linocut.api.call import Call
from linocut.api.intake import inputs_of, take_mask, take_picture, take_pictures
from linocut.api.multipart import Part
from linocut.generation.checking import Sent, check
from linocut.generation.looks import MOST_STYLE_REFERENCES
from linocut.generation.types import GenerateAsk
from linocut.pictures.intake import StoredPicture
from linocut.wire.types import UNSET, Nothing


class Styled(Protocol):
    """A request of the wire whose look may have pictures."""

    @property
    def style_reference_images(self) -> list[Part] | Nothing: ...

    @property
    def character_reference_images(self) -> list[Part] | Nothing: ...

    @property
    def character_reference_images_mask(self) -> list[Part] | Nothing: ...


@dataclass(frozen=True)
class StylesAlone:
    """The pictures of a request that knows no characters."""

    style_reference_images: list[Part] | Nothing
    character_reference_images: list[Part] | Nothing = UNSET
    character_reference_images_mask: list[Part] | Nothing = UNSET


def check_asked(call: Call, ask: GenerateAsk, request: Styled | None = None) -> None:
    """All rules that need no picture, before one is decoded or stored. Errors as ``generation.checking.check``."""
    sent = Sent()
    if request is not None:
        sent = Sent(
            len(_files(request.style_reference_images)),
            len(_files(request.character_reference_images)),
            len(_files(request.character_reference_images_mask)),
        )
    check(ask, call.runtime, sent)


async def with_look(call: Call, ask: GenerateAsk, request: Styled) -> GenerateAsk:
    """The request with the pictures of its look. Errors as ``intake.take_picture``."""
    look = ask.look
    files = _files(request.style_reference_images)
    styles = await take_pictures(call, "style_reference_images", files, most=MOST_STYLE_REFERENCES, look=True)
    ask = _with(ask, "style_reference_images", styles)
    look = replace(look, style_references=tuple(styles))
    if files := _files(request.character_reference_images):
        field = "character_reference_images"
        character = await take_picture(call, field, files[0])
        ask = _with(ask, field, [character])
        look = replace(look, character_reference=character)
        if masks := _files(request.character_reference_images_mask):
            mask = await take_mask(call, f"{field}_mask", masks[0], character, marks=True)
            ask = _with(ask, f"{field}_mask", [mask])
            look = replace(look, character_mask=mask)
    return replace(ask, look=look)


def _with(ask: GenerateAsk, field: str, pictures: Sequence[StoredPicture]) -> GenerateAsk:
    notes = tuple(note for picture in pictures for note in picture.notes)
    return replace(ask, inputs=ask.inputs + inputs_of(**{field: pictures}), notes=ask.notes + notes)


def _files(files: list[Part] | Nothing) -> list[Part]:
    return [] if isinstance(files, Nothing) else files
