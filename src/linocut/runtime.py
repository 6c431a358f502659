"""One frozen Runtime a process: what every route and every worker stands on. Imports no torch."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linocut.accounts.secrets import secrets_of
from linocut.bases import Base, Licence, Memory, load_base
from linocut.bases.places import base_at, check_routes
from linocut.captions import Worded, caption_text, cut_of, normalise, structured
from linocut.db.database import Database
from linocut.dress import Dress
from linocut.folders import make_folder
from linocut.prompting import colours_in, dressed, expand, fitted, notes_of, restate, reword
from linocut.settings import Settings
from linocut.storage.store import Store

if TYPE_CHECKING:
    from linocut.pictures.decoder import Decoder

DECODERS = 2
"""Decoding processes, where there are as many cores: a request's pictures are decoded two at a time. Each may take a
gigabyte of memory for a moment."""


@dataclass(frozen=True)
class Runtime:
    """Settings, database, store, a base's facts, and the installation's secrets, which never change: what links are
    signed with, what keys are digested with. ``licences``: of the bases that were served here, by identity.

    ``base``: the one that a worker holds, or that a request is judged by, and ``base_folder`` its files (none where
    only a worker elsewhere has them); ``bases``: all of this server's, by the words of its settings, the first one
    first; ``folders``: theirs, by identity.

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
    licences: Mapping[str, Licence] = field(default_factory=dict)
    bases: Mapping[str, Base] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def open(cls, settings: Settings) -> "Runtime":
        """Open the data folder (made where there is none), its database and its store; read the base's facts.

        ``InvalidRequest`` when the folder cannot be used, or when the base named in the settings is none.
        """
        make_folder(settings.data)
        folder = base_folder(settings)
        memory = Memory(settings.bases_memory)
        words = dict.fromkeys((settings.base, *settings.bases_beside))
        places = {word: base_at(word, settings.pulled_bases) for word in words}
        bases = {word: load_base(place, memory) for word, place in places.items()}
        folders = {bases[word].identity: place for word, place in places.items()}
        check_routes(tuple(words), settings.base_of_routes)
        base = bases[settings.base]
        licences = {**memory.licences, **{one.identity: one.licence for one in bases.values()}}
        patience, note = settings.database_busy_seconds, settings.damage_note
        db = Database.open(settings.resolved_database_url, busy_seconds=patience, note=note)
        try:
            store = Store.open(settings.storage_url or settings.data.absolute() / "store")
            links, digest = secrets_of(db, "links", "digest")
        except BaseException:
            db.close()  # or the next start would take its write-ahead file for lost
            raise
        decoder = partial(_open_decoder, base, settings)
        return cls(settings, db, store, base, folder, links, digest, decoder, licences, bases, folders)

    def on(self, base: Base) -> "Runtime":
        """The same for a request that another base draws."""
        folder = self.folders.get(base.identity, Path())
        return self if base is self.base else replace(self, base=base, base_folder=folder)

    @property
    def served(self) -> tuple[Base, ...]:
        """The bases of this server, each once, its first one first."""
        return tuple({one.identity: one for one in (self.base, *self.bases.values())}.values())

    def expand(self, text: str, width: int, height: int) -> str:
        """The exact structured caption (compact JSON) that the base reads for ``text`` at ``width`` x ``height``.

        What the text leaves out (colours, typefaces, places) is made up. A text that is a structured caption already
        is used as it is, in training order and as far as the base has its words. The same text and size always give
        the same caption.
        """
        return self.worded(text, width, height, make_up=True).caption

    def restate(self, text: str) -> str:
        """The exact structured caption that says what ``text`` says and makes nothing up: what a custom model learns
        for a plain caption, and reads for a plain prompt. A structured caption is used as it is, as far as the base
        has its words."""
        return self.worded(text, 1, 1, make_up=False).caption

    def worded(self, text: str, width: int, height: int, *, make_up: bool, own_model: bool = False) -> Worded:
        """What the base reads for ``text``, a plain text or a structured caption, and what is to be said about that.

        ``make_up``: as ``expand`` (for the base by itself), else as ``restate`` (for a custom model, or over a
        picture). ``own_model``: whether a custom model draws, which may know more.
        """
        return worded(self.base, text, width, height, make_up=make_up, own_model=own_model)

    def dressed(self, said: Worded, text: str, dress: Dress, *, avoid: str, own_model: bool) -> Worded:
        """What the base reads for ``text`` in a look. ``avoid``: a text whose colours are not made up; ``own_model``:
        whether a custom model draws."""
        return in_a_look(self.base, said, text, dress, avoid=avoid, own_model=own_model)

    def negative(self, text: str) -> Worded:
        """What the base is to be led away from for ``text``, which makes nothing up."""
        return negative(self.base, text)

    def colours_in(self, text: str) -> tuple[str, ...]:
        """What a text's words of colour mean, as ``#RRGGBB``, in their order."""
        return colours_in(text)

    def ready(self) -> bool:
        """Whether an engine process of this data folder has loaded its base, still lives, and turns."""
        return self.engines() is Engines.READY

    def engines(self, identity: str = "") -> "Engines":
        """How the engine processes of this data folder are, or those of one base: as well as the best of them."""
        folder = ready_folder(self.settings)
        held = [path for path in folder.iterdir() if _is_held(path)] if folder.is_dir() else []
        held = [path for path in held if not identity or _base_of(path) in (identity, "")]
        if any(_age(path) < self.settings.engine_silent_seconds for path in held):
            return Engines.READY
        return Engines.SILENT if held else Engines.NONE

    def workers(self) -> list[tuple[str, float]]:
        """(worker id, seconds since it last turned) of every living engine process of this data folder."""
        folder = ready_folder(self.settings)
        held = [path for path in sorted(folder.iterdir()) if _is_held(path)] if folder.is_dir() else []
        return [(path.name, _age(path)) for path in held]

    def loading(self) -> str:
        """What the engine processes say of how far they are with loading; empty where none says anything."""
        folder = loading_folder(self.settings)
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        with suppress(OSError):  # done in this moment
            return "; ".join(path.read_text() for path in files)
        return ""

    def workspace(self, run_id: str) -> Path:
        """The folder of one run's checkpoints."""
        return self.settings.data.absolute() / "runs" / run_id

    def close(self) -> None:
        """Close the database."""
        self.db.close()


NOTHING_ELSE: dict[str, Any] = {"background": "", "elements": []}


class Engines(Enum):
    """``SILENT``: loaded, alive and hung. ``NONE``: still loading, or not there."""

    READY = "ready"
    SILENT = "silent"
    NONE = "none"


def base_folder(settings: Settings) -> Path:
    """The folder of the base that the settings name. ``InvalidRequest`` for one that is known and not here."""
    return base_at(settings.base, settings.pulled_bases)


def ready_folder(settings: Settings) -> Path:
    """Where each engine process that can draw keeps a locked file, named by its worker id, its process id inside. The
    engine's loop touches it as it turns."""
    return settings.data.absolute() / "ready"


def loading_folder(settings: Settings) -> Path:
    """Where each engine process that loads says how far it is."""
    return settings.data.absolute() / "loading"


def loading_file(settings: Settings, worker_id: str) -> Path:
    """What one engine process says."""
    return loading_folder(settings) / worker_id


def worded(base: Base, text: str, width: int, height: int, *, make_up: bool, own_model: bool = False) -> Worded:
    """As ``Runtime.worded``."""
    if not (base.reads_structure or base.knows):
        return _in_plain_words(text, base.max_text_tokens)
    return _worded(text, (width, height), base.max_text_tokens, base.knows, make_up, own_model)


def in_a_look(base: Base, said: Worded, text: str, dress: Dress, *, avoid: str = "", own_model: bool = False) -> Worded:
    """As ``Runtime.dressed``."""
    avoided = colours_in(avoid)
    caption = _structured(said.caption)
    if not caption or (dress == Dress() and not avoided):
        return said
    is_small = bool(base.knows)
    new, notes = dressed(caption, text, dress, avoid=avoided, is_small=is_small, own_model=own_model)
    written = caption_text(fitted(new, base.max_text_tokens, is_small=is_small))
    told = [*said.notes, *notes]
    if is_small and any(name != "color_palette" for name in dress.names):
        told.append(_kept_of(dress, own_model=own_model))
    was = str(caption.get("high_level_description", ""))
    if cut := cut_of(was, written):
        told.append(f"The text was cut {cut} to make room for the style: put what matters first.")
    prompt = written if said.prompt == said.caption else said.prompt
    return Worded(written, prompt, tuple(told), said.is_cut or bool(cut))


def negative(base: Base, text: str) -> Worded:
    """As ``Runtime.negative``. The embedded base reads its own language, every other base the words as they are."""
    if not base.knows:
        caption = fitted({"high_level_description": " ".join(text.split())}, base.max_text_tokens, is_small=False)
        said = str(caption["high_level_description"])
        cut = cut_of(text, caption_text(caption))
        return Worded(said, said, (f"negative_prompt was cut {cut}: the base has room for no more.",) if cut else ())
    said_of = worded(base, text, 1, 1, make_up=False)
    is_plain = not _structured(text)
    told = notes_of(text, said_of.caption, knows=base.knows, has_own_model=False) if is_plain else said_of.notes
    notes = tuple(f"negative_prompt: {note}" for note in told)
    parts = json.loads(said_of.caption)["compositional_deconstruction"]
    if parts["background"] or parts["elements"]:
        return Worded(said_of.caption, said_of.caption, notes)
    if colours_in(text):
        return Worded(worded(base, f"on {text}", 1, 1, make_up=False).caption, "", notes)
    notes = notes or ("negative_prompt: The base knows none of its words, so it changes little.",)
    return Worded(said_of.caption, said_of.caption, notes)


def _kept_of(dress: Dress, *, own_model: bool) -> str:
    """What the embedded base, which has one style, draws of another."""
    kept = [name for name, has in (
        ("colours", dress.palette), ("ground", dress.ground), ("border", dress.border), ("outlines", dress.outlined),
        ("typeface", dress.face),
    ) if has]  # fmt: skip
    few = kept[0] if len(kept) == 1 else f"{', '.join(kept[:-1])} and {kept[-1]}" if kept else "nothing"
    styles = " and ".join(name for name in dress.names if name != "color_palette")
    manner = "the custom model draws in the manner that it learned" if own_model else "the base draws flat posters only"
    return f"{styles}: {manner}; what it takes of this style: {few}."


def _in_plain_words(text: str, max_text_tokens: int) -> Worded:
    """For a base that was not taught structured captions: its words as they are, and nothing made up. (The engine says
    a structured caption to it in plain words: ``engine/spoken.py``.)"""
    if caption := _structured(text):
        return Worded(caption_text(caption), caption_text(caption))
    bare = {"high_level_description": " ".join(text.split()), "compositional_deconstruction": NOTHING_ELSE}
    written = caption_text(fitted(bare, max_text_tokens, is_small=False))
    cut = cut_of(text, written)
    notes = (f"The text was cut {cut}: the base has room for no more.",) if cut else ()
    return Worded(written, str(json.loads(written)["high_level_description"]), notes, is_cut=bool(cut))


@lru_cache(maxsize=1024)
def _worded(
    text: str, size: tuple[int, int], max_text_tokens: int, knows: str, make_up: bool, own_model: bool
) -> Worded:
    if sent := _structured(text):
        if not knows:
            return Worded(caption_text(sent), caption_text(sent))
        asked, notes = reword(
            sent, size, max_text_tokens=max_text_tokens, knows=knows, make_up=make_up, has_own_model=own_model
        )
        return Worded(caption_text(asked), caption_text(sent), notes)
    caption = normalise(expand(text, size, 0) if make_up else restate(text))
    written = caption_text(fitted(caption, max_text_tokens, is_small=bool(knows)))
    notes = notes_of(text, written, knows=knows, has_own_model=own_model)
    return Worded(written, written, notes, is_cut=bool(cut_of(text, written)))


def _structured(text: str) -> dict[str, Any]:
    """The structured caption that ``text`` is, in training order; empty for any other text."""
    sent = structured(text)
    return normalise(sent) if sent else {}


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


def _base_of(ready_file: Path) -> str:
    """The identity of the base that an engine process has loaded; "" where its file does not say."""
    with suppress(OSError):
        return ready_file.read_text().partition("\n")[2].strip()
    return ""


def _age(ready_file: Path) -> float:
    """Seconds since the engine's loop has touched its file; a touch from a time to come, which a clock set back leaves,
    is as old as it is far away."""
    try:
        return abs(time.time() - ready_file.stat().st_mtime)
    except FileNotFoundError:
        return float("inf")


def _open_decoder(base: Base, settings: Settings) -> "Decoder":
    from linocut.pictures.decoder import DecodeLimits, Decoder
    from linocut.pictures.types import CropRule

    crops = CropRule(base.training_pixels, base.size_multiple)
    return Decoder(DecodeLimits(crops=crops, safety=settings.safety), min(DECODERS, os.cpu_count() or 1))
