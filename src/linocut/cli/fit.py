"""Whether the base fits on this machine's device: the plan that the engine would load it by, with its figures."""

from typing import Any

from linocut.bases import Base, load_base
from linocut.bases.plan import told
from linocut.bases.reading import parts_of, weights_of
from linocut.bases.speech import head_of
from linocut.cli.checks import Finding, remembered
from linocut.engine.asked import Room
from linocut.errors import InvalidRequest, LinocutError, TooLarge
from linocut.runtime import base_folder
from linocut.settings import MIB, Settings
from linocut.workers.devices import REMOTE, VARIABLE, check_devices


def fit(settings: Settings) -> Finding:
    """The plan for the base that would be loaded; nothing of it is loaded for that."""
    if settings.engine != "torch":
        return Finding("fits", True, "the fake engine loads nothing")
    try:
        folder = base_folder(settings)
        base = load_base(folder, remembered(settings))
        for part in parts_of(folder)[0]:
            weights_of(folder, part)
    except LinocutError:
        return Finding("fits", False, "not looked at: see base", "Mend the base first.")
    try:
        return Finding("fits", True, _plan(settings, base))
    except TooLarge as refused:
        return Finding("fits", False, refused.message, "linocut bases list   (or what is said to fit instead)")
    except InvalidRequest as refused:
        for variable in (REMOTE, VARIABLE):
            if variable in refused.message:
                return Finding("fits", False, refused.message, f"unset {variable}   (or what is said to be possible)")
        return Finding("fits", False, "not looked at: see language models", "Mend the writer first.")


def _plan(settings: Settings, base: Base) -> str:
    """The plan in words. ``TooLarge`` where there is none."""
    from linocut.engine.device import open_machine  # late: torch
    from linocut.engine.resident import free_bytes
    from linocut.engine.room import planned

    check_devices(settings, base)
    machine = open_machine(settings.threads)
    asked: Any = {"purpose": settings.purpose, "precision": settings.precision, "tower": settings.text_tower}
    devices = settings.training_devices
    learn: Any = {"devices": devices, "divided": settings.training_shards == "on"}
    room = Room(memory_bytes=settings.engine_memory_mib * MIB, **learn, **asked)
    free = free_bytes(machine.on)
    beside = (settings.adapter_cache_mib + settings.tools_memory_mib) * MIB
    if settings.writer == "base":
        head = head_of(base, base_folder(settings), settings.writer_head)
        beside += head.bytes(settings.writer_tokens)
    plan = planned(base, base_folder(settings), machine.on, free, room, beside)
    if plan is None:
        learn_too = f", also for {devices} devices that learn" if devices > 1 else ""
        return f"{base.name} is small for this device ({free / (1 << 30):.1f} GiB free): nothing to plan{learn_too}"
    return told(plan, base.name).replace("\n", "\n      ")
