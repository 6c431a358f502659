"""The body of every refusal. The contract types only ``error`` and ``reject_reason``; clients in the wild also read
``message`` and ``detail`` (FACTS 11), and ``title`` and ``status`` are the vendor framework's (DECISIONS 2)."""

import msgspec

from linocut.wire.types import UNSET, Nothing, SafetyVerdict


class ErrorBody(msgspec.Struct, kw_only=True, frozen=True):
    """One sentence, under each name that clients look for. ``request_id`` only where the fault is the server's."""

    error: str
    message: str
    detail: str
    title: str
    status: int
    request_id: str | Nothing = UNSET


class RefusalExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on a refusal for safety: who refused it, and for which rule."""

    safety: SafetyVerdict


class GenerateImageSafetyError(ErrorBody, kw_only=True, frozen=True):
    """422: the prompt or an input picture was refused by the safety rules."""

    x_linocut: RefusalExtras | Nothing = UNSET


class MessagesError(ErrorBody, kw_only=True, frozen=True):
    """400 where the sentence is published as one of ``messages``."""

    messages: list[str] | Nothing = UNSET


class RejectError(ErrorBody, kw_only=True, frozen=True):
    """402 and 429: refused before anything ran."""

    reject_reason: str | Nothing = UNSET
    max_inflight_requests: int | Nothing = UNSET
