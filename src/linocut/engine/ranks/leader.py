"""The leader's side: its ranks are started, told what to do, and heard. Its methods wait, and are for a helper thread.

Shapes: P all parameters of an adapter.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import torch
from torch import Tensor

from linocut.engine.families.family import Family
from linocut.engine.pass_memory import told
from linocut.engine.ranks import moving, shards
from linocut.engine.ranks.lending import Lending
from linocut.engine.ranks.messages import Begin, Divide, Give, Join, Learn, Pass
from linocut.engine.ranks.rank import Opening, Rank, RankLost
from linocut.engine.work import OutOfMemory
from linocut.errors import NotReady
from linocut.observe import log

Losses = list[tuple[float, int]]
"""Each with the index of its sample among those that are learned."""
DYING_SECONDS = 5.0
"""A connection that broke tells of a process that ends; this long is waited to see which."""
FAR_DYING_SECONDS = 12.0
"""The same for a node that vanished, which the system notices after ten seconds (``lines.py``)."""


class Ranks:
    """All ranks of a leader. They load from now on; the leader may do the same meanwhile. ``lending``: where devices of
    other nodes come, ``lent`` of them at most."""

    def __init__(self, opening: Opening, lending: Lending | None = None, lent: int = 0) -> None:
        self._opening, self._lending = opening, lending
        self._lock, self._telling = Lock(), Lock()
        self._closed = False
        self._folder = Path(tempfile.mkdtemp(prefix="linocut-ranks-"))  # nobody else may read in it
        self._serial = 0
        self._order, self._features, self._most = "", "", 1
        self._beside_P = torch.zeros(0)
        self._all: list[Rank | None] = [*(opening.start(device) for device in opening.devices), *[None] * lent]
        self.members: list[Rank] = []
        self.moved_bytes = 0
        """Of weights and gradients, both ways, so far."""

    @property
    def devices(self) -> int:
        """How many there are at best, the leader's own among them."""
        return 1 + len(self._all)

    def divide(self, family: Family, side: int) -> None:
        """Every device keeps a part of the network of ``family`` from now on, this one too. ``NotReady`` when one of
        them is not there."""
        with self._lock:
            self.members = [rank for rank in self._all if rank is not None and rank.has_loaded()]
            text, serial = self._folder / "blank.safetensors", self._next()
            shards.write_text(family.encode_text([""])[0], text)
            if len(self.members) < len(self._all) or not self._have_met():
                raise NotReady("A device with a part of the base did not start; the log says why.")
            for rank in self.members:
                rank.tell(Divide(serial=serial, text=str(text), side=side))
            shards.divide(family, self._opening.on)
            if not self._have_done(serial):
                raise NotReady("The base could not be divided among the devices; the log says why.")

    def take_part(self, gradient: bool) -> None:
        """The leader is about to use the divided network: the others do so too. ``BaseBroken`` when one is gone."""
        with self._telling:
            try:
                for rank in self.members:
                    rank.tell(Pass(gradient=gradient))
            except RankLost as lost:
                raise shards.BaseBroken("a device with a part of the base is gone") from lost

    @property
    def is_divided(self) -> bool:
        """Whether each device has a part of the base only."""
        return self._opening.divided

    def begin(self, order: str, features: Path, most: int) -> int:
        """A run begins: whoever is gone is started again, and all meet -> how many devices learn, at most ``most``."""
        with self._lock:
            self._order, self._features, self._most = order, str(features), most
            if self.is_divided:
                if not self._have_begun():
                    raise shards.BaseBroken("a device with a part of the base cannot learn")
                return self.devices
            moving.leave()  # whoever still waits in an earlier group hears of it
            for slot, device in enumerate(self._opening.devices):
                rank = self._all[slot]
                if rank is None or not rank.is_there(self._next()):
                    self._drop(rank)
                    log("ranks").warning("a device's process is started again", device=device)
                    self._all[slot] = self._opening.start(device)
            self._welcome()
            return self._gathered()

    def again(self) -> int:
        """Those that are left meet -> how many devices learn."""
        with self._lock:
            if self.is_divided:
                raise shards.BaseBroken("a device with a part of the base is gone")
            self._drop_the_dead()
            return self._gathered()

    def learn(self, weights_P: Tensor, step: int, micro_batch: int, recompute: bool) -> None:
        """All members learn their parts of update ``step`` with these weights. ``RankLost``."""
        with self._lock, _losses_told():
            said = Learn(serial=self._next(), step=step, micro_batch=micro_batch, recompute=recompute)
            with self._telling:
                for rank in self.members:
                    rank.tell(said)
            moving.share_weights(weights_P)
            self.moved_bytes += weights_P.nbytes * len(self.members)

    def gather(self, gradient_P: Tensor) -> Losses:
        """Add what each has learned to ``gradient_P``, in their order -> their losses. ``RankLost``, or ``OutOfMemory``
        when one found no room."""
        with self._lock, _losses_told():
            answers = [rank.hear(self._serial) for rank in self.members]
            faulty = [rank for rank, one in zip(self.members, answers, strict=True) if one.trouble == "fault"]
            if faulty:
                self._drop(*faulty)
                raise RankLost
            if any(one.trouble for one in answers):
                raise OutOfMemory
            if self._beside_P.shape != gradient_P.shape or self._beside_P.device != gradient_P.device:
                self._beside_P = torch.zeros_like(gradient_P)
            for number, rank in enumerate(self.members, 1):
                with self._telling:
                    rank.tell(Give(serial=self._next()))
                moving.add_gradient(gradient_P, self._beside_P, number)
                self.moved_bytes += gradient_P.nbytes
                answers[number - 1] = rank.hear(self._serial)
            return [pair for one in answers for pair in zip(one.losses, one.samples, strict=True)]

    def close(self) -> None:
        """End them all. A thread that waits for one hears ``RankLost``."""
        self._closed = True
        if self._lending is not None:
            self._lending.close()
        for rank in self._all:
            if rank is not None:
                rank.kill()
        with self._lock:
            self._drop(*self._all)
            moving.leave()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _welcome(self) -> None:
        """Take in the devices of other nodes that have come."""
        if self._lending is None:
            return
        for slot in range(len(self._opening.devices), len(self._all)):
            rank = self._all[slot]
            if rank is None or not rank.is_there(self._next()):
                self._drop(rank)
                self._all[slot] = self._lending.next()

    def _gathered(self) -> int:
        """Meet, as often as it takes to leave out who cannot."""
        while True:
            if self._closed:
                raise RankLost
            usable = [rank for rank in self._all if rank is not None and (rank.has_loaded() or self._drop(rank))]
            self.members = usable[: self._most - 1]
            moving.leave()  # whoever still waits in an earlier group hears of it
            # Begun first: who is gone does not answer, while the others would wait for it to come to the meeting.
            if not self.members or (self._have_begun() and self._have_met()):
                return 1 + len(self.members)
            self._drop_the_dead()

    def _have_met(self) -> bool:
        serial, size = self._next(), 1 + len(self.members)
        meeting, store = str(self._folder / f"meeting-{serial}"), None
        try:
            if self._lending is not None and any(rank.is_lent for rank in self.members):
                meeting, store = moving.open_meeting(self._lending.host, size)
            for number, rank in enumerate(self.members, 1):
                rank.tell(Join(serial=serial, meeting=meeting, rank=number, size=size, divided=self.is_divided))
            moving.meet(meeting, 0, size, self._opening.on, divided=self.is_divided, store=store)
        except (RankLost, RuntimeError) as trouble:
            log("ranks").warning("the devices could not meet", error=str(trouble))
            return False
        return self._have_done(serial)

    def _have_begun(self) -> bool:
        try:
            for rank in self.members:
                rank.supply(Path(self._features), self._next())
            serial = self._next()
            for rank in self.members:
                rank.tell(Begin(serial=serial, order=self._order, features=self._features))
        except RankLost:
            return False
        return self._have_done(serial)

    def _have_done(self, serial: int) -> bool:
        useless = [rank for rank in self.members if not rank.does(serial)]
        self._drop(*useless)
        return not useless

    def _drop(self, *ranks: Rank | None) -> bool:
        """Let go of these; False, for whoever asks whether they are of use."""
        for rank in ranks:
            if rank is not None:
                log("ranks").log(20 if self._closed else 30, "a device is let go of", device=rank.device)
                rank.end()
                self._all = [None if one is rank else one for one in self._all]
        return False

    def _drop_the_dead(self) -> None:
        """Let go of the members that have ended; of all of them, where none of them has and something broke."""
        far = any(rank.is_lent for rank in self.members)
        deadline = time.monotonic() + (FAR_DYING_SECONDS if far else DYING_SECONDS)
        gone = [rank for rank in self.members if rank not in self._all]
        while not gone and time.monotonic() < deadline:
            gone = [rank for rank in self.members if not rank.lives]
            time.sleep(0.01)
        self._drop(*(rank for rank in (gone or self.members) if rank in self._all))

    def _next(self) -> int:
        self._serial += 1
        return self._serial


@contextmanager
def _losses_told() -> Iterator[None]:
    """What torch says when a connection breaks, as ``RankLost``."""
    try:
        yield
    except RuntimeError as broken:
        if isinstance(short := told(broken), OutOfMemory):
            raise short from None
        log("ranks").warning("a device does not answer", error=str(broken))
        # Its frames hold the group: while they live its connections stay open, and the others wait on them in vain.
        broken.__traceback__ = None
        raise RankLost from None
