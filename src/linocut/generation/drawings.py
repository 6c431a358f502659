"""What was drawn: remembered with what asked for it, listed, and deleted.

Who sees an image: whoever asked for it, in the organisation in which they asked; the admins and owners of that
organisation see all that was drawn in it. Whoever sees an image may delete it. Previews of trainings are no images of
this list.

A request is remembered with its job (``remember``), an image with the job's end (``row_of``), so nothing is listed
that is not there. The list goes by (created_at, image_id), newest first: what is drawn meanwhile comes before the first
page, so no page repeats or skips anything.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, or_, select

from linocut.accounts.members import RANK, role_of
from linocut.accounts.types import Caller
from linocut.db.tables import drawing_inputs, drawings, images
from linocut.errors import NotFound
from linocut.ids import now
from linocut.jobs.types import JobInput

NOT_YOURS = "There is no image of that image_id, or it is no longer kept, or it is not yours."
NO_SUCH = "This image was drawn without such a picture."


@dataclass(frozen=True)
class Request:
    """What a request said: its address, its fields by the wire's names without its files, the client's own prompt
    ("" for none), and its pictures by their fields."""

    path: str
    prompt: str
    custom_model_uri: str | None
    fields: dict[str, Any]
    inputs: tuple[JobInput, ...] = ()

    @property
    def operation(self) -> str:
        """What it is called: the last part of its address."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Wanted:
    """Which images: those that meet all that is not None. ``words``: each occurs in the prompt, whatever its case.
    ``since`` <= drawn < ``until``; ``after``: (created_at, image_id) of the last one that was had."""

    words: tuple[str, ...] = ()
    operation: str | None = None
    custom_model_uri: str | None = None
    base: str | None = None
    user_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, str] | None = None


@dataclass(frozen=True)
class Input:
    """A picture that an image was made from."""

    field: str
    position: int
    picture_sha256: str
    width: int
    height: int


@dataclass(frozen=True)
class Image:
    """A drawn image. What is None or empty was drawn before it was remembered. ``details``: ``workers/answers.py``."""

    image_id: str
    job_id: str
    user_id: str | None
    created_at: datetime
    operation: str | None
    custom_model_uri: str | None
    base: str | None
    seed: int | None
    width: int | None
    height: int | None
    details: dict[str, Any]
    path: str | None
    prompt: str
    fields: dict[str, Any]
    notes: tuple[str, ...]
    inputs: tuple[Input, ...] = field(default=())


def remember(tx: Connection, job_id: str, request: Request, notes: Sequence[str]) -> None:
    """A request that draws has placed its job in this transaction."""
    values = {
        "job_id": job_id,
        "path": request.path,
        "operation": request.operation,
        "prompt": request.prompt,
        "custom_model_uri": request.custom_model_uri,
        "fields": request.fields,
        "notes": list(notes),
        "created_at": now(),
    }
    tx.execute(drawings.insert().values(**values))
    if request.inputs:
        rows = [
            {
                "job_id": job_id,
                "field": one.role,
                "position": one.position,
                "picture_sha256": one.sha256,
                "width": one.width,
                "height": one.height,
            }
            for one in request.inputs
        ]
        tx.execute(drawing_inputs.insert(), rows)


def found_by(tx: Connection, job_id: str) -> dict[str, Any]:
    """The columns by which the images of a job are found."""
    asked = tx.execute(
        select(drawings.c.operation, drawings.c.custom_model_uri, drawings.c.prompt).where(drawings.c.job_id == job_id)
    ).first()
    if asked is None:
        return {"operation": None, "custom_model_uri": None, "search": ""}
    return {
        "operation": asked.operation, "custom_model_uri": asked.custom_model_uri, "search": folded(asked.prompt)
    }  # fmt: skip


def listed(tx: Connection, caller: Caller, wanted: Wanted, most: int) -> list[Image]:
    """At most so many images that the caller sees, newest first."""
    query = _joined().where(*_conditions(tx, caller, wanted))
    query = query.order_by(images.c.created_at.desc(), images.c.image_id.desc()).limit(most)
    rows = tx.execute(query).all()
    inputs = _inputs(tx, {row.job_id for row in rows})
    return [_image(row, inputs.get(row.job_id, ())) for row in rows]


def counted(tx: Connection, caller: Caller, wanted: Wanted) -> int:
    """How many there are in all, wherever the last one that was had is."""
    query = select(func.count()).select_from(images).where(*_conditions(tx, caller, wanted, from_the_top=True))
    return int(tx.execute(query).scalar_one())


def one(tx: Connection, caller: Caller, image_id: str) -> Image:
    """One image that the caller sees. ``NotFound``."""
    row = tx.execute(_joined().where(images.c.image_id == image_id, *_seen_by(tx, caller))).first()
    if row is None:
        raise NotFound(NOT_YOURS)
    return _image(row, _inputs(tx, {row.job_id}).get(row.job_id, ()))


def input_of(tx: Connection, caller: Caller, image_id: str, name: str, position: int) -> Input:
    """A picture that an image was made from. ``NotFound``."""
    for given in one(tx, caller, image_id).inputs:
        if (given.field, given.position) == (name, position):
            return given
    raise NotFound(NO_SUCH)


def remove(tx: Connection, caller: Caller, image_id: str) -> None:
    """Delete an image that the caller sees: it is listed no more, and no link leads to it. Its file goes with the next
    collection of garbage, unless something else refers to it. ``NotFound``: also of one that is deleted already."""
    job_id = one(tx, caller, image_id).job_id
    tx.execute(delete(images).where(images.c.image_id == image_id))
    if tx.execute(select(images.c.image_id).where(images.c.job_id == job_id).limit(1)).first() is None:
        forget(tx, [job_id])


def forget(tx: Connection, job_ids: Sequence[str]) -> None:
    """Forget what these jobs were asked: none of their images is left."""
    tx.execute(delete(drawing_inputs).where(drawing_inputs.c.job_id.in_(job_ids)))
    tx.execute(delete(drawings).where(drawings.c.job_id.in_(job_ids)))


def folded(text: str) -> str:
    """The text as searches compare it: whatever its case, in any alphabet."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _joined() -> Select[Any]:
    asked = (drawings.c.path, drawings.c.prompt, drawings.c.fields, drawings.c.notes)
    own = [column for column in images.columns if column.name not in ("organization_id", "search", "image_sha256")]
    return select(*own, *asked).select_from(images.outerjoin(drawings, drawings.c.job_id == images.c.job_id))


def _seen_by(tx: Connection, caller: Caller) -> list[ColumnElement[bool]]:
    seen: list[ColumnElement[bool]] = [images.c.organization_id == caller.organization_id]
    if RANK[role_of(tx, caller.organization_id, caller.user_id) or "MEMBER"] < RANK["ADMIN"]:
        seen.append(images.c.user_id == caller.user_id)
    return seen


def _conditions(
    tx: Connection, caller: Caller, wanted: Wanted, *, from_the_top: bool = False
) -> list[ColumnElement[bool]]:
    met = _seen_by(tx, caller)
    for column in (images.c.operation, images.c.custom_model_uri, images.c.base, images.c.user_id):
        value = getattr(wanted, column.name)
        if value is not None:
            met.append(column == value)
    met += [images.c.search.contains(folded(word), autoescape=True) for word in wanted.words]
    if wanted.since is not None:
        met.append(images.c.created_at >= wanted.since)
    if wanted.until is not None:
        met.append(images.c.created_at < wanted.until)
    if wanted.after is not None and not from_the_top:
        moment, image_id = wanted.after
        same = and_(images.c.created_at == moment, images.c.image_id < image_id)
        met += [images.c.created_at <= moment, or_(images.c.created_at < moment, same)]  # the first: for the index
    return met


def _inputs(tx: Connection, job_ids: set[str]) -> dict[str, tuple[Input, ...]]:
    order = (drawing_inputs.c.field, drawing_inputs.c.position)
    query = select(drawing_inputs).where(drawing_inputs.c.job_id.in_(sorted(job_ids))).order_by(*order)
    found: dict[str, tuple[Input, ...]] = {}
    for row in tx.execute(query):
        given = Input(row.field, row.position, row.picture_sha256, row.width, row.height)
        found[row.job_id] = (*found.get(row.job_id, ()), given)
    return found


def _image(row: Row[Any], inputs: tuple[Input, ...]) -> Image:
    values = dict(row._mapping)
    values["details"] = values["details"] or {}
    values["prompt"], values["fields"] = values["prompt"] or "", values["fields"] or {}
    values["notes"] = tuple(values["notes"] or ())
    return Image(**values, inputs=inputs)
