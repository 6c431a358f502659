"""Devices of other nodes learn with those of this one. What comes of it is the same; who knows no secret is refused."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine.lender import lent
from tests.engine.test_ranks import CLOSE, ORDER, SAMPLES, dies_at_update, distance, opening, run, weights
from tests.engine.training_support import Killed, of_kind, train_order

from linocut.engine.ranks import greeting
from linocut.engine.ranks import lending as lending_room
from linocut.engine.ranks.greeting import LONGEST_LINE, Unwelcome, introduce, misfit
from linocut.engine.ranks.leader import Ranks
from linocut.engine.ranks.lending import Lending
from linocut.engine.ranks.lent import _missing
from linocut.errors import InvalidRequest
from linocut.orders import RunNoted

SECRET = "what all of them know"


class Group:
    """A leader without further devices of its own, and lenders as processes."""

    def __init__(self, place: Path, stack: ExitStack, count: int, local: int = 0) -> None:
        self._place, self._stack = place, stack
        start = opening(1 + local)
        self.lending = Lending("127.0.0.1:0", SECRET, lent(), start.lent)
        self.ranks = Ranks(start, self.lending, count)
        stack.callback(self.ranks.close)
        self.lenders = [self.lender() for _ in range(count)]
        until_come(self.lending, count)

    def lender(self) -> subprocess.Popen[bytes]:
        self._place.mkdir(exist_ok=True)
        features = self._place / f"lent {len(list(self._place.iterdir()))}"
        features.mkdir()
        address = f"127.0.0.1:{self.lending.port}"
        command = [sys.executable, "-m", "tests.engine.lender", address, SECRET, str(features)]
        process = subprocess.Popen(command, env={**os.environ, **opening().environment})
        self._stack.callback(end, process)
        return process

    def kill(self, number: int = 0) -> None:
        self.lenders[number].send_signal(signal.SIGKILL)
        self.lenders[number].wait()

    def files(self) -> list[int]:
        return sorted(len(list(folder.glob("*.safetensors"))) for folder in self._place.iterdir())


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    torch.set_num_threads(1)
    with ExitStack() as stack:
        yield Group(tmp_path_factory.mktemp("lenders"), stack, 1)


def test_a_lent_device_learns_what_one_of_this_machine_does(group: Group, tmp_path: Path) -> None:
    one = weights(run(ORDER, tmp_path / "one", None)[-1])
    events = run(ORDER, tmp_path / "two", group.ranks)
    assert [note.note for note in of_kind(events, RunNoted)] == [
        "From step 1 on 2 devices learn together, with the same pictures in each step."
    ]
    both = weights(events[-1])
    print(f"weights {distance(both, one):.1e} apart")
    assert distance(both, one) < CLOSE
    ranks = Ranks(opening())
    try:
        here = run(ORDER, tmp_path / "here", ranks)[-1]
    finally:
        ranks.close()
    assert here.path.read_bytes() == events[-1].path.read_bytes()  # type: ignore[union-attr]
    assert group.files() == [len(SAMPLES)], "its pictures were sent, each once"


def test_killed_and_resumed_is_byte_equal(group: Group, tmp_path: Path) -> None:
    straight = run(ORDER, tmp_path / "straight", group.ranks)[-1]
    place = tmp_path / "killed"
    with pytest.raises(Killed):
        run(ORDER, place, group.ranks, dies_at_update(4))
    last = run(ORDER, place, group.ranks)[-1]
    assert last.path.read_bytes() == straight.path.read_bytes()  # type: ignore[union-attr]
    assert last.scores == straight.scores  # type: ignore[union-attr]


def test_pictures_of_another_run_go(group: Group, tmp_path: Path) -> None:
    order = train_order(SAMPLES[:3], steps=2, batch_size=2, holdout=())
    assert run(order, tmp_path, group.ranks)[-1].scores["devices_from_step_1"] == 2.0  # type: ignore[union-attr]
    assert group.files() == [3]


def test_its_node_is_lost_and_the_run_goes_on_and_the_next_one_has_another(tmp_path: Path) -> None:
    """Two of this machine and one lent: the lent one goes, the other stays."""
    with ExitStack() as stack:
        group = Group(tmp_path / "lenders", stack, 1, local=1)
        one = weights(run(ORDER, tmp_path / "one", None)[-1])
        begun = time.monotonic()
        events = run(ORDER, tmp_path / "two", group.ranks, dies_at_update(4, group.kill))
        assert time.monotonic() - begun < 60, "whoever is left does not wait for who is gone"
        assert distance(weights(events[-1]), one) < CLOSE
        notes = [event.note for event in of_kind(events, RunNoted)]
        assert notes[0].startswith("From step 1 on 3 devices learn together")
        assert "from step 5 on 2 devices learn together" in notes[1]
        group.lenders = [group.lender()]
        until_come(group.lending)
        again = run(ORDER, tmp_path / "three", group.ranks)[-1]
        assert again.scores["devices_from_step_1"] == 3.0  # type: ignore[union-attr]


def until_come(lending: Lending, count: int = 1) -> None:
    deadline = time.monotonic() + 60
    while len(lending._come) < count:
        assert time.monotonic() < deadline, "no device came"
        time.sleep(0.05)


def test_without_anybody_it_learns_alone_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lending_room, "COMING_SECONDS", 0.2)
    start = opening(1)
    lending = Lending("127.0.0.1:0", SECRET, lent(), start.lent)
    ranks = Ranks(start, lending, 2)
    try:
        events = run(ORDER, tmp_path, ranks)
    finally:
        ranks.close()
    assert [note.note for note in of_kind(events, RunNoted)] == [
        "From step 1 on 1 device learns: 2 more did not start. The server's log says why."
    ]


@pytest.mark.long
def test_a_lender_outlives_its_worker_and_serves_the_next_one(tmp_path: Path) -> None:
    with ExitStack() as stack:
        group = Group(tmp_path / "lenders", stack, 1)
        first = run(ORDER, tmp_path / "a", group.ranks)[-1]
        group.ranks.close()
        start = opening(1)
        lending = Lending(f"127.0.0.1:{group.lending.port}", SECRET, lent(), start.lent)
        ranks = Ranks(start, lending, 1)
        stack.callback(ranks.close)
        until_come(lending)
        second = run(ORDER, tmp_path / "b", ranks)[-1]
        assert group.lenders[0].poll() is None
        assert second.scores["devices_from_step_1"] == 2.0  # type: ignore[union-attr]
        assert second.path.read_bytes() == first.path.read_bytes()  # type: ignore[union-attr]


@contextmanager
def door() -> Iterator[Lending]:
    def no_rank(*_given: Any) -> Any:
        raise AssertionError("nobody is to be taken")

    lending = Lending("127.0.0.1:0", SECRET, lent(), no_rank)
    try:
        yield lending
    finally:
        lending.close()


@pytest.mark.parametrize(
    ("secret", "who", "sentence"),
    [
        ("what nobody knows", lent(), "it does not know the secret (LINOCUT_TRAINING_SECRET) of this worker"),
        (SECRET, lent(base="mini"), "it has the base mini, and this worker stand-in"),
        (SECRET, lent(kind="cuda"), "it is a cuda device, and this worker learns on cpu"),
        (SECRET, lent(version="0.0.9"), "it runs linocut 0.0.9, and this worker"),
    ],
    ids=["secret", "base", "kind", "version"],
)
def test_who_does_not_fit_is_told_why(secret: str, who: Any, sentence: str) -> None:
    with door() as lending, socket.create_connection(("127.0.0.1", lending.port), 5) as connection:
        with pytest.raises(Unwelcome) as told:
            introduce(connection, secret, who)
        assert sentence in str(told.value)
        assert connection.recv(10) == b"", "the worker has closed it"
        assert lending._come == []


def test_a_leader_that_does_not_know_the_secret_is_not_served() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as false_leader,
        socket.create_connection(false_leader.getsockname(), 5) as connection,
        false_leader.accept()[0] as answering,
    ):
        answering.sendall(b'{"number":"1"}\n{"proof":"00"}\n')
        with pytest.raises(Unwelcome, match="does not know the secret"):
            introduce(connection, SECRET, lent())
        said = json.loads(answering.recv(LONGEST_LINE))
    assert SECRET not in json.dumps(said)


@pytest.mark.parametrize(
    "noise",
    [b"GET / HTTP/1.1\r\n\r\n", b"{}\n", b"\xff\xfe\n", b"x" * (LONGEST_LINE + 10), b"[" * 4000 + b"\n", b""],
    ids=["http", "empty", "bytes", "long", "deep", "gone"],
)
def test_whoever_else_knocks_is_sent_away_and_the_door_stays_open(noise: bytes, tmp_path: Path) -> None:
    with door() as lending:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", lending.port), 5) as connection:
                connection.sendall(noise)
                connection.shutdown(socket.SHUT_WR)
                with suppress(ConnectionResetError):  # more was said than was read
                    assert connection.makefile("rb").read().count(b"\n") == 1, "a number, and no proof"
        with socket.create_connection(("127.0.0.1", lending.port), 5) as connection:
            assert connection.recv(20).startswith(b'{"number":')


def test_who_speaks_byte_by_byte_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a few of them would keep everybody else out."""
    monkeypatch.setattr(greeting, "GREETING_SECONDS", 0.5)
    with door() as lending, socket.create_connection(("127.0.0.1", lending.port), 5) as connection:
        begun = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - begun < 10:
                connection.sendall(b" ")
                time.sleep(0.05)
        assert time.monotonic() - begun < 3


def test_the_same_words_twice_are_no_proof() -> None:
    """What was overheard once is of no use with another number."""
    said: list[bytes] = []

    def first(connection: socket.socket) -> None:
        number = json.loads(connection.recv(LONGEST_LINE))["number"]
        said.append(number.encode())

    with door() as lending:
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", lending.port), 5) as connection:
                first(connection)
    assert said[0] != said[1]
    assert len(said[0]) == 64


def test_a_leader_that_ends_within_the_greeting_is_no_refusal() -> None:
    """A lender would end for good where it is refused; here it waits for the next leader."""
    with (
        socket.create_server(("127.0.0.1", 0)) as ending,
        socket.create_connection(ending.getsockname(), 5) as connection,
    ):
        with ending.accept()[0] as answering:
            answering.sendall(b'{"num')
        with pytest.raises(ConnectionError):
            introduce(connection, SECRET, lent())


def test_where_nobody_can_listen_is_told() -> None:
    with door() as lending, pytest.raises(InvalidRequest, match="cannot listen there"):
        Lending(f"127.0.0.1:{lending.port}", SECRET, lent(), lambda *_: None)  # type: ignore[arg-type,return-value]


def test_no_file_of_another_name_is_asked_for(tmp_path: Path) -> None:
    kept, other = f"{'a' * 64}.safetensors", f"{'b' * 64}.safetensors"
    for name in (kept, other, "coming"):
        (tmp_path / name).touch()
    wished = f"{'c' * 64}.safetensors"
    names = [kept, wished, "../../etc/passwd", "x.safetensors", f"../{wished}"]
    assert _missing(names, tmp_path) == [wished]
    assert [path.name for path in tmp_path.iterdir()] == [kept]


def test_what_fits_is_taken() -> None:
    assert misfit(lent(), lent()) == ""
