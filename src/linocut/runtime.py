"""One frozen Runtime a process: what every route and every worker stands on. Imports no torch."""

import fcntl
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from linocut import catalogue
from linocut.accounts.secrets import secrets_of
from linocut.captions import caption_text, normalise
from linocut.catalogue import Base
from linocut.db.database import Database
from linocut.errors import InvalidRequest
from linocut.prompting import expand, restate
from linocut.settings import Settings
from linocut.storage.store import Store

if TYPE_CHECKING:
    from linocut.datasets.decoder import Decoder


@dataclass(frozen=True)
class Runtime:
    """Settings, database, store, the resident base's facts, and the installation's secrets, which never change: what
    links are signed with, what keys are digested with.

    ``open_decoder`` starts the pool of decoding processes; only processes that take uploads call it, once.
    """

    settings: Settings
    db: Database
    store: Store
    base: Base
    base_folder: Path
    link_secret: bytes
    digest_secret: bytes
    open_decoder: Callable[[], "Decoder"]

    @classmethod
    def open(cls, settings: Settings) -> "Runtime":
        """Open the data folder (made where there is none), its database and its store; read the base's facts.

        ``InvalidRequest`` when the base named in the settings is none.
        """
        settings.data.mkdir(parents=True, exist_ok=True)
        folder = base_folder(settings)
        base = catalogue.load_base(folder)
        patience, note = settings.database_busy_seconds, settings.damage_note
        db = Database.open(settings.resolved_database_url, busy_seconds=patience, note=note)
        store = Store.open(settings.storage_url or settings.data.absolute() / "store")
        links, digest = secrets_of(db, "links", "digest")
        return cls(settings, db, store, base, folder, links, digest, lambda: _open_decoder(base))

    def expand(self, text: str, width: int, height: int) -> str:
        """The exact structured caption (compact JSON) that the base reads for ``text`` at ``width`` x ``height``.

        What the text leaves out (colours, typefaces, places) is made up. A text that is a structured caption already
        is used as it is, in training order. The same text and size always give the same caption.
        """
        return expanded(text, width, height)

    def restate(self, text: str) -> str:
        """The exact structured caption that says what ``text`` says and makes nothing up: what a custom model learns
        for a plain caption, and reads for a plain prompt. A structured caption is used as it is."""
        return restated(text, self.base.max_text_tokens)

    def ready(self) -> bool:
        """Whether an engine process of this data folder has loaded its base and still lives."""
        folder = ready_folder(self.settings)
        return folder.is_dir() and any(_is_held(path) for path in folder.iterdir())

    def workspace(self, run_id: str) -> Path:
        """The folder of one run's checkpoints."""
        return self.settings.data.absolute() / "runs" / run_id

    def close(self) -> None:
        """Close the database."""
        self.db.close()


def base_folder(settings: Settings) -> Path:
    """The folder of the base that the settings name."""
    return catalogue.MINI if settings.base == "mini" else Path(settings.base)


def ready_folder(settings: Settings) -> Path:
    """Where each engine process that can draw keeps a locked file, named by its worker id, its process id inside."""
    return settings.data.absolute() / "ready"


@lru_cache(maxsize=1024)
def expanded(text: str, width: int, height: int) -> str:
    """As ``Runtime.expand``."""
    return _structured(text) or caption_text(normalise(expand(text, (width, height), 0)))


@lru_cache(maxsize=1024)
def restated(text: str, max_text_tokens: int) -> str:
    """As ``Runtime.restate``."""
    return _structured(text) or caption_text(normalise(restate(text, max_text_tokens)))


def _structured(text: str) -> str:
    """The structured caption that ``text`` is, in training order; empty for any other text."""
    if text.lstrip().startswith("{"):
        with suppress(ValueError, RecursionError, InvalidRequest):
            return caption_text(normalise(json.loads(text)))
    return ""


def _is_held(ready_file: Path) -> bool:
    """A living engine process keeps its ready file locked; the lock goes with it, however it dies."""
    try:
        with ready_file.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _open_decoder(base: Base) -> "Decoder":
    from linocut.datasets.decoder import DecodeLimits, Decoder
    from linocut.datasets.picture import CropRule

    return Decoder(DecodeLimits(crops=CropRule(base.native_pixels, base.size_multiple)))
