"""Makes the base resident and puts the real engine together around it. The first file behind the door to need torch."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import torch

from linocut import __version__
from linocut.bases import Base, Sampling
from linocut.bases.plan import Plan, part_bytes, told
from linocut.bases.sizes import sizes_of_folder
from linocut.engine.adapters.apply import Adapter
from linocut.engine.adapters.cache import AdapterCache
from linocut.engine.adapters.file import load_adapter
from linocut.engine.asked import Room
from linocut.engine.carriage import CARRIAGES, carriage_of
from linocut.engine.device import Machine, open_machine
from linocut.engine.door import Fetch
from linocut.engine.engine import RoutineEngine
from linocut.engine.executor import Broken, Executor
from linocut.engine.families.family import Family, load_family
from linocut.engine.judging import judge_by
from linocut.engine.loading import Loading
from linocut.engine.memory import MIB, Footprint
from linocut.engine.noise import start_noise
from linocut.engine.pass_memory import watch_passes
from linocut.engine.ranks.greeting import Lent
from linocut.engine.ranks.leader import Ranks
from linocut.engine.ranks.lending import Lending
from linocut.engine.ranks.rank import Opening
from linocut.engine.ranks.shards import Passes as Divided
from linocut.engine.ranks.shards import network_of
from linocut.engine.refusals import damaged_adapter
from linocut.engine.released import give_back
from linocut.engine.room import planned, precisions_here
from linocut.engine.routines.hands import Hands
from linocut.engine.scheduler import Scheduler
from linocut.engine.speech.opening import speaker_of
from linocut.engine.spoken import spoken
from linocut.engine.text_cache import TextCache
from linocut.engine.tools.tool import NO_TOOLS, ToolsAtHand
from linocut.engine.tools.toolbox import Toolbox
from linocut.engine.training.together import Together
from linocut.engine.units import BATCH_IMAGES, TRAINING_BATCH_IMAGES, DecodeLatents, Denoise, EncodeText
from linocut.engine.work import DeviceUnit, FullPass, Routine
from linocut.errors import InvalidRequest, Lost, NotReady
from linocut.observe import log
from linocut.orders import AdapterRef, Event, Order
from linocut.sizes import native_size

TEXT_CACHE_BYTES = 256 * MIB
BLANK_CELLS = 4
"""Cells of a side of a blank picture, with which a device takes part in a pass that it has no part of."""
MEMORY_SHARE = 0.5
"""The part of the memory beside the base that orders may hold from start to end; forward passes need the rest."""

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
MEMINFO = Path("/proc/meminfo")


def open_torch_engine(
    base: Base,
    base_folder: Path,
    threads: int,
    adapter_cache_bytes: int,
    room: Room | None = None,
    tools: ToolsAtHand = NO_TOOLS,
) -> RoutineEngine:
    """Plan what fits, load the base in ``base_folder`` by the plan, try it out, and return the engine that holds it.

    ``InvalidRequest`` when the folder lacks a part, ``TooLarge`` when it does not fit, ``NotReady`` when the base
    cannot draw.
    """
    room = room or Room()
    machine = open_machine(threads)
    writes = tools.base_writes
    beside = adapter_cache_bytes + tools.max_bytes + (writes.bytes if writes else 0)
    plan = planned(base, base_folder, machine.on, free_bytes(machine.on), room, beside)
    how = loading(plan, base_folder, machine.on, room)
    if room.divided:
        how = _divided(how)
    machine = replace(machine, precision=how.dtype)
    if plan is not None:
        log("engine").info("the plan\n" + told(plan, base.name))
    with _ranks(base, base_folder, machine, how, room) as ranks:  # they load meanwhile
        family = load_family(base.family, base_folder, machine.on, how)
        if ranks and room.divided:
            network_of(family)
            ranks.divide(family, BLANK_CELLS * base.size_multiple)
        engine = engine_over(base, family, machine.on, adapter_cache_bytes, room.memory_bytes, tools, plan, ranks)
    log("engine").info(
        "base resident", base=base.identity, machine=machine.description, weights=how.precision, **_peak(machine.on)
    )
    return engine


def _divided(how: Loading) -> Loading:
    """The way of loading for a base in parts. ``InvalidRequest`` for quantised weights."""
    if how.precision not in ("bf16", "fp32"):
        raise InvalidRequest(
            "LINOCUT_TRAINING_SHARDS=on divides weights in bf16 or fp32, and LINOCUT_PRECISION comes to "
            f"{how.precision}. Set LINOCUT_PRECISION=bf16."
        )
    return replace(how, divided=how.on.type != "cpu")


@contextmanager
def _ranks(base: Base, folder: Path, machine: Machine, how: Loading, room: Room) -> Iterator[Ranks | None]:
    """The further devices that learn; ended again where the engine does not come to be."""
    devices, remote = room.devices, room.remote
    if devices == 1 and remote is None:
        yield None
        return
    names = tuple("cpu" if machine.on.type == "cpu" else f"cuda:{index}" for index in range(1, devices))
    where = base.family, folder, how.precision, machine.threads, machine.on, names
    opening = Opening(*where, divided=room.divided)
    if remote is None:
        ranks = Ranks(opening)
    else:
        wanted = Lent(base=base.identity, kind=machine.on.type, name="", version=__version__)
        ranks = Ranks(opening, Lending(remote.listen, remote.secret, wanted, opening.lent), remote.devices)
    try:
        yield ranks
    except BaseException:
        ranks.close()
        raise


def loading(plan: Plan | None, folder: Path, on: torch.device, room: Room) -> Loading:
    """How the parts are loaded: by the plan, or as asked where there is none."""
    precision = plan.precision if plan else precisions_here(folder, on.type == "cpu", room)[0]
    sizes = {part.name: part_bytes(part, precision) for part in sizes_of_folder(folder).parts}
    begun: list[str] = []

    def tell(part: str) -> None:
        room.told(part, sum(sizes.get(one, 0) for one in begun), sum(sizes.values()))
        begun.append(part)

    if plan is None:
        return Loading(on, precision, told=tell)
    away = plan.tower != "device" and on.type != "cpu"
    return Loading(on, precision, away, plan.second_on_host, tell, tower_released=plan.tower == "released")


def _peak(on: torch.device) -> dict[str, str]:
    """What a GPU has held at most so far, for whoever compares it with the plan."""
    if on.type != "cuda":
        return {}
    return {"peak_gib": f"{torch.cuda.max_memory_allocated(on) / (1 << 30):.2f}"}


def engine_over(
    base: Base,
    family: Family,
    on: torch.device,
    adapter_cache_bytes: int,
    memory_bytes: int = 0,
    tools: ToolsAtHand = NO_TOOLS,
    plan: Plan | None = None,
    ranks: Ranks | None = None,
) -> RoutineEngine:
    """The engine over a family that is loaded on the device ``on``. ``NotReady`` when it cannot draw.

    ``memory_bytes`` is what orders and passes may take beside the base; 0: what is free now but for the tools, and no
    limit of a pass. By a plan it is what is free but for the worst pass, and training begins as carefully as it says.
    ``ranks``: the further devices that learn.
    """
    toolbox = Toolbox(str(on), tools.max_bytes, weights=tools.weights, endpoints=tools.endpoints)
    for name in tools.at_start:
        toolbox.load(name)
    watch = watch_passes(on, memory_bytes - round(memory_bytes * MEMORY_SHARE))
    if ranks and ranks.is_divided:
        watch = partial(Divided(family, ranks.take_part).watched, watch)
    executor = Executor(family, on, watch, str if base.reads_structure else spoken)
    writes = tools.base_writes
    speaker = speaker_of(base, family, on, writes) if writes else None
    footprint = try_out(base, family, executor, on, writes.caption_bytes if writes else 0)
    if plan is not None and plan.purpose != "training":
        footprint = replace(footprint, references=plan.references)
    give_back(family)
    cache = AdapterCache(adapter_cache_bytes)
    for carriage in CARRIAGES.values():
        carriage.routine()  # what it imports is loaded now, not while somebody waits

    def make(order: Order, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]) -> Routine:
        load = partial(load_for, base, family, on, cache, fetch)
        beside = careful, tools.compares, speaker, partial(give_back, family), Together(ranks)
        hands = Hands(key, family, base, on, fetch, load, toolbox, workspace, emit, *beside)
        routine: Routine = carriage_of(order).routine()(order, hands)
        return routine

    careful = plan is not None and plan.recompute
    rows, columns = family.grid(*_native(base))
    images = plan.images if plan else BATCH_IMAGES
    background_full = FullPass(TRAINING_BATCH_IMAGES, rows * columns, base.max_text_tokens)
    return RoutineEngine(
        identity=base.identity,
        executor=executor,
        scheduler=Scheduler(Denoise.kind, Denoise.budget(background_full)),
        full=FullPass(images, rows * columns, base.max_text_tokens),
        background_full=background_full,
        make_routine=make,
        texts=TextCache(TEXT_CACHE_BYTES),
        footprint=footprint,
        budget_bytes=_budget(memory_bytes, max(0, free_bytes(on) - tools.max_bytes), plan),
        judge=judge_by(tools.safety),
        at_close=ranks.close if ranks else _nothing,
    )


def _nothing() -> None:
    """Nobody works beside the engine."""


def _budget(memory_bytes: int, free: int, plan: Plan | None) -> int:
    """What orders may hold from start to end: what a plan leaves beside its worst pass, else a share."""
    if memory_bytes or plan is None:
        return round((memory_bytes or free) * MEMORY_SHARE)
    return max(0, free - plan.pass_bytes)


def load_for(
    base: Base, family: Family, on: torch.device, cache: AdapterCache, fetch: Fetch, ref: AdapterRef
) -> Adapter:
    """The adapter that ``ref`` names, from the cache or from ``fetch``; called in a helper thread.

    ``RunFailed`` when its bytes are gone or changed, ``InvalidRequest`` when they are no adapter of this base.
    """

    def load() -> Adapter:
        try:
            adapter, _ = load_adapter(fetch(ref.sha256), targets=family.lora_targets(), base=base.identity, on=on)
        except Lost as gone:
            raise damaged_adapter() from gone
        if adapter.sha256 != ref.sha256:
            raise damaged_adapter()
        return adapter

    return cache.get(ref.sha256, load)


def try_out(base: Base, family: Family, executor: Executor, on: torch.device, writing: int = 0) -> Footprint:
    """Draw one step of a native image -> what orders on this base will hold, ``writing`` a caption among them. It also
    warms every kernel up.

    ``NotReady`` when the base cannot do it, or what comes out is not finite: better now than in somebody's image.
    """
    grid = family.grid(*_native(base))
    text = _must(executor, EncodeText(""))
    noise = start_noise(0, family.latent_shape(grid))
    first = family.plan(Sampling(steps=1, guidance=2.0), *_native(base)).steps[0]
    velocity = _must(executor, Denoise(noise, grid, first.sigma, text, None, first.guidance))
    pixels_HWC = _must(executor, DecodeLatents(noise.to(velocity.device) - velocity, grid))
    return Footprint(
        latent_bytes_per_pixel=noise.nbytes / (pixels_HWC.shape[0] * pixels_HWC.shape[1]),
        text_bytes_per_token=ceil(text.nbytes / text.tokens),
        lora_features=sum(i + o for i, o in family.lora_targets().values()),
        on_host=on.type == "cpu",
        writing_bytes=writing,
    )


def free_bytes(on: torch.device) -> int:
    """Memory that is free for this process on the device: on a CPU, what the machine has left, within its container."""
    if on.type == "cuda":
        return int(torch.cuda.mem_get_info(on)[0])
    limit = CGROUP_LIMIT.read_text().strip() if CGROUP_LIMIT.exists() else "max"
    return _free_ram() if limit == "max" else min(_free_ram(), int(limit))


def _free_ram() -> int:
    """What the kernel could give out now; half of the whole where it does not say."""
    if MEMINFO.exists():
        [kib] = [line.split()[1] for line in MEMINFO.read_text().splitlines() if line.startswith("MemAvailable:")]
        return int(kib) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _native(base: Base) -> tuple[int, int]:
    return native_size(base.native_pixels, base.native_pixels, base.native_pixels, base.size_multiple)


def _must(executor: Executor, unit: DeviceUnit) -> Any:
    [outcome] = executor.run([unit])
    if isinstance(outcome, Broken):
        log("engine").error("the base was tried out and failed", unit=unit.kind, error=repr(outcome.error))
        raise NotReady(
            "The base cannot draw on this machine: check its files, the memory of the device, and "
            "LINOCUT_ENGINE_MEMORY_MIB if it is set."
        ) from outcome.error
    return outcome.result
