"""Which picture a caption describes.

Captions are placed when every picture of the request is in, so it does not matter which of the two was sent first.
A caption goes, in this order, to
1. the picture of its stem beside it (in the same folder of the same ZIP, or of the same folder in the request);
2. the newest picture of its stem elsewhere in the request that has no caption of its own there;
3. the newest picture of its stem in the dataset.
If a picture of the stem was refused at 1 or 2 and none was taken there, the caption waits for it to come again: an
older picture of the same name is another picture. A caption for which there is none at all is tried once more in the
same order, as that of a picture whose whole name is its stem (``cup.png.txt``), then of one whose stem differs in case
only; where several fit, it waits. Of two captions for one picture the later counts, be it text or JSON.

What is not told by the counts of an upload is told in ``notes``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from linocut.datasets import repository
from linocut.datasets.caption_files import Caption
from linocut.datasets.names import stem_of
from linocut.datasets.sentences import counted, named
from linocut.ids import now
from linocut.pictures.refusal import Refused

Fits = Callable[[str, str], bool]
"""Whether the caption file of the second name may belong to the picture of the first name."""


def _same_stem(picture: str, caption: str) -> bool:
    return stem_of(picture) == stem_of(caption)


def _whole_name(picture: str, caption: str) -> bool:
    return picture.casefold() == stem_of(caption).casefold()


def _same_but_for_case(picture: str, caption: str) -> bool:
    return stem_of(picture).casefold() == stem_of(caption).casefold()


LOOSELY: tuple[Fits, ...] = (_whole_name, _same_but_for_case)


@dataclass(frozen=True, slots=True)
class PlacedCaption:
    """What became of a caption: the picture it describes now; or None: it waits; or why it may not wait."""

    file_name: str
    asset_id: str | None = None
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class _Picture:
    place: str
    name: str
    asset_id: str | None  # None: refused


@dataclass(slots=True)
class _Sent:
    """A caption of the request, and where it goes once that is settled: an asset, or None to wait."""

    place: str
    name: str
    caption: Caption
    is_settled: bool = False
    asset_id: str | None = None
    loosely: bool = False
    choices: int = 1  # pictures of the same name that it may be meant for
    is_beside: bool = False  # they lie in its folder

    def settle(self, asset_id: str | None, *, loosely: bool = False) -> None:
        self.is_settled, self.asset_id, self.loosely = True, asset_id, loosely


class Pairing:
    """The pictures and captions of one request."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._pictures: list[_Picture] = []
        self._captions: list[_Sent] = []
        self._replaced: list[str] = []

    def picture_taken(self, place: str, name: str, asset_id: str) -> None:
        """A picture is in the dataset. ``place``: the folder of a plain file, or the ZIP and the folder in it."""
        self._pictures.append(_Picture(place, name, asset_id))

    def picture_refused(self, place: str, name: str) -> None:
        """A picture was refused; its caption must not land on another of the same name."""
        self._pictures.append(_Picture(place, name, None))

    def add(self, place: str, name: str, caption: Caption) -> None:
        """A caption to be placed later, in the order of these calls."""
        self._captions.append(_Sent(place, name, caption))

    def __bool__(self) -> bool:
        """Whether there is any caption to place."""
        return bool(self._captions)

    def place(self, tx: Connection, dataset_id: str, max_waiting: int) -> list[PlacedCaption]:
        """Write every caption to its picture or among those that wait (at most ``max_waiting`` a dataset). Then give
        the request's pictures that have no caption those that waited for them under nearly their name."""
        for fits in (_same_stem, *LOOSELY):
            self._beside(fits)
            self._elsewhere(fits)
            self._in_dataset(tx, dataset_id, fits)
        placed = self._write(tx, dataset_id, max_waiting)
        self._give_waiting(tx, dataset_id)
        return placed

    def _beside(self, fits: Fits) -> None:
        for sent in self._unsettled():
            self._settle(sent, fits, [one for one in self._pictures if one.place == sent.place])

    def _elsewhere(self, fits: Fits) -> None:
        for sent in self._unsettled():
            self._settle(sent, fits, [one for one in self._pictures if one.place != sent.place], needs_one=True)

    def _in_dataset(self, tx: Connection, dataset_id: str, fits: Fits) -> None:
        for sent in self._unsettled():
            if fits is _same_stem:
                asset_id = repository.newest_of_stem(tx, dataset_id, stem_of(sent.name))
            else:
                asset_id = self._only_one(tx, dataset_id, sent, fits)
            if asset_id is not None:
                sent.settle(asset_id, loosely=fits in LOOSELY)

    def _only_one(self, tx: Connection, dataset_id: str, sent: _Sent, fits: Fits) -> str | None:
        """The one picture of the dataset that fits and has no caption of its own in this request."""
        has_one = self._captioned(sent)
        names = repository.upload_names_of(tx, dataset_id)
        found = [asset_id for asset_id, name in names if fits(name, sent.name) and asset_id not in has_one]
        return found[0] if len(found) == 1 else None

    def _settle(self, sent: _Sent, fits: Fits, pictures: list[_Picture], *, needs_one: bool = False) -> None:
        """To the newest of ``pictures`` that fits; ``needs_one``: not to one that has a caption already."""
        fitting = [one for one in pictures if fits(one.name, sent.name)]
        if not fitting:
            return
        has_one = self._captioned(sent) if needs_one or fits in LOOSELY else set()
        free = list(dict.fromkeys(one.asset_id for one in fitting if one.asset_id and one.asset_id not in has_one))
        if fits is _same_stem:
            sent.settle(free[-1] if free else None)
            sent.choices, sent.is_beside = len(free), not needs_one
        elif len(free) == 1:
            sent.settle(free[0], loosely=True)

    def _captioned(self, but: _Sent | None = None) -> set[str | None]:
        """What has a caption in this request, not counting those that lie beside ``but`` under its stem."""
        there = None if but is None else (but.place, stem_of(but.name))
        return {one.asset_id for one in self._captions if one.is_settled and (one.place, stem_of(one.name)) != there}

    def _unsettled(self) -> list[_Sent]:
        return [sent for sent in self._captions if not sent.is_settled]

    def _write(self, tx: Connection, dataset_id: str, max_waiting: int) -> list[PlacedCaption]:
        waiting = {stem_of(name) for name in repository.waiting_of(tx, dataset_id)}
        written: dict[str, _Sent] = {}  # asset, or stem of those that wait, to the caption that was written there
        placed = []
        for sent in self._captions:
            stem, refused = stem_of(sent.name), None
            earlier = written.get(sent.asset_id or stem)
            if sent.asset_id is None and earlier is not None and earlier.place != sent.place:
                message = (
                    f"Another caption named {stem} waits for its picture; send this one together with its picture."
                )
                refused = Refused("INVALID_CAPTION", message)
            elif sent.asset_id is None and len(waiting | {stem}) > max_waiting:
                message = f"{max_waiting:,} captions wait for their pictures already; send those pictures first."
                refused = Refused("INVALID_CAPTION", message)
            else:
                self._write_one(tx, dataset_id, sent, is_first=earlier is None)
                if earlier is not None:
                    names = f"{earlier.name} and {sent.name}" if earlier.name != sent.name else f"Two files {sent.name}"
                    self.notes.append(f"{names} are captions of one picture; the later one was kept.")
                waiting |= set() if sent.asset_id else {stem}
                written[sent.asset_id or stem] = sent
            placed.append(PlacedCaption(sent.name, sent.asset_id, refused))
        self._note_the_whole()
        return placed

    def _note_the_whole(self) -> None:
        """What is said once of all captions of the request."""
        if self._replaced:
            self.notes.append(
                f"{counted(len(self._replaced), 'caption')} replaced another one: {named(self._replaced)}."
            )
        if loose := [sent.name for sent in self._captions if sent.loosely]:
            what = "caption was" if len(loose) == 1 else "captions were"
            self.notes.append(
                f"{len(loose):,} {what} given to a picture of nearly the same name, as there was none of the same: "
                f"{named(loose)}."
            )
        guesses = [sent for sent in self._captions if sent.choices > 1]
        if guessed := [sent.name for sent in guesses if sent.is_beside]:
            self.notes.append(
                f"Several pictures beside {named(guessed)} have its name; the newest of them got it. Name a caption by "
                "its picture's whole name, as in cup.png.txt."
            )
        if guessed := [sent.name for sent in guesses if not sent.is_beside]:
            self.notes.append(
                f"No picture lay beside {named(guessed)}, and several elsewhere have its name; the newest of them got "
                "it. Send a caption in the folder of its picture."
            )

    def _write_one(self, tx: Connection, dataset_id: str, sent: _Sent, *, is_first: bool) -> None:
        """``is_first``: what it replaces, if anything, was there before the request."""
        if sent.asset_id is None:
            waited = repository.take_waiting(tx, dataset_id, stem_of(sent.name))
            if is_first and waited is not None and waited.text != sent.caption.text:
                self._replaced.append(f"{sent.name} (one that waited)")
            repository.leave_waiting(tx, dataset_id, sent.name, sent.caption, now())
        else:
            if is_first and (picture := repository.recaptioned(tx, sent.asset_id, sent.caption)):
                self._replaced.append(f"{sent.name} (that of {picture})")
            repository.set_caption(tx, sent.asset_id, sent.caption)
        repository.forget_unreadable(tx, dataset_id, stem_of(sent.name))

    def _give_waiting(self, tx: Connection, dataset_id: str) -> None:
        left = list(repository.waiting_of(tx, dataset_id))
        if not left:
            return
        has_one = self._captioned() | set(repository.captioned_assets(tx, dataset_id))
        bare = [one for one in self._pictures if one.asset_id and one.asset_id not in has_one]
        for fits in LOOSELY:
            for name in left:
                found = [one for one in bare if fits(one.name, name)]
                if len(found) != 1 or found[0].asset_id is None:
                    continue
                caption = repository.take_waiting(tx, dataset_id, stem_of(name))
                if caption is not None:
                    repository.set_caption(tx, found[0].asset_id, caption)
                    bare.remove(found[0])
            left = list(repository.waiting_of(tx, dataset_id))
