"""What a client asks to be drawn, whatever route it came by, and what is settled before any worker sees it."""

from dataclasses import dataclass
from typing import Any, Literal

MagicPrompt = Literal["AUTO", "ON", "OFF"]


@dataclass(frozen=True)
class GenerateAsk:
    """A request after translation from the wire; nothing in it is checked yet.

    Exactly one of ``prompt`` and ``json_prompt``; at most one of ``resolution`` (width, height in pixels) and
    ``aspect_ratio`` ("16x9"). ``api_version`` 3 or 4: they differ in sizes, counts and speeds.
    """

    prompt: str | None
    json_prompt: dict[str, Any] | None
    seed: int | None
    num_images: int
    resolution: tuple[int, int] | None
    aspect_ratio: str | None
    rendering_speed: str
    magic_prompt: MagicPrompt
    custom_model_uri: str | None
    api_version: int


@dataclass(frozen=True)
class Placed:
    """An order that is in the queue. ``prompt_out`` is what the answer echoes as ``prompt``; ``width`` x ``height``
    the pixels of the answer; ``native`` the pixels that the base draws; ``seeds`` one an image; ``notes``: what was
    not taken as it was asked, a sentence each."""

    job_id: str
    prompt_out: str
    width: int
    height: int
    seeds: tuple[int, ...]
    native: tuple[int, int]
    notes: tuple[str, ...] = ()
