"""Place a generate order: the request is checked, judged, completed and queued in the caller's transaction.

The caller closes that transaction before it waits for the job.
"""

from sqlalchemy import Connection, bindparam, func, select

from linocut import __version__, ids
from linocut.accounts.types import Caller
from linocut.captions import Worded, caption_text, normalise
from linocut.custom_models.service import id_of, resolve_uri
from linocut.db.tables import images, jobs, organizations
from linocut.dress import Dress
from linocut.errors import NotFound
from linocut.generation.admission import Request, admitted
from linocut.generation.charging import charge_of
from linocut.generation.checking import check, check_text
from linocut.generation.detection import as_organized
from linocut.generation.editing import (
    edit_notes,
    edited_size,
    into_the_mask,
    over_picture,
    published_size,
    weight_of_text,
)
from linocut.generation.grounds import ground_caption, on_key
from linocut.generation.looks import dress_of
from linocut.generation.notes import notes_of, notes_on_json
from linocut.generation.options import Options, settled
from linocut.generation.sampling import sampling_of
from linocut.generation.sizes import SQUARE, size_of, spoken_ratio
from linocut.generation.types import GenerateAsk, Look, Means, Placed, Rules, Size, Written
from linocut.orders import GenerateOrder
from linocut.safety.service import judge_prompt
from linocut.sizes import native_size, parse_size

__all__ = ["GenerateAsk", "Placed", "check", "image_for", "image_of", "magic_prompt", "place"]

AUTO_REWRITES_BELOW_WORDS = 20
"""AUTO answers with the rewritten prompt below this many words, and with the client's own from there on: somebody who
wrote that much has said what they want. (The model reads a structured caption in every case.)"""
_OWNER = func.coalesce(images.c.organization_id, jobs.c.organization_id)  # previews have their job's
_OWN = (
    select(images.c.image_sha256)
    .outerjoin(jobs, jobs.c.job_id == images.c.job_id)
    .where(images.c.image_id == bindparam("image_id"), bindparam("organization_id") == _OWNER)
)
_CONTENT = (
    select(images.c.image_sha256)
    .outerjoin(organizations, organizations.c.organization_id == images.c.organization_id)
    .where(images.c.image_id == bindparam("image_id"), organizations.c.deleted_at.is_(None))
)


def place(tx: Connection, caller: Caller, ask: GenerateAsk, means: Means) -> Placed:
    """Check and complete a request, and queue it.

    Image i has the seed (seed + i) mod 2**31; a request without a seed gets a random one. Errors: ``InvalidRequest``
    names the field; ``Unsafe``; ``NotFound`` for a custom model that the caller may not use; those of ``admitted``.
    """
    check(ask, means)
    ask, options = settled(ask, means)
    base = means.base
    if ask.over is None:
        width, height = size_of(ask.rules, ask.resolution, ask.aspect_ratio, ask.prompt)
    else:
        width, height = edited_size(ask, ask.over)
    text = caption_text(normalise(ask.json_prompt)) if ask.prompt is None else ask.prompt
    judge_prompt(text, means.settings.safety_rules)
    dress = dress_of(ask.look, own_model=ask.custom_model_uri is not None, looks_at_them=base.takes_references)
    said = _worded(ask, text, (width, height), means)
    said = means.dressed(said, text, dress, avoid=options.negative, own_model=ask.custom_model_uri is not None)
    away = means.negative(options.negative) if options.negative else None
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
        provenance=_provenance(ask, text, options, dress) if means.settings.png_text else {},
        negative=away.caption if away else "",
        references=options.references,
        reference_mask=options.reference_mask,
        styles=options.styles,
    )
    notes = ask.notes + notes_on_json(ask) + options.notes + (ask.written.notes if ask.written else ())
    notes += notes_of(tx, ask.custom_model_uri, said, native, (width, height))
    notes += away.notes if away else ()
    if ask.cut_free and ask.over is None:
        order, ground_notes = on_key(order, text, ask.cut_free, means)
        notes += ground_notes
    if ask.over is not None:
        weight = ask.over.image_weight or weight_of_text(text)
        order = over_picture(order, ask.over, weight, means.settings.matter, cut_free=ask.cut_free > 0)
        notes += edit_notes(ask.over, order.placement, (width, height), weight)
    job_id = admitted(tx, order, _request(tx, caller, ask), means.settings)
    resolution = published_size(ask.rules, (width, height))
    scale = ask.cut_free or 1
    told, by = prompt_out(ask, said), written_by(ask, said)
    notes = as_organized(tx, caller, notes)
    return Placed(job_id, told, width * scale, height * scale, seeds, native, resolution, notes, by)


def _request(tx: Connection, caller: Caller, ask: GenerateAsk) -> Request:
    model_id = None if ask.custom_model_uri is None else id_of(tx, ask.custom_model_uri)
    return Request(caller, charge_of(ask), model_id, ask.inputs, earlier=ask.earlier)


def magic_prompt(
    text: str, aspect_ratio: str, rules: Rules, means: Means, written: Written | None = None
) -> tuple[Worded, str]:
    """(caption, ratio) for a text: the caption that a generate of that text in that ratio draws from.

    AUTO: the ratio that the text speaks of, or what the writer chose, or a square. ``InvalidRequest``; ``Unsafe``.
    """
    check_magic(text, rules, means)
    ratio = aspect_ratio
    if ratio == "AUTO":
        ratio = spoken_ratio(text, rules.ratios) or (written.ratio if written else "") or SQUARE
    if written is not None and written.caption is not None:
        text = caption_text(normalise(written.caption))
    return means.worded(text, *parse_size(ratio), make_up=True), ratio


def check_magic(text: str, rules: Rules, means: Means) -> None:
    """``InvalidRequest`` for a text that is none; ``Unsafe``."""
    check_text(text, rules.prompt_field)
    judge_prompt(text, means.settings.safety_rules)


def image_of(tx: Connection, image_id: str) -> str:
    """The sha256 of a drawn image's PNG. ``NotFound``."""
    sha256 = tx.execute(_CONTENT, {"image_id": image_id}).scalar()
    if sha256 is None:
        raise NotFound("This image is no longer kept.")
    return str(sha256)


def image_for(tx: Connection, caller: Caller, image_id: str) -> str:
    """The same of an image that the caller's organisation has asked for. ``NotFound``."""
    which = {"image_id": image_id, "organization_id": caller.organization_id}
    sha256 = tx.execute(_OWN, which).scalar()
    if sha256 is None:
        raise NotFound("This image is not your organisation's, or it is no longer kept.")
    return str(sha256)


def prompt_out(ask: GenerateAsk, said: Worded) -> str:
    """The ``prompt`` of the answer: the client's own text, or the caption as JSON where it was rewritten.

    A text of which the base reads less than was sent counts as rewritten: the answer says what was used.
    """
    return said.prompt if ask.prompt is None or _is_rewritten(ask, said) else ask.prompt


def written_by(ask: GenerateAsk, said: Worded) -> str:
    """Who wrote the caption that was drawn, where the answer shows it; "" where it is the client's own."""
    if not ask.prompt or ask.references or not _is_rewritten(ask, said) or ask.prompt.lstrip().startswith("{"):
        return ""
    return "grammar" if ask.written is None else ask.written.by


def _is_rewritten(ask: GenerateAsk, said: Worded) -> bool:
    if ask.rules.always_rewrites or ask.magic_prompt == "ON" or said.is_cut:
        return True
    return ask.magic_prompt == "AUTO" and len((ask.prompt or "").split()) < AUTO_REWRITES_BELOW_WORDS


def _worded(ask: GenerateAsk, text: str, size: Size, means: Means) -> Worded:
    """The text in the base's words. A made-up colour or place would overrule the style that a custom model was trained
    for, and what a picture shows already; ON asks for it. What is inpainted goes where the mask repaints."""
    if ask.references and not ask.cut_free:
        return Worded(text, text)
    if ask.over is not None and ask.over.operation == "reframe":
        return Worded("", "") if ask.look == Look() else means.worded("", *size, make_up=False)
    if ask.over is not None and ask.over.operation == "replace-background":
        return means.worded(ground_caption(text), *size, make_up=True)
    own_model = ask.custom_model_uri is not None
    make_up = not (own_model or ask.over) or ask.magic_prompt == "ON"
    if ask.written is not None and ask.written.caption is not None:
        text = caption_text(normalise(ask.written.caption))
    if ask.over is None or ask.over.mask is None:
        return means.worded(text, *size, make_up=make_up, own_model=own_model)
    return into_the_mask(means.worded(text, *size, make_up=False, own_model=own_model), ask.over.mask)


def _provenance(ask: GenerateAsk, text: str, options: Options, dress: Dress) -> dict[str, str]:
    """What the picture's file says of its making beside what the order says itself."""
    model = {} if ask.custom_model_uri is None else {"model": ask.custom_model_uri}
    over = {} if ask.over is None else {"operation": ask.over.operation, "picture": ask.over.picture.sha256}
    negative = {"negative_prompt": options.negative} if options.negative else {}
    style = {"style": "; ".join(dress.names)} if dress.names else {}
    return {"prompt": text, **model, **over, **negative, **style, "version": __version__}
