"""A file of a request into a picture that a job can use: checked, decoded, upright sRGB, kept as a blob.

Slow: call it in a thread. What is wrong with a file is an ``InvalidRequest`` whose sentence begins with its field.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from linocut.errors import InvalidRequest, NotReady, TooLarge, Unsafe
from linocut.pictures.decoder import Decoder
from linocut.pictures.refusal import Refused
from linocut.pictures.types import Pixels, Seen
from linocut.settings import MIB
from linocut.storage.store import Store
from linocut.verdicts import UNSAFE_PICTURE


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture of a request, durable as a PNG blob: upright, sRGB, 8 bits a channel; RGBA where ``has_alpha``.

    ``box``: what a mask repaints, and ``seen``: its style, both as in ``Pixels``. ``notes``: what was not taken of the
    file, a sentence each. Nothing keeps the blob but a row that names it (``jobs.queue.enqueue`` with ``inputs``);
    without one it is collected a day later.
    """

    sha256: str
    bytes: int
    width: int
    height: int
    has_alpha: bool
    notes: tuple[str, ...] = ()
    box: tuple[int, int, int, int] | None = None
    seen: Seen | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes pictures of requests in. ``max_file_bytes``: most that one file may have."""

    store: Store
    decoder: Decoder
    max_file_bytes: int = 25 * MIB

    def picture(
        self, field: str, content: bytes | Path, *, keep_alpha: bool = False, look: bool = False
    ) -> StoredPicture:
        """The picture in the file of this field. Transparency is laid over white, unless it is to be kept. ``look``:
        its style is measured.

        ``InvalidRequest``; ``TooLarge``; ``Unsafe``; ``NotReady`` where a verdict is required and none can be had;
        ``Internal`` when no decoder can be started; ``Unavailable`` as ``Store.put``.
        """
        return self._stored(field, self._picture(field, content, keep_alpha=keep_alpha, look=look))

    def mask(self, field: str, content: bytes | Path, of: StoredPicture, *, marks: bool = False) -> StoredPicture:
        """The mask of a picture, of the same size: 0 is repainted and 255 kept, in one channel. Greys are told apart
        in the middle. ``marks``: nothing is repainted; white marks what of the picture is looked at. Errors as
        ``picture``."""
        pixels = self._mask(field, content, marks=marks)
        return self._stored(field, _of_one_size(field, pixels, of))

    def masked(self, field: str, content: bytes | Path, mask: bytes | Path) -> tuple[StoredPicture, StoredPicture]:
        """``picture``, and the ``mask`` of it in the field of that name, both decoded at once, then stored at once.
        What is wrong with the picture is told first; nothing is stored where one is refused."""
        with ThreadPoolExecutor(1) as beside:
            masking = beside.submit(self._mask, "mask", mask)
            picture = self._picture(field, content, keep_alpha=False, look=False)
            covered = _of_one_size("mask", masking.result(), picture)
            storing = beside.submit(self._stored, "mask", covered)
            return self._stored(field, picture), storing.result()

    def _picture(self, field: str, content: bytes | Path, *, keep_alpha: bool, look: bool) -> Pixels:
        data = self._data(field, content)
        return _told(field, lambda: self.decoder.decode_input(data, keep_alpha=keep_alpha, look=look))

    def _mask(self, field: str, content: bytes | Path, *, marks: bool = False) -> Pixels:
        data = self._data(field, content)
        return _told(field, lambda: self.decoder.decode_mask(data, marks=marks))

    def _data(self, field: str, content: bytes | Path) -> bytes:
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        if size == 0:
            raise InvalidRequest(f"{field}: The file is empty; send it again.", field=field)
        if size > self.max_file_bytes:
            most = self.max_file_bytes // MIB
            raise TooLarge(
                f"{field}: The file has {size:,} bytes; at most {most} MiB are taken. Scale the picture down."
            )
        return content if isinstance(content, bytes) else content.read_bytes()

    def _stored(self, field: str, pixels: Pixels) -> StoredPicture:
        notes: tuple[str, ...] = ()
        if pixels.is_animated:
            notes += (f"{field}: The picture is animated; the first picture of it is used.",)
        if pixels.laid_over_white:
            notes += (f"{field}: The picture is transparent in parts; it was laid over white.",)
        sha256 = self.store.put(pixels.png)
        return StoredPicture(
            sha256, len(pixels.png), pixels.width, pixels.height, pixels.has_alpha, notes, pixels.box, pixels.seen
        )


def _of_one_size(field: str, mask: Pixels, of: Pixels | StoredPicture) -> Pixels:
    if (mask.width, mask.height) != (of.width, of.height):
        raise InvalidRequest(
            f"{field}: The mask is {mask.width}x{mask.height} pixels and its picture {of.width}x{of.height}; both "
            "must have the same size.",
            field=field,
        )
    return mask


def _told(field: str, decode: Callable[[], Pixels]) -> Pixels:
    try:
        return decode()
    except Refused as refused:
        if refused.reason == "FAILED_SAFETY_CHECK":
            raise Unsafe(refused.message, component=refused.component, reason=UNSAFE_PICTURE) from refused
        if refused.reason == "INTERNAL_ERROR":
            raise NotReady(f"{field}: {refused.message}") from refused
        raise InvalidRequest(f"{field}: {refused.message}", field=field) from refused
