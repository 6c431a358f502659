"""Requests and answers of what looks at pictures and puts them into words."""

from typing import Annotated

import msgspec
from msgspec import Meta

from linocut.wire.enums import DescribeModelVersion
from linocut.wire.generation import Picture
from linocut.wire.structured_prompts import V4JsonPrompt
from linocut.wire.types import UNSET, Notes, Nothing


class DescribeRequestV4(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /v1/ideogram-v4/describe``. Without boxes, ``bbox`` is left out of every element."""

    image_file: Picture
    include_bbox: bool = True
    include_style_descriptions: bool = False
    include_tags: bool = False


class DescribeExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on a description. ``described_by``: the component that it comes from, ``embedded`` or the model that was
    asked; ``notes``: what is not sure or was not taken as asked, a sentence each, absent when there is nothing."""

    described_by: Annotated[str, Meta(examples=["embedded"])]
    notes: Notes | Nothing = UNSET


class DescribeResponseV4(msgspec.Struct, kw_only=True, frozen=True):
    """A structured prompt from which generate draws a similar picture."""

    json_prompt: V4JsonPrompt
    x_linocut: DescribeExtras


class DescribeRequest(msgspec.Struct, kw_only=True, frozen=True):
    """``POST /describe``."""

    image_file: Picture
    describe_model_version: DescribeModelVersion = "V_3"


class Description(msgspec.Struct, kw_only=True, frozen=True):
    """One way to say what the picture shows."""

    text: Annotated[str, Meta(examples=['A red circle and the word "TEA" in white on plain navy.'])]


class DescribeResponse(msgspec.Struct, kw_only=True, frozen=True):
    """At least one description, the whole in one first."""

    descriptions: list[Description]
    x_linocut: DescribeExtras
