"""Structured prompts (``json_prompt``) as published. Schemas only: ``linocut.captions`` checks and orders them."""

from typing import Annotated

import msgspec
from msgspec import Meta

from linocut.wire.types import UNSET, Nothing

Hex = Annotated[str, Meta(pattern="^#[0-9a-fA-F]{6}$", examples=["#FFD700"])]
BoxEdge = Annotated[int, Meta(ge=0, le=1000)]
Box = Annotated[list[BoxEdge], Meta(min_length=4, max_length=4, description="y_min, x_min, y_max, x_max in 0..1000.")]


class V4ObjPromptElement(msgspec.Struct, kw_only=True, frozen=True, tag_field="type", tag="obj"):
    """Something to draw."""

    bbox: Box | Nothing = UNSET
    desc: str
    color_palette: list[Hex] | Nothing = UNSET


class V4TextPromptElement(msgspec.Struct, kw_only=True, frozen=True, tag_field="type", tag="text"):
    """Lettering: ``text`` is drawn literally."""

    bbox: Box | Nothing = UNSET
    text: str
    desc: str
    color_palette: list[Hex] | Nothing = UNSET


class V4StyleDescription(msgspec.Struct, kw_only=True, frozen=True):
    """How it looks: ``photo`` or ``art_style``, and the rest."""

    aesthetics: str | Nothing = UNSET
    art_style: str | Nothing = UNSET
    lighting: str | Nothing = UNSET
    medium: str | Nothing = UNSET
    photo: str | Nothing = UNSET
    color_palette: list[Hex] | Nothing = UNSET


class V4CompositionalDeconstruction(msgspec.Struct, kw_only=True, frozen=True):
    """What is where."""

    background: str
    elements: list[V4ObjPromptElement | V4TextPromptElement]


class V4JsonPrompt(msgspec.Struct, kw_only=True, frozen=True):
    """A structured prompt; ``tags`` is ignored."""

    high_level_description: str
    style_description: V4StyleDescription | Nothing = UNSET
    compositional_deconstruction: V4CompositionalDeconstruction
    tags: list[str] | Nothing = UNSET
