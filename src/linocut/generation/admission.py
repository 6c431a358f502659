"""Room in the limit and credit for a request, and its job: asked and queued in one transaction, for every operation.

A request may have several jobs (a description or a caption comes before the drawing). Its first job takes the places
and reserves the price of all of it; its last one takes them over (``ledger/reserving.py``).
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from linocut.accounts.types import Caller
from linocut.errors import InvalidRequest, TooManyInFlight
from linocut.jobs import queue
from linocut.jobs.types import JobInput
from linocut.ledger.reserving import held_places, release, reserve
from linocut.ledger.types import Charge, Wanted
from linocut.orders import Order, kind_of
from linocut.settings import Settings


@dataclass(frozen=True)
class Request:
    """Whose job it is, what it is sold as, and what it works on. ``is_stage``: another job of the request follows;
    ``earlier``: the job that has the request's places and its price now."""

    caller: Caller
    charge: Charge
    model_id: str | None = None
    inputs: tuple[JobInput, ...] = ()
    is_stage: bool = False
    earlier: str | None = None


def admitted(tx: Connection, order: Order, request: Request, settings: Settings) -> str:
    """The id of the job, queued. ``InvalidRequest``, ``TooManyInFlight``; ``InsufficientFunds``, ``DailyLimit``,
    ``SpendLimit``."""
    caller = request.caller
    device_us = 0 if request.earlier is None else release(tx, request.earlier)
    _check_in_flight(tx, caller, kind_of(order).places(order), settings)
    job_id = queue.place(
        tx, order, user_id=caller.user_id, api_key_id=caller.api_key_id, model_id=request.model_id,
        inputs=request.inputs,
    )  # fmt: skip
    wanted = Wanted(request.charge, request.model_id, request.is_stage, device_us)
    reserve(tx, caller, job_id, wanted, settings)
    return job_id


def _check_in_flight(tx: Connection, caller: Caller, wanted: int, settings: Settings) -> None:
    """Images are counted per organisation over all keys. Transactions take turns, so two requests count each other."""
    most = settings.max_images_in_flight
    if wanted > most:
        raise InvalidRequest(
            f"This asks for {wanted} images at once; an organisation may have {most} in progress "
            f"(LINOCUT_MAX_IMAGES_IN_FLIGHT). Ask for at most {most} in one request."
        )
    busy = queue.images_in_flight(tx, caller.organization_id) + held_places(tx, caller.organization_id)
    if wanted and busy + wanted > most:
        raise TooManyInFlight(
            f"Your organisation has {busy} image{'' if busy == 1 else 's'} in progress and asks for {wanted} more; its "
            f"limit is {most}. "
            "Try again when some are done.",
            max_inflight_requests=most,
        )
