"""The pictures of a request, taken in: what a route calls before its job is placed (``Draws.take``).

In a thread, because a file is decoded; durable as blobs afterwards, so that the request's own files may go. Where a
file may stand, a link may stand that this server issued for an image (``links.py``), as long as it is valid, begins
with the server's own address, and the image is the organisation's own. It is never fetched: the image is read from the
store.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from linocut import ids
from linocut.api.call import Call
from linocut.api.links import is_own
from linocut.api.multipart import Part
from linocut.errors import InvalidRequest, NotFound
from linocut.generation.service import image_for
from linocut.jobs.types import JobInput
from linocut.pictures.intake import Intake, StoredPicture
from linocut.settings import MIB
from linocut.storage.links import verify

INTAKES_AT_ONCE = 4
"""Threads that wait for decoding processes and the store; apart from those of datasets, which may be slow."""
LONGEST_LINK = 2048
_threads = ThreadPoolExecutor(INTAKES_AT_ONCE, thread_name_prefix="intake")
Taken = TypeVar("Taken")
_IMAGE = re.compile(r"/api/images/ephemeral/([A-Za-z0-9_-]{1,64})\.png$")


async def take_picture(
    call: Call, field: str, file: Part, *, keep_alpha: bool = False, look: bool = False
) -> StoredPicture:
    """The picture of a field; ``look``: with the measures of its style. Errors as ``pictures.intake.Intake.picture``;
    ``InvalidRequest`` for a link that leads to no image of the caller's organisation."""
    content = await _content(call, field, file)
    return await _in_thread(partial(_intake(call).picture, field, content, keep_alpha=keep_alpha, look=look))


async def take_pictures(
    call: Call, field: str, files: Sequence[Part], *, most: int, look: bool = False
) -> list[StoredPicture]:
    """The pictures of a field, in their order. ``InvalidRequest`` for more than ``most``, before one is decoded."""
    if len(files) > most:
        raise InvalidRequest(f"{field}: at most {most} files are taken, and {len(files)} were sent.", field=field)
    return [await take_picture(call, field, file, look=look) for file in files]


async def take_link(call: Call, field: str, link: str) -> StoredPicture:
    """The picture behind a link that this server issued. ``InvalidRequest`` for any other."""
    if len(link) > LONGEST_LINK:
        raise _no_image(field, f"A link of {len(link)} characters is none of this server's")
    content = await call.blob(await _image_behind(call, field, link.strip()))
    return await _in_thread(partial(_intake(call).picture, field, content))


async def take_mask(call: Call, field: str, file: Part, of: StoredPicture, *, marks: bool = False) -> StoredPicture:
    """The mask of a picture; ``marks``: white marks what is looked at. Errors as ``take_picture``."""
    content = await _content(call, field, file)
    return await _in_thread(partial(_intake(call).mask, field, content, of, marks=marks))


async def take_masked(call: Call, field: str, file: Part, mask: Part) -> tuple[StoredPicture, StoredPicture]:
    """The picture of a field and its mask, in the field "mask". Errors as ``take_picture``."""
    content, covered = await _content(call, field, file), await _content(call, "mask", mask)
    return await _in_thread(partial(_intake(call).masked, field, content, covered))


def inputs_of(**pictures: StoredPicture | Sequence[StoredPicture]) -> tuple[JobInput, ...]:
    """Pictures by their fields, as what a job works on."""
    return tuple(
        JobInput(role, one.sha256, one.bytes, one.width, one.height, position)
        for role, some in pictures.items()
        for position, one in enumerate([some] if isinstance(some, StoredPicture) else some)
    )


async def _content(call: Call, field: str, file: Part) -> bytes | Path:
    """The bytes of a file part, or those of the image that the link in it leads to."""
    if file.size <= LONGEST_LINK:
        short = bytes(file.data) if file.path is None else await asyncio.to_thread(file.path.read_bytes)
        if short.lstrip().startswith((b"http://", b"https://")):
            return await call.blob(await _image_behind(call, field, short.decode(errors="replace").strip()))
    if file.path is not None:
        return file.path
    if file.size > len(file.data):
        raise InvalidRequest(
            f"{field}: Send the picture in a body of multipart/form-data, and say so in Content-Type.", field=field
        )
    return bytes(file.data)


async def _image_behind(call: Call, field: str, link: str) -> str:
    """The hash of the image behind a link. Address and signature are checked before anything is looked up."""
    try:
        parts = urlsplit(link)
    except ValueError:
        parts = urlsplit("")
    named, query = _IMAGE.search(parts.path), parse_qs(parts.query)
    if named is None or not (query.get("exp") and query.get("sig")):
        raise _no_image(field, "Only links to images that this server drew are followed")
    if not is_own(link, call.request, call.runtime.settings):
        raise _no_image(field, f"Only links that begin with this server's own address are followed ({call.origin})")
    if not verify(named[1], query["exp"][-1], query["sig"][-1], call.runtime.link_secret, ids.now()):
        raise _no_image(field, "The link has expired or was changed")
    try:
        return await call.db.run_read(lambda tx: image_for(tx, call.caller, named[1]))
    except NotFound:
        raise _no_image(field, "The image behind the link is not your organisation's, or is no longer kept") from None


def _no_image(field: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {why}; send the picture as a file.", field=field)


def _intake(call: Call) -> Intake:
    return Intake(call.runtime.store, call.shared.decoder(), call.runtime.settings.max_file_mib * MIB)


async def _in_thread(take: Callable[[], Taken]) -> Taken:
    return await asyncio.get_running_loop().run_in_executor(_threads, take)
