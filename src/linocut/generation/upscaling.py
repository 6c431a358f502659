"""A picture at twice its size, redrawn a little: what ``resemblance`` and ``detail`` mean, and the order."""

from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from linocut import __version__, ids
from linocut.accounts.types import Caller
from linocut.captions import Worded
from linocut.errors import InvalidRequest
from linocut.generation.admission import Request, admitted
from linocut.generation.charging import UPSCALE
from linocut.generation.checking import LONGEST_PROMPT
from linocut.generation.detection import as_organized
from linocut.generation.sampling import sampling_of
from linocut.generation.types import MagicPrompt, Means, Placed
from linocut.jobs.types import JobInput
from linocut.orders import PictureRef, UpscaleOrder
from linocut.pictures.intake import StoredPicture
from linocut.safety.service import judge_prompt
from linocut.sizes import native_size, size_text

FACTOR = 2
LEVELS = (0.02, 0.52)
"""The noise that is laid over the picture at resemblance 100 and at 1; it falls with the square in between, because a
little noise changes little."""
STEPS, STEPS_OF_LITTLE, LITTLE = 4, 2, 0.2
"""The steps of a whole drawing, of which what is drawn over takes half; and those where the noise is no more than
``LITTLE``. Six of twelve came out 0.1 dB nearer to the picture than two of four, for twice the time."""
SHARPEST, SOFTEST = 1.8, 0.6
"""What the fine is multiplied with at detail 100 and at 1; at 50 it stays as it is."""
NOTHING_TO_WRITE = "magic_prompt_option ON: no prompt was sent, so no caption was written."
LEAST_TOLD = 0.7
"""The part of the noise that the base is told of at detail 100; up to 50 it is told of all."""


@dataclass(frozen=True)
class UpscaleAsk:
    """A request after translation from the wire. ``prompt`` None: none was sent; ``notes``: what was not taken of the
    picture."""

    picture: StoredPicture
    prompt: str | None
    resemblance: int
    detail: int
    magic_prompt: MagicPrompt
    num_images: int
    seed: int | None
    inputs: tuple[JobInput, ...]
    notes: tuple[str, ...] = ()


def level_at(resemblance: int) -> float:
    """The noise level, 1 to 100 in; higher is nearer to the picture."""
    least, most = LEVELS
    return least + (most - least) * ((100 - resemblance) / 99) ** 2


def steps_at(level: float) -> int:
    """The steps of a whole drawing, of which half are taken."""
    return STEPS_OF_LITTLE if level <= LITTLE else STEPS


def sharper_at(detail: int) -> float:
    """What the fine is multiplied with, 1 to 100 in."""
    if detail < 50:
        return float(SOFTEST ** ((50 - detail) / 49))
    return float(SHARPEST ** ((detail - 50) / 50))


def told_at(detail: int) -> float:
    """The part of the noise that the base is told of, 1 to 100 in."""
    return 1.0 - (1.0 - LEAST_TOLD) * max(0, detail - 50) / 50


def place(tx: Connection, caller: Caller, ask: UpscaleAsk, means: Means) -> Placed:
    """Check, judge and queue an upscale. ``InvalidRequest``; ``Unsafe``; those of ``admitted``."""
    width, height = FACTOR * ask.picture.width, FACTOR * ask.picture.height
    _check(ask, means.settings.upscale_megapixels)
    base, text = means.base, (ask.prompt or "").strip()
    judge_prompt(text, means.settings.safety_rules)
    said = means.worded(text, width, height, make_up=ask.magic_prompt == "ON") if text else Worded("", "")
    first = ids.new_seed() if ask.seed is None else ask.seed
    seeds = tuple((first + i) % (ids.MAX_SEED + 1) for i in range(ask.num_images))
    side = min(native_size(base.native_pixels, base.native_pixels, base.native_pixels, base.size_multiple))
    level = level_at(ask.resemblance)
    order = UpscaleOrder(
        base=base.identity,
        organization_id=caller.organization_id,
        caption=said.caption,
        width=side,
        height=side,
        output_width=width,
        output_height=height,
        seeds=seeds,
        sampling=msgspec.structs.replace(sampling_of(base, "DEFAULT"), steps=steps_at(level), guidance=1.0),
        adapter=None,
        provenance=_provenance(ask, text) if means.settings.png_text else {},
        picture=PictureRef(sha256=ask.picture.sha256, width=ask.picture.width, height=ask.picture.height),
        enlarger=means.settings.enlarger,
        cell=base.size_multiple,
        level=level,
        told=told_at(ask.detail),
        sharper=sharper_at(ask.detail),
    )
    job_id = admitted(tx, order, Request(caller, UPSCALE, inputs=ask.inputs), means.settings)
    prompt = said.prompt if ask.magic_prompt == "ON" or said.is_cut else text
    given = ask.picture.width, ask.picture.height
    no_text = () if text or ask.magic_prompt != "ON" else (NOTHING_TO_WRITE,)
    notes = as_organized(tx, caller, ask.notes + said.notes + no_text)
    return Placed(job_id, prompt, width, height, seeds, (side, side), given, notes)


def _provenance(ask: UpscaleAsk, text: str) -> dict[str, str]:
    return {"prompt": text, "operation": "upscale", "picture": ask.picture.sha256, "version": __version__}


def _check(ask: UpscaleAsk, megapixels: float) -> None:
    width, height = ask.picture.width, ask.picture.height
    most = megapixels * 1e6 / FACTOR**2
    if width * height > most:
        given, asked = size_text(width, height), size_text(FACTOR * width, FACTOR * height)
        raise InvalidRequest(
            f"image_file: The picture is {given} pixels, {width * height / 1e6:.2f} million, and would be enlarged to "
            f"{asked}; at most {most / 1e6:.2f} million are taken ({size_text(int(most**0.5), int(most**0.5))}, say). "
            "Scale it down.",
            field="image_file",
        )
    if ask.prompt is not None and len(ask.prompt) > LONGEST_PROMPT:
        raise InvalidRequest(f"prompt has {len(ask.prompt)} characters; the most is {LONGEST_PROMPT}.", field="prompt")
