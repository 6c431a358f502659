"""Place a layerize order: a picture's lettering is read, told as blocks of text, and erased from it."""

from dataclasses import dataclass

from sqlalchemy import Connection

from linocut import ids
from linocut.accounts.types import Caller
from linocut.bases import Base
from linocut.errors import InvalidRequest
from linocut.generation.admission import Request, admitted
from linocut.generation.charging import LAYERS
from linocut.generation.checking import LONGEST_PROMPT
from linocut.generation.detection import as_organized
from linocut.generation.sampling import sampling_of
from linocut.generation.types import Means, Placed
from linocut.jobs.types import JobInput
from linocut.orders import LayerizeOrder, PictureRef, Refill
from linocut.pictures.intake import StoredPicture
from linocut.safety.service import judge_prompt
from linocut.sizes import native_size, size_text

LEAST_NATIVE_PIXELS = 512
"""A base that draws smaller pictures would blur what it draws behind letters: their surroundings fill them."""
MOST_ASPECT = 4.0
"""The longest side over the shortest of a picture that a base draws on."""


@dataclass(frozen=True)
class LayersAsk:
    """A picture whose lettering is asked for, stored, and it again as what the job works on. ``prompt``: what is behind
    the letters; None: what is around them."""

    picture: StoredPicture
    inputs: tuple[JobInput, ...]
    prompt: str | None
    seed: int | None


def check_layers(prompt: str | None, seed: int | None) -> None:
    """The rules that need no picture: they are checked before one is stored. ``InvalidRequest`` names the field;
    ``Unsafe``."""
    text = (prompt or "").strip()
    if len(text) > LONGEST_PROMPT:
        raise InvalidRequest(f"prompt has {len(text)} characters; the most is {LONGEST_PROMPT}.", field="prompt")
    if seed is not None and not 0 <= seed <= ids.MAX_SEED:
        raise InvalidRequest(f"seed must be 0 to {ids.MAX_SEED}.", field="seed")
    if text:
        judge_prompt(text)


def place_layers(tx: Connection, caller: Caller, ask: LayersAsk, means: Means) -> Placed:
    """Queue it; one place in flight. Without a seed it gets a random one. Errors: those of ``check_layers``
    and of ``admitted``."""
    check_layers(ask.prompt, ask.seed)
    prompt = (ask.prompt or "").strip()
    one = ask.picture
    size = one.width, one.height
    seed = ids.new_seed() if ask.seed is None else ask.seed
    why_not = _cannot_draw(means.base, size)
    refill, notes = None, one.notes
    if not why_not:
        refill, said = _refill(prompt, size, means)
        notes += said
    elif prompt:
        notes += (f"prompt was not used: {why_not}, so what is around the letters fills their places.",)
    order = LayerizeOrder(
        base=means.base.identity,
        organization_id=caller.organization_id,
        picture=PictureRef(sha256=one.sha256, width=one.width, height=one.height),
        seed=seed,
        refill=refill,
    )
    job_id = admitted(tx, order, Request(caller, LAYERS, inputs=ask.inputs), means.settings)
    return Placed(job_id, prompt, *size, (seed,), size, size, as_organized(tx, caller, notes))


def _cannot_draw(base: Base, size: tuple[int, int]) -> str:
    """Why the base does not draw behind the letters; empty where it does."""
    if base.native_pixels < LEAST_NATIVE_PIXELS:
        return f"the base draws {size_text(base.native_pixels, base.native_pixels)} pixels"
    if max(size) > MOST_ASPECT * min(size):
        return f"one side of the picture is more than {MOST_ASPECT:.0f} times the other"
    return ""


def _refill(prompt: str, size: tuple[int, int], means: Means) -> tuple[Refill, tuple[str, ...]]:
    base = means.base
    said = means.worded(prompt, *size, make_up=False) if prompt else None
    width, height = native_size(*size, base.native_pixels, base.size_multiple)
    notes = () if said is None else said.notes
    if width * height < size[0] * size[1]:
        drawn = size_text(width, height)
        notes += (f"The base draws {drawn} pixels; what it drew behind the letters was enlarged.",)
    caption = "" if said is None else said.caption
    return Refill(caption=caption, width=width, height=height, sampling=sampling_of(base, "DEFAULT")), notes
