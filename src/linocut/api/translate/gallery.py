"""What was drawn, into the answers of ``/images``; and what is asked of them."""

import base64
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from linocut import ids
from linocut.api.call import Call
from linocut.api.translate.images import safety_of
from linocut.errors import InvalidRequest
from linocut.generation.drawings import Image, Wanted
from linocut.sizes import size_text
from linocut.wire import DrawnFrom, DrawnImage, ImageExtras
from linocut.wire.gallery import ImageOperation, ListImagesQuery
from linocut.wire.types import UNSET, Nothing

MOST_WORDS = 16
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(9000, 1, 1)


def wanted(query: ListImagesQuery) -> Wanted:
    """What a query asks for. ``InvalidRequest`` for a day that is none, and for a cursor that no page gave."""
    words = tuple(_or(query.search, "").split())
    if len(words) > MOST_WORDS:
        raise InvalidRequest(f"search may have at most {MOST_WORDS} words.", field="search")
    since, last = _day("from_day", query.from_day), _day("to_day", query.to_day)
    return Wanted(
        words=words,
        operation=_or(query.operation, None),
        custom_model_uri=_or(query.custom_model_uri, None),
        base=_or(query.base, None),
        user_id=_or(query.user_id, None),
        since=since,
        until=None if last is None else last + timedelta(days=1),
        after=None if isinstance(query.cursor, Nothing) else _place(query.cursor),
    )


def cursor(image: Image) -> str:
    """Where the page ends whose last image this is. Its text is for nobody to read."""
    text = json.dumps([image.created_at.isoformat(), image.image_id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def drawn_image(call: Call, image: Image) -> DrawnImage:
    """An image, with a fresh link."""
    size = None if image.width is None or image.height is None else size_text(image.width, image.height)
    return DrawnImage(
        image_id=image.image_id,
        url=call.image_link(image.image_id),
        created=ids.wire_time(image.created_at),
        user_id=image.user_id,
        prompt=image.prompt,
        operation=cast(ImageOperation | None, image.operation),
        path=image.path,
        parameters=_again(image.fields, image.seed),
        inputs=[
            DrawnFrom(
                field=one.field,
                position=one.position,
                url=f"{call.origin}/images/{image.image_id}/inputs/{one.field}/{one.position}",
                width=one.width,
                height=one.height,
            )
            for one in image.inputs
        ],
        resolution=size,
        seed=image.seed,
        custom_model_uri=image.custom_model_uri,
        x_linocut=_extras(image),
    )


def _extras(image: Image) -> ImageExtras | Nothing:
    told = image.details
    if not told or image.base is None:
        return UNSET
    return ImageExtras(
        native_resolution=size_text(told["native_width"], told["native_height"]),
        base=image.base,
        tools=told.get("tools", UNSET),
        safety=safety_of(told),
        notes=[*image.notes, *told.get("notes", ())] or UNSET,
    )


def _again(fields: dict[str, Any], seed: int | None) -> dict[str, Any]:
    """What draws one image again: its own seed, and no others beside it."""
    again: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, dict) and name == "image_request":
            again[name] = _again(value, seed)
        elif name == "seed" and seed is not None:
            again[name] = seed
        elif name not in ("seed", "num_images"):
            again[name] = value
    return again


def _day(field: str, text: str | Nothing) -> datetime | None:
    if isinstance(text, Nothing):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not _FIRST_DAY <= day <= _LAST_DAY:
        raise InvalidRequest(f"{field} must be a day, written as 2026-11-28.", field=field)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _place(text: str) -> tuple[datetime, str]:
    try:
        moment, image_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None or not isinstance(image_id, str) or not image_id.isascii():
            raise ValueError(text)
        return at.astimezone(UTC), image_id
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise InvalidRequest("cursor must be the next_cursor of the page before.", field="cursor") from None


def _or(value: Any, absent: Any) -> Any:
    return absent if isinstance(value, Nothing) else value
