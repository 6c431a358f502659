"""What a client asks to be drawn, whatever route it came by, and what is settled before any worker sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from linocut.bases import Base
from linocut.captions import Worded
from linocut.dress import Dress
from linocut.jobs.types import JobInput
from linocut.pictures.intake import StoredPicture
from linocut.settings import Settings

MagicPrompt = Literal["AUTO", "ON", "OFF"]
Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class Rules:
    """What a version of the API lets a request say, and what it leaves to the server.

    ``name``: what sentences call it; ``prompt_field``: what it calls the text; ``takes_json_prompt``: whether a
    structured prompt may come instead; ``resolutions``, and ``ratios`` with their sizes (``1x1`` is the default);
    ``text_chooses_ratio``: whether the text's own words choose where nothing else does; ``always_rewrites``: whether
    the answer's prompt is always the structured one. ``item``: what price lists call it.
    """

    name: str
    item: str
    prompt_field: str
    takes_json_prompt: bool
    most_images: int
    speeds: tuple[str, ...]
    resolutions: frozenset[Size]
    ratios: Mapping[str, Size]
    text_chooses_ratio: bool
    always_rewrites: bool


class Means(Protocol):
    """What a request is completed with; the process's ``Runtime`` is it.

    ``worded`` puts a text into the base's words. ``make_up`` tells whether what the text leaves out is made up; for
    custom models (``own_model``) it is not, because they have learned it from pictures. ``dressed`` puts what it gave
    into a look; colours that the text ``avoid`` speaks of are not made up. ``negative`` is what the guidance leads away
    from. ``colours_in``: what a text's words of colour mean, as ``#RRGGBB``.
    """

    @property
    def base(self) -> Base: ...

    @property
    def settings(self) -> Settings: ...

    def worded(self, text: str, width: int, height: int, *, make_up: bool, own_model: bool = False) -> Worded: ...

    def dressed(self, said: Worded, text: str, dress: Dress, *, avoid: str, own_model: bool) -> Worded: ...

    def negative(self, text: str) -> Worded: ...

    def colours_in(self, text: str) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Over:
    """A picture that is drawn over. ``remix``: all of it, by its ``image_weight`` (1 to 100; None: the instruction's
    words choose); ``inpaint``: where ``mask`` is black; ``reframe``: around it, without any text;
    ``replace-background``: around its object, by a text that speaks of the ground alone; ``edit``: where ``mask`` is
    black, on an answer that may have another size."""

    operation: Literal["remix", "inpaint", "reframe", "replace-background", "edit"]
    picture: StoredPicture
    image_weight: int | None = None
    mask: StoredPicture | None = None


@dataclass(frozen=True)
class Look:
    """How the answer is to look, beside what the prompt says of it. Nothing in it is checked yet but its palette.

    ``style_type``: as it was sent, None where it was not. ``style_codes``: 8 hexadecimal digits each. ``palette``:
    colours as ``#RRGGBB`` with their weights in (0, 1], a preset's or the client's own. ``style_references``: at most
    10; ``character_reference``: somebody who is to appear, with a ``character_mask`` of the same size that is white
    where they are.
    """

    style_type: str | None = None
    style_preset: str | None = None
    style_codes: tuple[str, ...] = ()
    palette: tuple[tuple[str, float], ...] = ()
    style_references: tuple[StoredPicture, ...] = ()
    character_reference: StoredPicture | None = None
    character_mask: StoredPicture | None = None


@dataclass(frozen=True)
class Written:
    """What a writer made of a request's text. ``caption``: a structured one, None where the grammar is to write;
    ``by``: who wrote; ``ratio``: the one that it chose, "" for none; ``notes``: what is to be said of it."""

    caption: dict[str, Any] | None
    by: str
    ratio: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class GenerateAsk:
    """A request after translation from the wire; nothing in it is checked yet.

    Exactly one of ``prompt`` and ``json_prompt``; at most one of ``resolution`` (width, height in pixels) and
    ``aspect_ratio`` ("16x9"). ``rules``: those of the version by whose route it came. ``inputs``: the pictures that it
    works on, stored; ``over``: the one that is drawn over, if any; ``cut_free``: 0, or how many times as large the
    images are to be whose ground is made transparent; ``notes``: what was not taken of the pictures, a sentence each.
    ``look``: its style; ``negative_prompt``: what is to be left out, None or nothing but spaces for nothing;
    ``detects_copyright``: whether a detector was asked for; ``writer_config``: the id of a system prompt for the magic
    prompt's writer; ``references``: pictures that the base is to look at, and to change by the prompt, which it reads
    word for word; ``earlier``: the job of the same request that holds its places in the limit and its
    price; ``written``: what a language model made of the prompt, None where none was asked. ``priced_as``: what price
    lists call it, where the version's rules do not say.
    """

    rules: Rules
    prompt: str | None
    json_prompt: dict[str, Any] | None
    seed: int | None
    num_images: int
    resolution: Size | None
    aspect_ratio: str | None
    rendering_speed: str
    magic_prompt: MagicPrompt
    custom_model_uri: str | None
    over: Over | None = None
    cut_free: int = 0
    inputs: tuple[JobInput, ...] = ()
    notes: tuple[str, ...] = ()
    look: Look = Look()
    negative_prompt: str | None = None
    detects_copyright: bool = False
    writer_config: str | None = None
    references: tuple[StoredPicture, ...] = ()
    earlier: str | None = None
    written: Written | None = None
    priced_as: str = ""


@dataclass(frozen=True)
class Placed:
    """An order that is in the queue. ``prompt_out`` is what the answer echoes as ``prompt``; ``width`` x ``height``
    the pixels of the answer; ``resolution`` the published size that is theirs, or most like theirs; ``native`` the
    pixels that the base draws; ``seeds`` one an image; ``notes``: what was not taken as it was asked, a sentence each;
    ``written_by``: who wrote the caption of the client's text, "" where it is the client's own.
    """

    job_id: str
    prompt_out: str
    width: int
    height: int
    seeds: tuple[int, ...]
    native: Size
    resolution: Size
    notes: tuple[str, ...] = ()
    written_by: str = ""
