"""``linocut workers``: the engine processes of a server, and asking them to finish and end, on the server's machine."""

from contextlib import closing
from typing import Annotated, Any

import typer

from linocut.cli.say import JsonFlag, answer
from linocut.cli.serve import DataOption
from linocut.db.database import Database
from linocut.environment import settings_with
from linocut.errors import NotFound
from linocut.ids import now, wire_time
from linocut.jobs import roster
from linocut.jobs.roster import GONE, LOST, Patience
from linocut.settings import Settings

app = typer.Typer(help="The engine processes of this server, wherever they run.", no_args_is_help=True)
GIB = 1 << 30


@app.command("list")
def list_(data: DataOption = None, as_json: JsonFlag = False) -> None:
    """Every engine process that has told of itself within a day: its base, device, state, and what it has in hand."""
    settings = settings_with(data=data)
    with closing(_database(settings)) as db, db.read() as tx:
        workers = roster.everybody(tx)
        places = {base: roster.places(tx, base) for base in {worker.base.identity for worker in workers}}
    told: list[dict[str, Any]] = [
        {
            "worker_id": worker.worker_id,
            "base": worker.base.identity,
            "name": worker.base.name,
            "state": roster.state_of(worker, now(), _patience(settings)),
            "device": worker.device,
            "memory_bytes": worker.memory_bytes,
            "places": places[worker.base.identity].get(worker.worker_id, 0),
            "custom_models": list(worker.adapters),
            "seen_at": wire_time(worker.seen_at),
        }
        for worker in workers
    ]
    lines = [
        f"{one['worker_id']}  {one['state']}  {one['name']}  {one['device'] or 'device not known yet'}"
        f"{_memory(one['memory_bytes'])}  {one['places']} in work  {len(one['custom_models'])} custom models loaded"
        for one in told
    ]
    answer({"workers": told}, "\n".join(lines) or "No engine process has told of itself yet.", as_json=as_json)


@app.command("drain")
def drain(
    worker_ids: Annotated[
        list[str] | None, typer.Argument(metavar="WORKER", help="Names from `linocut workers list`.")
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All of them, at once.")] = False,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask workers to take no more jobs, to finish their images, to give trainings back, and to end.

    Whoever started them starts them again: `linocut serve`, systemd, Kubernetes. They hear it with the next heartbeat.
    """
    if bool(worker_ids) == everyone:
        raise typer.BadParameter("name workers, or give --all: one of the two.")
    settings = settings_with(data=data)
    with closing(_database(settings)) as db, db.transaction() as tx:
        living = {
            worker.worker_id
            for worker in roster.everybody(tx)
            if roster.state_of(worker, now(), _patience(settings)) not in (GONE, LOST)
        }
        asked = living if everyone else set(worker_ids or [])
        if strange := sorted(asked - living):
            raise NotFound(f"No worker that lives has the name {', '.join(strange)}; `linocut workers list` has them.")
        roster.ask_to_drain(tx, sorted(asked))
    seconds = f"{settings.heartbeat_seconds:g} seconds"
    said = f"{len(asked)} asked; they hear it within {seconds}." if asked else "No worker lives; nobody was asked."
    answer({"asked": sorted(asked)}, said, as_json=as_json)


def _database(settings: Settings) -> Database:
    return Database.open(settings.resolved_database_url, create=False)


def _patience(settings: Settings) -> Patience:
    return Patience(settings.lease_seconds, settings.engine_silent_seconds)


def _memory(size: int | None) -> str:
    return "" if size is None else f" {size / GIB:.0f} GiB"


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="workers")
