"""Which base judges and draws a request: that of its custom model, else that of its kind of route."""

import msgspec
from sqlalchemy import Connection

from linocut import ids
from linocut.api.call import Call
from linocut.api.operation import Draws, Operation, Places
from linocut.bases import Base
from linocut.bases.known import catalogue
from linocut.custom_models.service import base_of_uri
from linocut.errors import InvalidRequest, NoWorker
from linocut.jobs import roster
from linocut.jobs.roster import GONE, LOST, SERVING, Patience, Worker
from linocut.runtime import Engines, Runtime

Standing = tuple[Base | None, str, Engines]
"""A base, its name, and how its engines are."""


async def settle_base(call: Call, operation: Operation, body: msgspec.Struct | None) -> None:
    """Set ``call.on``, for an operation that asks something of a base. The request is judged by it from here on.

    ``NoWorker``: the base is known, and nobody serves it, or nobody does now and the operator has it refused
    (``LINOCUT_NO_WORKER``). A base that nobody ever heard of is left to the registry, which refuses the model.
    """
    if not (isinstance(operation.does, Draws | Places) or operation.scope == "train"):
        return
    uri = getattr(body, "custom_model_uri", None)
    runtime = call.shared.runtime
    identity = None
    if isinstance(uri, str) and uri:
        identity = await call.db.run_read(lambda tx: base_of_uri(tx, call.caller, uri))
    if identity is not None:
        base = _here(runtime, identity)
        if base is None:
            base = await call.db.run_read(lambda tx: _told(tx, identity))
        if base is None and identity in runtime.licences:
            raise NoWorker(
                f"The custom model {uri} draws with the base {identity}, which no worker of this server serves any "
                "more. Try again later, ask its operator, or train the model again."
            )
    elif (elsewhere := call.shared.elsewhere(call.request.scope["path"])) is not None:
        base = await call.db.run_read(lambda tx: _named(tx, elsewhere))
        if base is None:
            raise NoWorker(
                f"No worker of this server serves the base {elsewhere} yet, which draws this. Try again later."
            )
    else:
        base = call.runtime.base
    if base is None:
        return
    call.on = runtime.on(base)
    if runtime.settings.no_worker == "refuse":
        await call.db.run_read(lambda tx: _check_served(tx, base, runtime))


def facts_of(tx: Connection, runtime: Runtime, identity: str) -> Base | None:
    """A base by its identity, as this server's files or a worker elsewhere tell of it."""
    return _here(runtime, identity) or _told(tx, identity)


def named(tx: Connection, runtime: Runtime, word: str, field: str) -> Base:
    """A base that is served, here or elsewhere, by its name or identity. ``NoWorker`` for one that is only known,
    ``InvalidRequest`` for one that nobody knows."""
    for base in runtime.served:
        if word in (base.name, base.known_as, base.identity):
            return base
    told = _named(tx, word) or _told(tx, word)
    if told is not None:
        return told
    if word in catalogue() or word in runtime.licences:
        raise NoWorker(
            f"{field}: No worker of this server serves the base {word}. Name another one, or ask the server's operator."
        )
    names = ", ".join(base.name for base in runtime.served)
    raise InvalidRequest(
        f"{field}: There is no base {word!r}. This server has {names}; GET /bases lists all.", field=field
    )


async def standing_of(call: Call) -> list[Standing]:
    """(base, its name, how its engines are) of each base of this server, the first one first. A base that only workers
    elsewhere have is None until one has told of it.

    Engines of this machine are looked at themselves: what they have told last may be older than their death.
    """
    runtime = call.shared.runtime
    found: list[Standing] = [(base, base.name, runtime.engines(base.identity)) for base in runtime.served]
    far = call.shared.all_elsewhere
    starts_workers = runtime.settings.workers > 0 and not runtime.settings.cluster
    if starts_workers and not far:
        return found
    workers = await runtime.db.run_read(roster.everybody)
    draws = {worker.base.identity for worker in workers if state(worker, runtime) == SERVING}
    if not starts_workers:
        found = [
            (base, name, Engines.READY if base is not None and base.identity in draws else how)
            for base, name, how in found
        ]
    for word in far:
        told = [worker.base for worker in workers if word in (worker.base.known_as, worker.base.name)]
        base = next((one for one in told if one.identity in draws), told[-1] if told else None)
        is_drawn = base is not None and base.identity in draws
        found.append((base, word, Engines.READY if is_drawn else Engines.NONE))
    return found


async def far_off(call: Call, base: Base) -> Standing:
    """How a base is that only workers elsewhere have, and that no kind of route draws with."""
    runtime = call.shared.runtime
    workers = await runtime.db.run_read(lambda tx: roster.of_base(tx, base.identity))
    draws = any(state(worker, runtime) == SERVING for worker in workers)
    return base, base.name, Engines.READY if draws else Engines.NONE


def _here(runtime: Runtime, identity: str) -> Base | None:
    return next((base for base in runtime.served if base.identity == identity), None)


def _told(tx: Connection, identity: str) -> Base | None:
    """A base that this server has no copy of, as a worker elsewhere tells of it."""
    return next((worker.base for worker in roster.everybody(tx) if worker.base.identity == identity), None)


def _named(tx: Connection, word: str) -> Base | None:
    """The same by its name; of two versions the one that was started last."""
    found = [worker for worker in roster.everybody(tx) if word in (worker.base.known_as, worker.base.name)]
    return max(found, key=lambda worker: worker.started_at).base if found else None


def _check_served(tx: Connection, base: Base, runtime: Runtime) -> None:
    if runtime.settings.cluster and _here(runtime, base.identity) is not None:
        return  # the controller starts a worker for whoever waits, and sees nobody else
    if not any(lives(worker, runtime) for worker in roster.of_base(tx, base.identity)):
        raise NoWorker(
            f"No worker of this server serves the base {base.name} ({base.identity}) at the moment, and this server "
            "does not queue for it (LINOCUT_NO_WORKER=refuse). Try again later."
        )


def lives(worker: Worker, runtime: Runtime) -> bool:
    """Whether a worker loads, draws, or will again."""
    return state(worker, runtime) not in (GONE, LOST)


def state(worker: Worker, runtime: Runtime) -> str:
    """How a worker is: ``jobs.roster.state_of`` with this server's patience."""
    settings = runtime.settings
    return roster.state_of(worker, ids.now(), Patience(settings.lease_seconds, settings.engine_silent_seconds))
