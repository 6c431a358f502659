"""Place a generate order: the request is checked, judged, completed and queued in the caller's transaction.

The caller closes that transaction before it waits for the job.
"""

from collections.abc import Callable

from sqlalchemy import Connection, bindparam, select

from linocut import ids
from linocut.accounts.types import Caller
from linocut.captions import caption_text, normalise
from linocut.catalogue import Base, Sampling
from linocut.custom_models.service import id_of, resolve_uri
from linocut.db.tables import images
from linocut.errors import InvalidRequest, NotFound, TooManyInFlight
from linocut.generation.sizes import ratio_of_text, size_of
from linocut.generation.types import GenerateAsk, Placed
from linocut.jobs import queue
from linocut.orders import GenerateOrder
from linocut.safety.service import judge_prompt
from linocut.settings import Settings
from linocut.sizes import native_size, parse_size

__all__ = ["GenerateAsk", "Placed", "image_of", "magic_prompt", "place"]

MOST_IMAGES = 8
LONGEST_PROMPT = 10_000
AUTO_REWRITES_BELOW_WORDS = 20
"""AUTO answers with the rewritten prompt below this many words, and with the client's own from there on: somebody who
wrote that much has said what they want. (The model reads a structured caption in every case.)"""
_CONTENT = select(images.c.image_sha256).where(images.c.image_id == bindparam("image_id"))
_SPEEDS = ("FLASH", "TURBO", "BALANCED", "DEFAULT", "QUALITY")


def place(
    tx: Connection,
    caller: Caller,
    ask: GenerateAsk,
    base: Base,
    settings: Settings,
    expand: Callable[[str, int, int], str],
    restate: Callable[[str], str],
) -> Placed:
    """Check and complete a request, and queue it.

    ``expand`` turns (text, width, height) into a structured caption and makes up what the text leaves out;
    ``restate`` turns a text into one that makes nothing up: for custom models, which have learned it from pictures.
    Image i has the seed (seed + i) mod 2**31; a request without a seed gets a random one. Errors: ``InvalidRequest``
    names the field; ``Unsafe``; ``NotFound`` for a custom model that the caller may not use; ``TooManyInFlight``.
    """
    _check(ask)
    width, height = size_of(
        api_version=ask.api_version, resolution=ask.resolution, aspect_ratio=ask.aspect_ratio, prompt=ask.prompt
    )
    caption = _caption(ask, width, height, expand, restate)
    judge_prompt(caption if ask.prompt is None else ask.prompt)
    adapter = None if ask.custom_model_uri is None else resolve_uri(tx, caller, ask.custom_model_uri, base)
    native = native_size(width, height, base.native_pixels, base.size_multiple)
    first = ids.new_seed() if ask.seed is None else ask.seed
    seeds = tuple((first + i) % (ids.MAX_SEED + 1) for i in range(ask.num_images))
    sampling = sampling_of(base, ask.rendering_speed)
    order = GenerateOrder(
        base=base.identity,
        organization_id=caller.organization_id,
        caption=caption,
        width=native[0],
        height=native[1],
        output_width=width,
        output_height=height,
        seeds=seeds,
        sampling=sampling,
        adapter=adapter,
    )
    _check_in_flight(tx, caller, ask.num_images, settings)
    job_id = queue.place(
        tx,
        order,
        user_id=caller.user_id,
        api_key_id=caller.api_key_id,
        model_id=None if ask.custom_model_uri is None else id_of(tx, ask.custom_model_uri),
    )
    return Placed(job_id, prompt_out(ask, caption), width, height, seeds, native)


def magic_prompt(text: str, aspect_ratio: str, expand: Callable[[str, int, int], str]) -> tuple[str, str]:
    """(caption, ratio) for a text: the caption that a generate of that text in that ratio draws from.

    AUTO: the ratio that the text speaks of, a square where it speaks of none. ``InvalidRequest``; ``Unsafe``.
    """
    _check_text(text, "text_prompt")
    judge_prompt(text)
    ratio = ratio_of_text(text) if aspect_ratio == "AUTO" else aspect_ratio
    return expand(text, *parse_size(ratio)), ratio


def image_of(tx: Connection, image_id: str) -> str:
    """The sha256 of a drawn image's PNG. ``NotFound``."""
    sha256 = tx.execute(_CONTENT, {"image_id": image_id}).scalar()
    if sha256 is None:
        raise NotFound("This image is no longer kept.")
    return str(sha256)


def prompt_out(ask: GenerateAsk, caption: str) -> str:
    """The ``prompt`` of the answer: the client's own text, or the caption as JSON where it was rewritten."""
    if ask.prompt is None or ask.api_version == 4 or ask.magic_prompt == "ON":
        return caption
    if ask.magic_prompt == "AUTO" and len(ask.prompt.split()) < AUTO_REWRITES_BELOW_WORDS:
        return caption
    return ask.prompt


def sampling_of(base: Base, rendering_speed: str) -> Sampling:
    """The base's numbers for a speed; BALANCED is DEFAULT, and so is a speed that the base has no numbers for."""
    return base.sampling.get(rendering_speed) or base.sampling["DEFAULT"]


def _caption(
    ask: GenerateAsk,
    width: int,
    height: int,
    expand: Callable[[str, int, int], str],
    restate: Callable[[str], str],
) -> str:
    if ask.json_prompt is not None:
        return caption_text(normalise(ask.json_prompt))
    # A made-up colour or place would overrule the style that the custom model was trained for. ON asks for it.
    if ask.custom_model_uri is not None and ask.magic_prompt != "ON":
        return restate(ask.prompt or "")
    return expand(ask.prompt or "", width, height)


def _check_text(text: str, field: str) -> None:
    if not text.strip():
        raise InvalidRequest(f"{field} must not be empty: say what to draw.", field=field)
    if len(text) > LONGEST_PROMPT:
        raise InvalidRequest(f"{field} has {len(text)} characters; the most is {LONGEST_PROMPT}.", field=field)


def _check(ask: GenerateAsk) -> None:
    """The rules that need no database. ``InvalidRequest`` names the field, the limit and the way out."""
    version4 = ask.api_version == 4
    text_field = "text_prompt" if version4 else "prompt"
    if (ask.prompt is None) == (ask.json_prompt is None):
        both = "Send text_prompt or json_prompt, exactly one of them." if version4 else "prompt is required."
        raise InvalidRequest(both, field=text_field)
    if ask.prompt is not None:
        _check_text(ask.prompt, text_field)
    most = 1 if version4 else MOST_IMAGES
    if not 1 <= ask.num_images <= most:
        raise InvalidRequest(f"num_images must be 1 to {most}.", field="num_images")
    if ask.seed is not None and not 0 <= ask.seed <= ids.MAX_SEED:
        raise InvalidRequest(f"seed must be 0 to {ids.MAX_SEED}.", field="seed")
    if ask.rendering_speed not in _SPEEDS:
        raise InvalidRequest(f"rendering_speed must be one of {', '.join(_SPEEDS)}.", field="rendering_speed")
    if version4 and ask.rendering_speed == "FLASH":
        raise InvalidRequest(
            "rendering_speed FLASH is not available with Ideogram 4; take TURBO, DEFAULT or QUALITY.",
            field="rendering_speed",
        )
    if ask.magic_prompt not in ("AUTO", "ON", "OFF"):
        raise InvalidRequest("magic_prompt must be AUTO, ON or OFF.", field="magic_prompt")


def _check_in_flight(tx: Connection, caller: Caller, wanted: int, settings: Settings) -> None:
    """Images are counted per organisation over all keys. Transactions take turns, so two requests count each other."""
    most = settings.max_images_in_flight
    busy = queue.images_in_flight(tx, caller.organization_id)
    if busy + wanted > most:
        raise TooManyInFlight(
            f"Your organisation has {busy} images in progress and asks for {wanted} more; its limit is {most}. "
            "Try again when some are done.",
            max_inflight_requests=most,
        )
