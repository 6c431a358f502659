"""How a worker that leads and a device that is lent make sure of each other, before anything else is said.

Both know a secret and neither tells it: each answers the other's random number with an HMAC-SHA256 over it and
over all that the lender says of itself. What is said afterwards is neither encrypted nor signed, and neither are
the numbers that torch.distributed moves: this is for a network of one's own.
"""

import hashlib
import hmac
import secrets
import socket
import time
from typing import Any, Literal, TypeVar

import msgspec

GREETING_SECONDS = 10.0
"""For all of it: who speaks byte by byte is cut off, too."""
LONGEST_LINE = 4096
Role = Literal["leader", "lender"]
T = TypeVar("T")


class Lent(msgspec.Struct, frozen=True, kw_only=True):
    """What a lender says of itself: the identity of its base, the kind of its device ("cpu", "cuda"), its name for the
    log, and the version of linocut."""

    base: str
    kind: str
    name: str
    version: str


class Challenge(msgspec.Struct, frozen=True):
    """The leader's random number."""

    number: str


class Hello(msgspec.Struct, frozen=True):
    """The lender's answer: its own number, itself, and the proof that it knows the secret."""

    number: str
    lent: Lent
    proof: str


class Welcome(msgspec.Struct, frozen=True):
    """The leader's proof, or the sentence why it does not take the device."""

    proof: str = ""
    refused: str = ""


class Unwelcome(Exception):
    """The other side is not who it should be, or does not fit; the text says why."""


def receive(connection: socket.socket, secret: str, wanted: Lent) -> Lent:
    """The leader's side -> who is there. ``Unwelcome`` for whoever does not know the secret or does not fit
    ``wanted``, ``OSError`` for whoever says nothing in time."""
    deadline = time.monotonic() + GREETING_SECONDS
    number = secrets.token_hex(32)
    _say(connection, Challenge(number))
    hello = _hear(connection, Hello, deadline)
    if not hmac.compare_digest(hello.proof, _proof(secret, "lender", number, hello.number, hello.lent)):
        why = "it does not know the secret (LINOCUT_TRAINING_SECRET) of this worker"
    else:
        why = misfit(wanted, hello.lent)
    if why:
        _say(connection, Welcome(refused=why))
        raise Unwelcome(why)
    _say(connection, Welcome(proof=_proof(secret, "leader", number, hello.number, hello.lent)))
    return hello.lent


def introduce(connection: socket.socket, secret: str, lent: Lent) -> None:
    """The lender's side. ``Unwelcome`` when the leader refuses, or does not know the secret itself."""
    deadline = time.monotonic() + GREETING_SECONDS
    challenge = _hear(connection, Challenge, deadline)
    number = secrets.token_hex(32)
    _say(connection, Hello(number, lent, _proof(secret, "lender", challenge.number, number, lent)))
    welcome = _hear(connection, Welcome, deadline)
    if welcome.refused:
        raise Unwelcome(f"The worker refuses this device: {welcome.refused}.")
    if not hmac.compare_digest(welcome.proof, _proof(secret, "leader", challenge.number, number, lent)):
        raise Unwelcome("Who answers there does not know the secret (LINOCUT_TRAINING_SECRET).")


def misfit(wanted: Lent, lent: Lent) -> str:
    """Why a device is of no use to this worker; "" when it is."""
    if lent.version != wanted.version:
        return f"it runs linocut {lent.version}, and this worker {wanted.version}"
    if lent.base != wanted.base:
        return f"it has the base {lent.base}, and this worker {wanted.base}"
    if lent.kind != wanted.kind:
        return f"it is a {lent.kind} device, and this worker learns on {wanted.kind}"
    return ""


def _proof(secret: str, role: Role, leaders: str, lenders: str, lent: Lent) -> str:
    said = "\n".join((role, leaders, lenders, msgspec.json.encode(lent).decode()))
    return hmac.new(secret.encode(), said.encode(), hashlib.sha256).hexdigest()


def _say(connection: socket.socket, message: Any) -> None:
    connection.settimeout(GREETING_SECONDS)
    connection.sendall(msgspec.json.encode(message) + b"\n")


def _hear(connection: socket.socket, kind: type[T], deadline: float) -> T:
    """One line, and not a byte more. ``Unwelcome`` for anything else, ``OSError`` for whoever is late or goes away: a
    leader that ends just now is no reason for a lender to end, too."""
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < LONGEST_LINE:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        byte = connection.recv(1)
        if not byte:
            raise ConnectionError("the connection ended within the greeting")
        line += byte
    try:
        return msgspec.json.decode(line, type=kind)
    except ValueError:
        raise Unwelcome("what it says is no greeting") from None
