"""Bases, as their room knows them, into our objects of the wire."""

import msgspec

from linocut.bases import FAMILIES, Base, Licence
from linocut.bases.known import catalogue
from linocut.bases.places import is_pulled
from linocut.runtime import Engines, Runtime
from linocut.wire import BaseAbilities, BaseLicence, ListBasesResponse, ServedBase
from linocut.wire.bases import BaseState

_STATES: dict[Engines, BaseState] = {
    Engines.READY: "serving",
    Engines.SILENT: "hanging",
    Engines.NONE: "loading",
}


def bases_of(runtime: Runtime) -> ListBasesResponse:
    """The base that is served, and those that are known by name."""
    served = runtime.base
    found = [_one(served, served.identity, _STATES[runtime.engines()])]
    for known in catalogue().values():
        if known.name != served.known_as:
            base = msgspec.convert({**known.facts, "identity": ""}, Base)
            here = is_pulled(known.name, runtime.settings.pulled_bases)
            state: BaseState = "stored" if here else "absent"
            found.append(_one(base, None, state if known.family in FAMILIES else "unsupported"))
    return ListBasesResponse(bases=found)


def licence_on_wire(licence: Licence) -> BaseLicence:
    """A licence, as it travels."""
    return BaseLicence(name=licence.name, url=licence.url, hosting=licence.hosting, note=licence.note)


def _one(base: Base, identity: str | None, state: BaseState) -> ServedBase:
    return ServedBase(
        name=base.name,
        family=base.family,
        identity=identity,
        state=state,
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
    )
