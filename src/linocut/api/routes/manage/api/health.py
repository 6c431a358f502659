"""/manage/api/health: how the server is, for its administrators."""

import asyncio
import shutil
from typing import Literal

from sqlalchemy import Connection, func, select

from linocut import __version__
from linocut.accounts.administrators import require_administrator
from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.api.served import standing_of
from linocut.db.tables import images
from linocut.folders import nearest
from linocut.ids import now
from linocut.jobs.standing import Standing, standing
from linocut.runtime import Engines, Runtime
from linocut.wire import BaseHealth, Disk, EngineProcess, Queue, ServerHealth

LEAST_FREE_GIB, LEAST_FREE_SHARE = 5.0, 0.1
GIB = 1 << 30
SLOW_SECONDS = 60.0
_STATES: dict[Engines, Literal["serving", "loading", "hanging"]] = {
    Engines.READY: "serving",
    Engines.SILENT: "hanging",
    Engines.NONE: "loading",
}


async def health(call: Call) -> ServerHealth:
    """Workers, base, queue and disk, as they are now."""

    def read(tx: Connection) -> tuple[Standing, int]:
        require_administrator(tx, call.caller.user_id)
        return standing(tx), int(tx.execute(select(func.count()).select_from(images)).scalar_one())

    work, count = await call.db.run_long_read(read)  # all images are counted: seconds, where there are millions
    bases = [
        BaseHealth(name=name, identity=base.identity if base else None, state=_STATES[how])
        for base, name, how in await standing_of(call)
    ]
    return await asyncio.to_thread(_told, call.runtime, work, count, bases, damaged=call.db.is_damaged())


def _told(runtime: Runtime, work: Standing, count: int, bases: list[BaseHealth], *, damaged: bool) -> ServerHealth:
    settings, disk = runtime.settings, _disk(runtime)
    workers = [
        EngineProcess(
            worker_id=name,
            state="ready" if age < settings.engine_silent_seconds else "hanging",
            silent_seconds=round(min(age, 1e9), 1),
        )
        for name, age in runtime.workers()
    ]
    queue = Queue(
        waiting=work.waiting,
        in_work=work.in_work,
        oldest_seconds=None if work.oldest is None else round(max(0.0, (now() - work.oldest).total_seconds()), 1),
        trainings_waiting=work.background_waiting,
        trainings_in_work=work.background_in_work,
    )
    ready = [one for one in bases if one.state == "serving"]
    return ServerHealth(
        version=__version__,
        state="damaged" if damaged else "ready" if ready else "hanging" if workers else "loading",
        loading=runtime.loading(),
        base=runtime.base.name,
        base_identity=runtime.base.identity,
        bases=bases,
        workers=workers,
        queue=queue,
        disk=disk,
        database="postgresql" if str(settings.resolved_database_url).startswith("postgres") else "sqlite",
        storage="s3" if str(settings.storage_url or "").startswith("s3:") else "folder",
        images=count,
        problems=_problems(workers, bases, queue, disk, damaged=damaged),
    )


def _problems(
    workers: list[EngineProcess], bases: list[BaseHealth], queue: Queue, disk: Disk, *, damaged: bool
) -> list[str]:
    found = []
    if damaged:
        found.append("The database is damaged and nothing is written to it; the server's log names the way back.")
    silent = [one.name for one in bases if one.state != "serving"]
    if len(silent) == len(bases) and not workers:
        found.append("No engine is ready: it loads its base, or none runs.")
    elif len(bases) > 1:
        found += [f"No engine draws with the base {name}: it loads, hangs, or none runs." for name in silent]
    found += [
        f"{one.worker_id} hangs: it has not turned for {one.silent_seconds:.0f} seconds."
        for one in workers
        if one.state == "hanging"
    ]
    if disk.low:
        found.append(f"The disk is nearly full: {disk.free_gib:g} GiB of {disk.total_gib:g} GiB are free.")
    if queue.oldest_seconds is not None and queue.oldest_seconds > SLOW_SECONDS:
        found.append(f"Somebody has waited for {queue.oldest_seconds:.0f} seconds in the queue.")
    return found


def _disk(runtime: Runtime) -> Disk:
    used = shutil.disk_usage(nearest(runtime.settings.data))
    low = used.free < min(LEAST_FREE_GIB * GIB, LEAST_FREE_SHARE * used.total)
    return Disk(total_gib=round(used.total / GIB, 1), free_gib=round(used.free / GIB, 1), low=low)


GET = Operation(
    "get_server_health", "How the server is: workers, base, queue, disk; for its administrators", "manage",
    Serves(health), answer=ServerHealth, refusals=(403,), ours=True,
)  # fmt: skip
