"""Place a generate order: the request is checked, judged, completed and queued in the caller's transaction.

The caller closes that transaction before it waits for the job.
"""

from sqlalchemy import Connection, bindparam, select

from linocut import __version__, ids
from linocut.accounts.types import Caller
from linocut.bases import Base, Sampling
from linocut.captions import Worded, caption_text, normalise
from linocut.custom_models.service import id_of, resolve_uri
from linocut.db.tables import images
from linocut.errors import InvalidRequest, NotFound, TooManyInFlight
from linocut.generation.editing import (
    edit_notes,
    edited_size,
    into_the_mask,
    over_picture,
    published_size,
    weight_of_text,
)
from linocut.generation.grounds import ground_caption, on_key
from linocut.generation.notes import notes_of
from linocut.generation.sizes import ratio_of_text, size_of
from linocut.generation.types import GenerateAsk, Means, Placed, Rules, Size
from linocut.jobs import queue
from linocut.orders import GenerateOrder
from linocut.safety.service import judge_prompt
from linocut.settings import Settings
from linocut.sizes import native_size, parse_size

__all__ = ["GenerateAsk", "Placed", "image_of", "magic_prompt", "place"]

LONGEST_PROMPT = 10_000
AUTO_REWRITES_BELOW_WORDS = 20
"""AUTO answers with the rewritten prompt below this many words, and with the client's own from there on: somebody who
wrote that much has said what they want. (The model reads a structured caption in every case.)"""
_CONTENT = select(images.c.image_sha256).where(images.c.image_id == bindparam("image_id"))


def place(tx: Connection, caller: Caller, ask: GenerateAsk, means: Means) -> Placed:
    """Check and complete a request, and queue it.

    Image i has the seed (seed + i) mod 2**31; a request without a seed gets a random one. Errors: ``InvalidRequest``
    names the field; ``Unsafe``; ``NotFound`` for a custom model that the caller may not use; ``TooManyInFlight``.
    """
    _check(ask)
    if means.settings.purpose == "training":
        raise InvalidRequest(
            "This server has room to train alone, not to draw (LINOCUT_PURPOSE=training); ask a server that draws, or "
            "its operator."
        )
    base = means.base
    if ask.over is None:
        width, height = size_of(ask.rules, ask.resolution, ask.aspect_ratio, ask.prompt)
    else:
        width, height = edited_size(ask, ask.over)
    text = caption_text(normalise(ask.json_prompt)) if ask.prompt is None else ask.prompt
    judge_prompt(text)
    said = _worded(ask, text, (width, height), means)
    adapter = None if ask.custom_model_uri is None else resolve_uri(tx, caller, ask.custom_model_uri, base)
    native = native_size(width, height, base.native_pixels, base.size_multiple)
    first = ids.new_seed() if ask.seed is None else ask.seed
    seeds = tuple((first + i) % (ids.MAX_SEED + 1) for i in range(ask.num_images))
    sampling = sampling_of(base, ask.rendering_speed)
    order = GenerateOrder(
        base=base.identity,
        organization_id=caller.organization_id,
        caption=said.caption,
        width=native[0],
        height=native[1],
        output_width=width,
        output_height=height,
        seeds=seeds,
        sampling=sampling,
        adapter=adapter,
        provenance=_provenance(ask, text) if means.settings.png_text else {},
    )
    notes = ask.notes + notes_of(tx, ask.custom_model_uri, said, native, (width, height))
    if ask.cut_free:
        order, ground_notes = on_key(order, ask.cut_free, means)
        notes += ground_notes
    if ask.over is not None:
        weight = ask.over.image_weight or weight_of_text(text)
        order = over_picture(order, ask.over, weight, means.settings.matter)
        notes += edit_notes(ask.over, order.placement, (width, height), weight)
    check_in_flight(tx, caller, ask.num_images, means.settings)
    job_id = queue.place(
        tx,
        order,
        user_id=caller.user_id,
        api_key_id=caller.api_key_id,
        model_id=None if ask.custom_model_uri is None else id_of(tx, ask.custom_model_uri),
        inputs=ask.inputs,
    )
    resolution = published_size(ask.rules, (width, height))
    scale = ask.cut_free or 1
    return Placed(job_id, prompt_out(ask, said), width * scale, height * scale, seeds, native, resolution, notes)


def magic_prompt(text: str, aspect_ratio: str, rules: Rules, means: Means) -> tuple[Worded, str]:
    """(caption, ratio) for a text: the caption that a generate of that text in that ratio draws from.

    AUTO: the ratio that the text speaks of, a square where it speaks of none. ``InvalidRequest``; ``Unsafe``.
    """
    _check_text(text, rules.prompt_field)
    judge_prompt(text)
    ratio = ratio_of_text(text, rules.ratios) if aspect_ratio == "AUTO" else aspect_ratio
    return means.worded(text, *parse_size(ratio), make_up=True), ratio


def image_of(tx: Connection, image_id: str) -> str:
    """The sha256 of a drawn image's PNG. ``NotFound``."""
    sha256 = tx.execute(_CONTENT, {"image_id": image_id}).scalar()
    if sha256 is None:
        raise NotFound("This image is no longer kept.")
    return str(sha256)


def prompt_out(ask: GenerateAsk, said: Worded) -> str:
    """The ``prompt`` of the answer: the client's own text, or the caption as JSON where it was rewritten.

    A text of which the base reads less than was sent counts as rewritten: the answer says what was used.
    """
    rewritten = ask.prompt is None or ask.rules.always_rewrites or ask.magic_prompt == "ON" or said.is_cut
    if ask.prompt is None or rewritten:
        return said.prompt
    if ask.magic_prompt == "AUTO" and len(ask.prompt.split()) < AUTO_REWRITES_BELOW_WORDS:
        return said.prompt
    return ask.prompt


def sampling_of(base: Base, rendering_speed: str) -> Sampling:
    """The base's numbers for a speed; BALANCED is DEFAULT, and so is a speed that the base has no numbers for."""
    return base.sampling.get(rendering_speed) or base.sampling["DEFAULT"]


def _worded(ask: GenerateAsk, text: str, size: Size, means: Means) -> Worded:
    """The text in the base's words. A made-up colour or place would overrule the style that a custom model was trained
    for, and what a picture shows already; ON asks for it. What is inpainted goes where the mask repaints."""
    if ask.over is not None and ask.over.operation == "reframe":
        return Worded("", "")
    if ask.over is not None and ask.over.operation == "replace-background":
        return means.worded(ground_caption(text), *size, make_up=True)
    make_up = (ask.custom_model_uri is None and ask.over is None) or ask.magic_prompt == "ON"
    if ask.over is None or ask.over.mask is None:
        return means.worded(text, *size, make_up=make_up)
    return into_the_mask(means.worded(text, *size, make_up=False), ask.over.mask)


def _provenance(ask: GenerateAsk, text: str) -> dict[str, str]:
    """What the picture's file says of its making beside what the order says itself."""
    model = {} if ask.custom_model_uri is None else {"model": ask.custom_model_uri}
    over = {} if ask.over is None else {"operation": ask.over.operation, "picture": ask.over.picture.sha256}
    return {"prompt": text, **model, **over, "version": __version__}


def _check_text(text: str, field: str) -> None:
    if not text.strip():
        raise InvalidRequest(f"{field} must not be empty: say what to draw.", field=field)
    if len(text) > LONGEST_PROMPT:
        raise InvalidRequest(f"{field} has {len(text)} characters; the most is {LONGEST_PROMPT}.", field=field)


def _check(ask: GenerateAsk) -> None:
    """The rules that need no database. ``InvalidRequest`` names the field, the limit and the way out."""
    rules, field, most = ask.rules, ask.rules.prompt_field, ask.rules.most_images
    if (ask.prompt is None) == (ask.json_prompt is None):
        either = f"Send {field} or json_prompt, exactly one of them."
        raise InvalidRequest(either if rules.takes_json_prompt else f"{field} is required.", field=field)
    if ask.prompt is not None and not (ask.over is not None and ask.over.operation == "reframe"):
        _check_text(ask.prompt, field)
    if not 1 <= ask.num_images <= most:
        rule = "must be 1" if most == 1 else f"must be 1 to {most}"
        raise InvalidRequest(f"num_images {rule}.", field="num_images")
    if ask.seed is not None and not 0 <= ask.seed <= ids.MAX_SEED:
        raise InvalidRequest(f"seed must be 0 to {ids.MAX_SEED}.", field="seed")
    if ask.rendering_speed not in rules.speeds:
        raise InvalidRequest(
            f"rendering_speed {ask.rendering_speed} is not available with {rules.name}; "
            f"it must be one of {', '.join(rules.speeds)}.",
            field="rendering_speed",
        )
    if ask.magic_prompt not in ("AUTO", "ON", "OFF"):
        raise InvalidRequest("magic_prompt must be AUTO, ON or OFF.", field="magic_prompt")


def check_in_flight(tx: Connection, caller: Caller, wanted: int, settings: Settings) -> None:
    """Images are counted per organisation over all keys. Transactions take turns, so two requests count each other."""
    most = settings.max_images_in_flight
    busy = queue.images_in_flight(tx, caller.organization_id)
    if busy + wanted > most:
        raise TooManyInFlight(
            f"Your organisation has {busy} image{'' if busy == 1 else 's'} in progress and asks for {wanted} more; its "
            f"limit is {most}. "
            "Try again when some are done.",
            max_inflight_requests=most,
        )
