"""Bases, as their room knows them, into our objects of the wire."""

from collections.abc import Sequence
from typing import cast

import msgspec

from linocut import ids
from linocut.api.served import state
from linocut.bases import FAMILIES, Base, Licence
from linocut.bases.known import catalogue
from linocut.bases.places import is_pulled
from linocut.files import sha256_hex
from linocut.jobs.roster import GONE, Worker
from linocut.runtime import Engines, Runtime
from linocut.wire import BaseAbilities, BaseLicence, BaseWorker, ListBasesResponse, ServedBase
from linocut.wire.bases import BaseState, RouteKind, WorkerState

_STATES: dict[Engines, BaseState] = {
    Engines.READY: "serving",
    Engines.SILENT: "hanging",
    Engines.NONE: "loading",
}


ROUTE_KINDS: tuple[RouteKind, ...] = ("v3", "v4", "legacy")


def bases_of(runtime: Runtime, workers: Sequence[Worker] = ()) -> ListBasesResponse:
    """The bases that are served, here or by a worker elsewhere, and those that are known by name."""
    here = {base.identity: base for base in runtime.served}
    living = [worker for worker in workers if state(worker, runtime) != GONE]
    served = here | {worker.base.identity: worker.base for worker in living if worker.base.identity not in here}
    found = []
    for identity, base in served.items():
        mine = [worker for worker in living if worker.base.identity == identity]
        local = _STATES[runtime.engines(identity)] if identity in here else "hanging"
        found.append(_one(base, identity, _state(mine, local, runtime), _routes(base, runtime), _told(mine, runtime)))
    names = {base.known_as for base in served.values()}
    for known in catalogue().values():
        if known.name not in names:
            base = msgspec.convert({**known.facts, "identity": ""}, Base)
            is_here = is_pulled(known.name, runtime.settings.pulled_bases)
            stored: BaseState = "stored" if is_here else "absent"
            of_it = stored if known.family in FAMILIES else "unsupported"
            found.append(_one(base, None, of_it, _routes(base, runtime)))
    return ListBasesResponse(bases=found)


def licence_on_wire(licence: Licence) -> BaseLicence:
    """A licence, as it travels."""
    return BaseLicence(name=licence.name, url=licence.url, hosting=licence.hosting, note=licence.note)


def _state(workers: Sequence[Worker], local: BaseState, runtime: Runtime) -> BaseState:
    """The best that this machine's engines or any worker is."""
    states = {state(worker, runtime) for worker in workers} | {local}
    order: tuple[BaseState, ...] = ("serving", "loading", "hanging")
    return next((one for one in order if one in states), "hanging")


def _routes(base: Base, runtime: Runtime) -> list[RouteKind]:
    found: list[RouteKind] = []
    for kind in ROUTE_KINDS:
        word = runtime.settings.base_of_routes[kind]
        drawn = runtime.bases.get(word) if word else runtime.base
        if (drawn.identity == base.identity and base.identity) if drawn else word in (base.known_as, base.name):
            found.append(kind)
    return found


def _told(workers: Sequence[Worker], runtime: Runtime) -> list[BaseWorker]:
    return [
        BaseWorker(
            worker=sha256_hex(worker.worker_id.encode())[:8],
            state=cast(WorkerState, state(worker, runtime)),
            device=worker.device,
            memory_bytes=worker.memory_bytes,
            custom_models=len(worker.adapters),
            seen_at=ids.wire_time(worker.seen_at),
        )
        for worker in workers
    ]


def _one(
    base: Base, identity: str | None, of_it: BaseState, routes: list[RouteKind], workers: Sequence[BaseWorker] = ()
) -> ServedBase:
    return ServedBase(
        name=base.name,
        family=base.family,
        identity=identity,
        state=of_it,
        licence=licence_on_wire(base.licence),
        native_pixels=base.native_pixels,
        size_multiple=base.size_multiple,
        max_text_tokens=base.max_text_tokens,
        can=BaseAbilities(
            negative_text=base.takes_negative_text,
            references=base.takes_references,
            instructions=base.takes_instructions,
            editing=True,
            transparent=base.draws_transparent,
            training=True,
        ),
        routes=routes,
        workers=list(workers),
    )
