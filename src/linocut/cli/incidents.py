"""``linocut incidents``: what the public status page tells of incidents, written on the server's machine."""

from contextlib import closing
from datetime import datetime
from typing import Annotated, Any

import typer

from linocut.cli.keys import open_database
from linocut.cli.say import JsonFlag, answer
from linocut.cli.serve import DataOption
from linocut.ids import wire_time
from linocut.status import incidents
from linocut.status.parts import IMPACTS, INCIDENT_STATUSES, PARTS, Incident

app = typer.Typer(help="Incidents on the public status page (/status).", no_args_is_help=True)

Body = Annotated[str, typer.Option("--body", help="What is told of it.")]
Id = Annotated[str, typer.Argument(help="The incident's id: see linocut incidents list.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What it is called, such as: Images take long.")],
    body: Body,
    impact: Annotated[str, typer.Option("--impact", help=f"One of {', '.join(IMPACTS)}.")] = "minor",
    part: Annotated[
        list[str] | None, typer.Option("--part", help=f"A part it is about, may be given again: {', '.join(PARTS)}.")
    ] = None,
    status: Annotated[
        str, typer.Option("--status", help=f"One of {', '.join(INCIDENT_STATUSES[:-1])}.")
    ] = "investigating",
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Open an incident. The parts that it is about are told to be no better than its impact."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        made = incidents.add(tx, name, body, impact=impact, parts=part or (), status=status)  # type: ignore[arg-type]
    answer(_told(made), f"Opened {made.incident_id}. It is on /status within seconds.", as_json=as_json)


@app.command("update")
def update(
    incident_id: Id,
    body: Body,
    status: Annotated[str, typer.Option("--status", help=f"One of {', '.join(INCIDENT_STATUSES)}.")] = "identified",
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Tell what is new of an incident. What was told before stays."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        found = incidents.tell(tx, incident_id, status, body)  # type: ignore[arg-type]  # checked there
    answer(_told(found), f"{found.name}: {found.status}.", as_json=as_json)


@app.command("resolve")
def resolve(
    incident_id: Id, body: Body = "This incident is resolved.", data: DataOption = None, as_json: JsonFlag = False
) -> None:
    """An incident is over."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        found = incidents.tell(tx, incident_id, "resolved", body)
    answer(_told(found), f"{found.name}: resolved.", as_json=as_json)


@app.command("list")
def list_(
    most: Annotated[int, typer.Option("--most", min=1, max=1000, help="How many, the newest first.")] = 20,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Incidents, the newest first."""
    with closing(open_database(data)) as db, db.read() as tx:
        found = incidents.latest(tx, most)
    lines = [
        f"{one.incident_id}  {one.created_at:%Y-%m-%d %H:%M}  {one.status:<13}  {one.impact:<8}  {one.name}"
        for one in found
    ]
    answer([_told(one) for one in found], "\n".join(lines) or "There were no incidents.", as_json=as_json)


def _told(one: Incident) -> dict[str, Any]:
    def when(at: datetime | None) -> str | None:
        return None if at is None else wire_time(at)

    updates = [{"status": each.status, "body": each.body, "created_at": when(each.created_at)} for each in one.updates]
    return {
        "incident_id": one.incident_id,
        "name": one.name,
        "status": one.status,
        "impact": one.impact,
        "parts": list(one.parts),
        "created_at": when(one.created_at),
        "resolved_at": when(one.resolved_at),
        "updates": updates,
    }


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="incidents")
