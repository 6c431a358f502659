"""Edits by an instruction: the request into what is drawn, the images into the published answer."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from linocut import ids
from linocut.api.drawing import Drawn
from linocut.api.revisions import EditAsk
from linocut.api.translate.images import common
from linocut.api.translate.versions import V3
from linocut.bases import FAMILY_NAMES, TAKE_REFERENCES
from linocut.errors import InvalidRequest
from linocut.generation.charging import EDIT
from linocut.generation.editing import nearest_size
from linocut.generation.options import too_many
from linocut.generation.sizes import size_of
from linocut.generation.types import GenerateAsk, Means
from linocut.jobs.types import JobInput
from linocut.pictures.intake import StoredPicture
from linocut.sizes import parse_size, size_text
from linocut.wire import V1EditImageObject, V1EditImagesRequest, V1EditImagesResponse
from linocut.wire.generation import EditedImageExtras
from linocut.wire.types import UNSET, Nothing

T = TypeVar("T")
MOST = 10


def edit_ask(request: V1EditImagesRequest, means: Means) -> GenerateAsk:
    """The ask without its pictures and without a caption. ``InvalidRequest`` for what is wrong without looking at
    them."""
    files = [] if isinstance(request.images, Nothing) else request.images
    urls = [] if isinstance(request.image_urls, Nothing) else request.image_urls
    count = len(files) + len(urls)
    if count == 0:
        raise InvalidRequest("Send images (files) or image_urls (links of this server): at least one.", field="images")
    if count > MOST:
        raise InvalidRequest(f"images: at most {MOST} pictures are taken, and {count} were sent.", field="images")
    notes: tuple[str, ...] = ()
    if count > 1 and not means.base.takes_references:
        what = f"The base that is served edits one picture at a time, and {count} were sent."
        what += f" A base of {' or '.join(FAMILY_NAMES[family] for family in sorted(TAKE_REFERENCES))} can take more."
        if means.settings.unsupported != "note":
            field = "images" if files else "image_urls"
            raise InvalidRequest(f"{field}: {what} Send one picture.", field=field)
        notes = (f"Only the first picture was taken. {what}",)
    if means.base.takes_references and count > (most := means.base.max_references):
        too_many("images", most, count, means)  # its note comes when they are left out
    ask = GenerateAsk(
        rules=V3,
        prompt=request.prompt,
        json_prompt=None,
        seed=_or_none(request.seed),
        num_images=request.num_images,
        resolution=None if isinstance(request.resolution, Nothing) else parse_size(request.resolution),
        aspect_ratio=_or_none(request.aspect_ratio),
        rendering_speed="DEFAULT",
        magic_prompt=request.magic_prompt,
        custom_model_uri=None,
        cut_free=1 if request.transparent_background else 0,
        notes=notes,
        writer_config=_or_none(request.magic_prompt_system_prompt_config_id),
        priced_as=EDIT,
    )
    size_of(V3, ask.resolution, ask.aspect_ratio, None)  # both at once
    return ask


def with_references(ask: GenerateAsk, pictures: Sequence[StoredPicture], inputs: tuple[JobInput, ...]) -> GenerateAsk:
    """The ask of a base that looks at the pictures itself. Without a size the answer has the published one that is most
    like the first picture's."""
    first = pictures[0]
    chosen = ask.resolution is not None or ask.aspect_ratio is not None
    size = None if chosen else nearest_size(V3.resolutions, first.width, first.height)
    return replace(ask, references=tuple(pictures), inputs=inputs, resolution=size or ask.resolution)


def answer_edit(drawn: Drawn, ask: EditAsk) -> V1EditImagesResponse:
    """The answer: its ``prompt`` is the caption that was drawn, or with magic_prompt OFF the instruction."""
    data = []
    placed = drawn.begun.placed
    for image in drawn.images:
        said = common(drawn, image)
        extras = said["x_linocut"]
        said["resolution"] = size_text(placed.width, placed.height)
        if ask.draws.magic_prompt == "OFF":
            said["prompt"] = ask.instruction
        own = {name: getattr(extras, name) for name in extras.__struct_fields__}
        own["written_by"] = UNSET if ask.draws.magic_prompt == "OFF" else ask.written_by or own["written_by"]
        said["x_linocut"] = EditedImageExtras(**own, described_by=ask.described_by or UNSET)
        data.append(V1EditImageObject(**said))
    return V1EditImagesResponse(created=ids.wire_time(drawn.finished_at), data=data)


def _or_none(value: T | Nothing) -> T | None:
    return None if isinstance(value, Nothing) else value
