"""Which picture a caption describes.

Captions are placed when every picture of the request is in, so it does not matter which of the two was sent first.
A caption goes, in this order, to
1. the picture of its stem beside it (in the same folder of the same ZIP, or among the plain files of the request);
2. the newest picture of its stem elsewhere in the request;
3. the newest picture of its stem in the dataset.
If a picture of the stem was refused at 1 or 2 and none was taken there, the caption waits for it to come again: an
older picture of the same name is another picture. Without any picture it waits, too. Of two captions for one picture
the later counts, be it text or JSON.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from linocut.datasets import repository
from linocut.datasets.captions_in import Caption
from linocut.datasets.names import stem_of
from linocut.datasets.refusal import Refused
from linocut.ids import now


@dataclass(frozen=True, slots=True)
class PlacedCaption:
    """What became of a caption: the picture it describes now; or None: it waits; or why it may not wait."""

    file_name: str
    asset_id: str | None = None
    refused: Refused | None = None


class Pairing:
    """The pictures and captions of one request."""

    def __init__(self) -> None:
        self._beside: dict[tuple[str, str], str | None] = {}  # (place, stem) to asset; None: refused
        self._anywhere: dict[str, str | None] = {}
        self._captions: list[tuple[str, str, Caption]] = []

    def picture_taken(self, place: str, name: str, asset_id: str) -> None:
        """A picture is in the dataset. ``place``: "" for a plain file, else the ZIP and the folder in it."""
        self._beside[place, stem_of(name)] = asset_id
        self._anywhere[stem_of(name)] = asset_id

    def picture_refused(self, place: str, name: str) -> None:
        """A picture was refused; its caption must not land on another of the same name."""
        self._beside.setdefault((place, stem_of(name)), None)
        self._anywhere.setdefault(stem_of(name), None)

    def add(self, place: str, name: str, caption: Caption) -> None:
        """A caption to be placed later, in the order of these calls."""
        self._captions.append((place, name, caption))

    def place(self, tx: Connection, dataset_id: str, max_waiting: int) -> list[PlacedCaption]:
        """Write every caption to its picture or among those that wait (at most ``max_waiting`` a dataset)."""
        waiting = {stem_of(name) for name in repository.waiting_of(tx, dataset_id)}
        placed = []
        for place, name, caption in self._captions:
            asset_id = self._picture_for(tx, dataset_id, place, stem_of(name))
            refused = None
            if asset_id is not None:
                repository.set_caption(tx, asset_id, caption)
                repository.forget_unreadable(tx, dataset_id, stem_of(name))
            elif len(waiting | {stem_of(name)}) > max_waiting:
                message = f"{max_waiting:,} captions wait for their pictures already; send those pictures first."
                refused = Refused("INVALID_CAPTION", message)
            else:
                repository.leave_waiting(tx, dataset_id, name, caption, now())
                repository.forget_unreadable(tx, dataset_id, stem_of(name))
                waiting.add(stem_of(name))
            placed.append(PlacedCaption(name, asset_id, refused))
        return placed

    def __bool__(self) -> bool:
        """Whether there is any caption to place."""
        return bool(self._captions)

    def _picture_for(self, tx: Connection, dataset_id: str, place: str, stem: str) -> str | None:
        if (place, stem) in self._beside:
            return self._beside[place, stem]
        if stem in self._anywhere:
            return self._anywhere[stem]
        return repository.newest_of_stem(tx, dataset_id, stem)
