"""An upload, file by file: what each part is, what becomes of it, and why not.

Each picture is its own short transaction, after its blob is durable; the captions follow in one more. So whatever is
interrupted, what was taken is whole, and sending the same upload again changes nothing. While one picture is written,
the next is decoded; what becomes of the files is told, and written, in their order.
"""

import io
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from linocut.datasets import caption_files, repository, zips
from linocut.datasets.adding import Desk, Prepared, add, prepare
from linocut.datasets.names import clean_name, folder_of, suffix_of
from linocut.datasets.pairing import Pairing
from linocut.datasets.sentences import named
from linocut.datasets.types import (
    AcceptedAsset,
    IncomingFile,
    Limits,
    RefusedAsset,
    UnreadableCaption,
    UploadReport,
)
from linocut.db.database import Database
from linocut.ids import now
from linocut.pictures.decoder import Decoder
from linocut.pictures.refusal import Reason, Refused
from linocut.pictures.sniff import HEAD_BYTES, kind_of, not_a_picture
from linocut.settings import MIB
from linocut.storage.store import Store

AT_ONCE = 2
"""Pictures of a request that are decoded at once, as far as there are decoding processes."""
MOST_WAITING = 2 * AT_ONCE
"""Files of a request that are in memory until their turn comes: pictures, and the captions between them."""
LARGE_BYTES = 8 * MIB
"""One file above this size is in memory at a time, whatever the number of uploads (``benchmarks/upload_memory.md``)."""

_large_file = threading.Lock()

_EMPTY: dict[str, tuple[Reason, str]] = {
    ".txt": ("INVALID_CAPTION", "The caption is empty; write what the picture shows, or leave the caption file out."),
    ".caption": ("INVALID_CAPTION", "The caption is empty; write what the picture shows, or leave the file out."),
    ".json": ("INVALID_CAPTION_JSON", "The caption file is empty; write a structured caption, or leave it out."),
    ".zip": ("INVALID_ZIP", "The ZIP is empty; send it again."),
    "": ("INVALID_IMAGE", "The file is empty; send it again."),
}


def ingest(
    db: Database,
    store: Store,
    decoder: Decoder,
    user_id: str,
    dataset_id: str,
    files: Sequence[IncomingFile],
    limits: Limits,
) -> UploadReport:
    """Take what can be taken of ``files``, and say of every other one why not. Slow: decodes every new picture.

    ``NotFound`` when there is no such dataset of this user, also when it is deleted meanwhile.
    """
    with db.read() as tx:
        repository.dataset_of(tx, user_id, dataset_id)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="decoding") as beside:
        upload = _Upload(Desk(db, store, decoder, user_id, dataset_id, limits), beside)
        for number, file in enumerate(files):
            upload.take_part(number, file)
        upload.settle()
    upload.place_captions()
    return upload.report()


class _Upload:
    """One request."""

    def __init__(self, desk: Desk, beside: ThreadPoolExecutor) -> None:
        self._desk = desk
        self._limits = desk.limits
        self._beside = beside
        self._turns: deque[Callable[[], None]] = deque()
        self._under_way: deque[Future[Prepared]] = deque()
        self._pairing = Pairing()
        self._images = 0
        self._successful: list[AcceptedAsset] = []
        self._failed: list[RefusedAsset] = []
        self._waiting: list[str] = []
        self._unreadable: list[UnreadableCaption] = []
        self._remarks: dict[str, list[str]] = {}  # a sentence to the files that it is about

    def take_part(self, number: int, file: IncomingFile) -> None:
        """The request's part of this number: a picture, a caption, a ZIP of them, or something that is refused."""
        name, place = clean_name(file.name), folder_of(file.name)
        try:
            with _opened(file.content) as (stream, size):
                if kind_of(stream.read(HEAD_BYTES)) == "zip":
                    self._take_zip(number, name, stream, size)
                    return
                self._check_size("file", size, self._limits.max_file_bytes, "scale the picture down")
                stream.seek(0)
                self._take_file(place, name, stream.read, size)
        except Refused as refused:
            self._turns.append(partial(self._refuse, place, name, refused))

    def settle(self, *, all_of_them: bool = True) -> None:
        """Tell what became of the files so far, in their order; else so far that another picture may be begun."""
        while self._turns and (all_of_them or len(self._under_way) >= AT_ONCE or len(self._turns) > MOST_WAITING):
            self._turns.popleft()()

    def place_captions(self) -> None:
        """Every caption of the request to its picture, or among those that wait, or among those nobody can read."""
        if not self._pairing and not self._unreadable and not self._may_wait():
            return
        desk, most = self._desk, self._limits.max_waiting_captions
        with desk.db.transaction() as tx:
            repository.hold(tx, desk.user_id, desk.dataset_id, now())
            placed = self._pairing.place(tx, desk.dataset_id, most)
            for unreadable in self._unreadable:
                repository.note_unreadable(tx, desk.dataset_id, unreadable, now(), most)
        for caption in placed:
            if caption.asset_id is not None:
                self._successful.append(AcceptedAsset(caption.asset_id, caption.file_name))
            elif caption.refused is not None:
                self._refuse("", caption.file_name, caption.refused)
            else:
                self._waiting.append(caption.file_name)

    def _may_wait(self) -> bool:
        """Whether a caption waits that one of this request's pictures may be meant by."""
        if not self._images:
            return False
        with self._desk.db.read() as tx:
            return bool(repository.waiting_of(tx, self._desk.dataset_id))

    def report(self) -> UploadReport:
        """What became of everything taken so far."""
        return UploadReport(
            total_count=self._images + len(self._failed),
            success_count=self._images,
            failure_count=len(self._failed),
            successful=tuple(self._successful),
            failed=tuple(self._failed),
            waiting=tuple(self._waiting),
            notes=tuple(self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        for sentence, names in self._remarks.items():
            yield f"{named(names)}: {sentence}"
        yield from self._pairing.notes
        if waiting := self._waiting:
            what = "caption waits" if len(waiting) == 1 else "captions wait"
            yield (
                f"{len(waiting):,} {what} for a picture of the same name: {named(waiting)}. Upload the picture, or "
                "upload the caption again under the name of one that is here; until then no picture has it."
            )

    def _take_file(self, place: str, name: str, read: Callable[[], bytes], size: int) -> None:
        """One file, from the request or out of a ZIP. Large ones wait for each other, and must not lie in memory
        meanwhile."""
        if size <= LARGE_BYTES:
            self._begin(place, name, read())
            self.settle(all_of_them=False)
            return
        with _large_file:
            self._begin(place, name, read())
            self.settle()

    def _begin(self, place: str, name: str, data: bytes) -> None:
        """Its content decides what it is, and its suffix where that says nothing. A picture is decoded from now on."""
        if kind_of(data[:HEAD_BYTES]) not in ("", "zip"):
            self._under_way.append(self._beside.submit(prepare, self._desk, data))
            self._turns.append(partial(self._place_picture, place, name))
        else:
            self._turns.append(partial(self._place_other, place, name, data))

    def _place_picture(self, place: str, name: str) -> None:
        """The picture that has been under way longest."""
        try:
            asset = add(self._desk, name, self._under_way.popleft().result())
        except Refused as refused:
            self._refuse(place, name, refused)
            return
        if asset.is_animated:
            self._remark("it is animated; the first picture of it was taken.", name)
        if asset.same_as and (asset.same_as != name or asset.asset_id in {one.asset_id for one in self._successful}):
            self._remark(f"the same picture as {asset.same_as}, which is here already; it was not stored twice.", name)
        if asset.is_recaptioned:
            self._remark("the caption that waited for it replaced the one that it had.", name)
        self._pairing.picture_taken(place, name, asset.asset_id)
        self._images += 1
        self._successful.append(asset)

    def _place_other(self, place: str, name: str, data: bytes) -> None:
        """A caption, or something that is refused."""
        kind, suffix = kind_of(data[:HEAD_BYTES]), suffix_of(name)
        try:
            if not data:
                raise Refused(*_EMPTY.get(suffix, _EMPTY[""]))
            if kind == "zip":
                raise Refused(
                    "INVALID_ZIP", "A ZIP inside a ZIP is not opened; put its files directly into the outer one."
                )
            if suffix in caption_files.SUFFIXES:
                caption = caption_files.read_caption(suffix, data, self._limits.max_caption_characters)
                if caption.note:
                    self._remark(caption.note, name)
                self._pairing.add(place, name, caption)
            elif suffix == ".zip":
                raise Refused("INVALID_ZIP", "This is not a ZIP, whatever its name says; zip the files again.")
            else:
                raise Refused("INVALID_IMAGE", not_a_picture(data[:HEAD_BYTES], suffix))
        except Refused as refused:
            self._refuse(place, name, refused)

    def _take_zip(self, number: int, name: str, stream: BinaryIO, size: int) -> None:
        """Each wanted entry as a file of its own. ``Refused`` for the archive, after whatever was taken of it."""
        self._check_size("ZIP", size, self._limits.max_zip_bytes, "split it")
        directory = zips.read_directory(stream, size, self._limits)
        wanted = [entry for entry in directory.entries if entry.is_wanted]
        if directory.guessed:
            self._remark(
                f"its names are not marked as UTF-8 and were read in the code page {directory.guessed}; where they "
                "look wrong, zip the files again with UTF-8 names. Pictures and captions pair in any case.",
                name,
            )
        if not wanted:
            raise Refused("INVALID_ZIP", "The ZIP holds no pictures and no captions.")
        contents = zips.Contents(stream, self._limits)
        for entry in wanted:
            entry_name, place = clean_name(entry.name), f"{number}:{entry.folder}"
            try:
                self._take_file(place, entry_name, partial(contents.read, entry), entry.bytes)
            except zips.Exhausted as exhausted:
                most = self._limits.max_zip_expanded_bytes // MIB
                raise Refused(
                    "INVALID_ZIP",
                    f"The ZIP unpacks to more than {most} MiB. What came before {entry_name} was taken; send the rest "
                    "in another ZIP.",
                ) from exhausted
            except Refused as refused:
                self._turns.append(partial(self._refuse, place, entry_name, refused))

    def _check_size(self, what: str, size: int, most: int, way_out: str) -> None:
        if size > most:
            sentence = f"The {what} has {size:,} bytes; at most {most:,} ({most // MIB} MiB) are taken: {way_out}."
            raise Refused("FILE_TOO_LARGE", sentence)

    def _remark(self, sentence: str, name: str) -> None:
        self._remarks.setdefault(sentence, []).append(name)

    def _refuse(self, place: str, name: str, refused: Refused) -> None:
        self._failed.append(RefusedAsset(name, refused.reason, refused.message))
        if suffix_of(name) in caption_files.SUFFIXES:
            self._unreadable.append(UnreadableCaption(name, refused.message))
        else:
            self._pairing.picture_refused(place, name)


@contextmanager
def _opened(content: bytes | Path) -> Iterator[tuple[BinaryIO, int]]:
    """A part's bytes as a stream, and how many they are."""
    stream: BinaryIO = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
    with stream:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        yield stream, size
