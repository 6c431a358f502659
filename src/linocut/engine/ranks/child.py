"""A rank: a process that has the frozen base on a device of its own, and learns its part of each step.

``python -m linocut.engine.ranks.child --parent ID``, started by the leader and told on standard input what to do
(``messages.py``). It keeps nothing: the weights come with each step, and the gradient goes. It ends with its parent.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

import torch

from linocut.engine.device import open_on
from linocut.engine.families.family import Family, load_family
from linocut.engine.loading import Loading, Precision
from linocut.engine.pass_memory import told
from linocut.engine.ranks import moving, shards
from linocut.engine.ranks.messages import Answer, Begin, Divide, Here, Join, Learn, Open, Pass, Said, line_of, said_in
from linocut.engine.released import give_back
from linocut.engine.training.examples import Sample, prepare
from linocut.engine.training.loss import TrainExample, held_out_losses
from linocut.engine.training.plan import Draw, divided, micro_batches, step_draws, trained_samples
from linocut.engine.training.state import Learning, hyper_of
from linocut.engine.training.steps import example_of
from linocut.engine.work import Background, OutOfMemory
from linocut.observe import log, set_up_logs
from linocut.orders import TrainOrder, order_from_json
from linocut.parent import die_with_parent

Load = Callable[[Open], Family]


class Child:
    """What a rank has: its family, its place in the group, and the run in hand."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._family: Family
        self._on = torch.device("cpu")
        self._rank, self._size = 0, 1
        self._order: TrainOrder
        self._samples: list[Sample] = []
        self._learning: Learning
        self._blank: TrainExample | None = None
        self._left: list[Draw] = []
        self._losses: list[float] = []
        self._learned: list[int] = []
        self._said: Learn

    def do(self, said: Said) -> Answer:
        """Do as is said."""
        if isinstance(said, Open):
            self._on = torch.device(said.device)
            self._family = self._load(said)
        elif isinstance(said, Here):
            pass
        elif isinstance(said, Join):
            self._rank, self._size = said.rank, said.size
            moving.meet(said.meeting, said.rank, said.size, self._on, divided=said.divided)
        elif isinstance(said, Divide):
            shards.divide(self._family, self._on)
            self._blank = shards.blank(self._family, said.side, shards.read_text(Path(said.text)))
        elif isinstance(said, Begin):
            self._begin(said)
        elif isinstance(said, Learn):
            return self._learn(said)
        elif isinstance(said, Pass):
            self._take_part(gradient=said.gradient)
        else:
            moving.send_gradient(self._learning.gradient)
            return Answer(serial=said.serial, losses=self._losses, samples=self._learned)
        return Answer(serial=said.serial)

    def _begin(self, said: Begin) -> None:
        order = cast(TrainOrder, order_from_json(said.order))
        samples = _prepared(order, self._family, Path(said.features))
        self._order, self._samples = order, [samples[i] for i in trained_samples(order)]
        self._learning = Learning(self._family.lora_targets(), hyper_of(order), self._on)

    def _learn(self, said: Learn) -> Answer:
        order, learning = self._order, self._learning
        self._said, self._losses, self._learned = said, [], []
        moving.share_weights(learning.weights)
        learning.drop_gradients()
        grids = [sample.grid for sample in self._samples]
        draws = step_draws(order, [sample.key for sample in self._samples], said.step)
        mine = divided(draws, grids, self._size)[self._rank]
        if self._blank is not None:
            self._left = mine
            return Answer(serial=said.serial)
        for group in micro_batches(mine, grids, said.micro_batch):
            self._learn_from(group)
        give_back(self._family)  # a tower that an empty caption was read with
        return Answer(serial=said.serial, losses=self._losses, samples=self._learned)

    def _learn_from(self, group: Sequence[Draw]) -> None:
        order, said = self._order, self._said
        examples = [example_of(order, self._samples[draw.sample], draw, "noise", said.step) for draw in group]
        if self._blank is not None:  # there is no tower here to read the empty caption with
            examples = [replace(one, text=one.text or self._blank.text) for one in examples]
        weight = len(group) / order.batch_size
        self._losses += self._learning.micro_step(self._family, examples, weight, said.recompute)
        self._learned += [draw.sample for draw in group]

    def _take_part(self, *, gradient: bool) -> None:
        """In one pass of the leader's, forward and, with a gradient, backward."""
        assert self._blank is not None
        if not gradient:
            held_out_losses(self._family, None, [self._blank], self._on)
        elif self._left:
            self._learn_from([self._left.pop(0)])
        else:
            self._learning.pretend(self._family, self._blank, self._said.recompute)


def _prepared(order: TrainOrder, family: Family, features: Path) -> list[Sample]:
    """The samples, as the leader has encoded them. ``LookupError`` where one is missing."""
    routine = prepare(order, family, _nowhere, features)
    try:
        unit = next(routine)
        while True:
            if not isinstance(unit, Background) or unit.label != "read features":
                raise LookupError("a picture is not encoded")
            unit = routine.send(unit.call())
    except StopIteration as end:
        return cast(list[Sample], end.value)


def _nowhere(sha256: str) -> bytes:
    raise LookupError(f"a rank has no store to look for {sha256} in")


def serve(load: Load, commands: Iterable[bytes], answers: BinaryIO) -> None:
    """Do what ``commands`` say until they end. What cannot be done is answered so; the leader decides."""
    child = Child(load)
    for line in commands:
        said = said_in(line)
        try:
            answer = child.do(said)
        except Exception as fault:  # the edge of the process: whatever it was, the leader hears of it
            if isinstance(said, Pass):
                raise  # the others stand in the middle of it, and are freed by the end of this process
            short = isinstance(told(fault), OutOfMemory)
            if not short:
                log("ranks").error("a rank could not do as it was told", what=type(said).__name__, exc_info=fault)
            answer = Answer(serial=said.serial, trouble="no room" if short else "fault")
        answers.write(line_of(answer))
        answers.flush()


def load(said: Open) -> Family:
    """The family, with the parts that learn; the text tower waits for the empty caption."""
    on = open_on(said.device, said.threads)
    precision = cast(Precision, said.precision)
    away = on.type != "cpu"
    how = Loading(on, precision, tower_released=True, second_on_host=away, divided=said.divided and away)
    return load_family(said.family, Path(said.folder), on, how)


def run(load: Load, arguments: Sequence[str] | None = None) -> int:
    """A process that is a rank."""
    parser = argparse.ArgumentParser(prog="python -m linocut.engine.ranks.child", description=__doc__)
    parser.add_argument("--parent", type=int, required=True, help="process id to end with")
    parser.add_argument("--log-json", action="store_true", help="logs as JSON")
    given = parser.parse_args(arguments)
    die_with_parent(given.parent)
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to a whole service, say: the leader ends this process
        signal.signal(number, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    set_up_logs("INFO", as_json=given.log_json)
    serve(load, sys.stdin.buffer, answers)
    moving.leave()
    return 0


if __name__ == "__main__":
    sys.exit(run(load))
