"""``linocut orgs``: organisations, on the server's machine: made, renamed, exported, removed and brought back."""

import os
import secrets
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection, select

from linocut.accounts import audit, members, organizations
from linocut.accounts.audit import OPERATOR
from linocut.cli.keys import open_database
from linocut.cli.say import JsonFlag, answer
from linocut.cli.serve import DataOption
from linocut.datasets.sentences import counted
from linocut.db import tables as t
from linocut.environment import settings_with
from linocut.errors import Conflict, InvalidRequest, NotFound
from linocut.files import fsync_folder, full_disk_told
from linocut.ids import now, wire_time
from linocut.leaving import departures
from linocut.leaving.export import Source, export, safe
from linocut.storage.store import Store

app = typer.Typer(help="Organisations of this server.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The organisation's name, or its id.")]


@app.command("list")
def list_(data: DataOption = None, as_json: JsonFlag = False) -> None:
    """Every organisation: its name, how many belong to it, and until when one that is being removed can come back."""
    with closing(open_database(data)) as db, db.read() as tx:
        query = select(t.organizations).where(t.organizations.c.purged_at.is_(None)).order_by(t.organizations.c.name)
        rows: list[dict[str, Any]] = [
            {
                "organization_id": row.organization_id,
                "name": row.name,
                "members": members.how_many(tx, row.organization_id),
                "created": wire_time(row.created_at),
                "removed_at": wire_time(row.purge_at) if row.purge_at else None,
            }
            for row in tx.execute(query)
        ]
    lines = [
        f"{row['organization_id']}  {row['name']:<24} {counted(row['members'], 'member')}"
        f"{'  removed for good at ' + str(row['removed_at']) if row['removed_at'] else ''}"
        for row in rows
    ]
    answer(rows, "\n".join(lines) or "There are no organisations yet.", as_json=as_json)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Its name.")], data: DataOption = None, as_json: JsonFlag = False
) -> None:
    """Make an organisation. `linocut users create NAME --org … --role OWNER` gives it an owner."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        organization_id = organizations.create(tx, name, by=OPERATOR)
    answer({"organization_id": organization_id, "name": name}, f"{name} is made: {organization_id}", as_json=as_json)


@app.command("rename")
def rename(
    name: Name,
    new: Annotated[str, typer.Argument(help="Its new name.")],
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Give an organisation another name; its keys, models and links stay as they are."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        organization_id = _standing(tx, name)
        organizations.rename(tx, organization_id, new, by=OPERATOR)
    answer({"organization_id": organization_id, "name": new}, f"{name} is called {new} now.", as_json=as_json)


@app.command("members")
def members_(name: Name, data: DataOption = None, as_json: JsonFlag = False) -> None:
    """Who belongs to an organisation, in which role, and who is invited."""
    with closing(open_database(data)) as db, db.read() as tx:
        rows = [
            {
                "user_id": one.person.user_id if one.person else None,
                "handle": one.person.handle if one.person else None,
                "email": one.person.email if one.person else one.email,
                "role": one.role,
                "invite_id": one.invite_id,
            }
            for one in members.listed(tx, _standing(tx, name))
        ]
    lines = [
        f"{row['role']:<7} {row['handle'] or '(invited)':<20} {row['email'] or '-':<28} "
        f"{row['user_id'] or row['invite_id']}"
        for row in rows
    ]
    answer(rows, "\n".join(lines) or f"Nobody belongs to {name}.", as_json=as_json)


@app.command("export")
def export_(
    name: Name,
    out: Annotated[Path | None, typer.Option("--out", help="The archive; without it NAME-DATE.zip here.")] = None,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Write all that belongs to an organisation into a ZIP: datasets, models, pictures, members, the audit log.

    The server may run meanwhile. The archive is there as a whole when this ends, or not at all."""
    settings = settings_with(data=data)
    store = Store.open(settings.storage_url or settings.data.absolute() / "store")
    with closing(open_database(data)) as db:
        with db.transaction() as tx:
            organization_id = _standing(tx, name)
            called = organizations.organization(tx, organization_id).name
            audit.record(tx, OPERATOR, "organization.exported", organization_id, organization_id)
        file = out or Path(f"{safe(called)}-{now():%Y-%m-%d}.zip")
        size = _write(file, Source(db, store), organization_id)
    facts = {"file": str(file), "bytes": size, "organization_id": organization_id}
    answer(facts, f"{file}: {size:,} bytes; manifest.json in it lists every file.", as_json=as_json)


@app.command("delete")
def delete(
    name: Name,
    days: Annotated[
        int | None, typer.Option("--days", min=0, max=365, help="How long it can come back (LINOCUT_DELETION_DAYS).")
    ] = None,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Remove an organisation: nobody gets in from now on, and after some days it is gone for good."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        given = settings_with(data=data).deletion_days if days is None else days
        left = departures.remove_organization(tx, _known(tx, name), given, OPERATOR)
    told = {"organization_id": left.object_id, "name": left.name, "removed_at": wire_time(left.purge_at)}
    until = f"gone at {told['removed_at']}. Until then `linocut orgs restore` brings it back."
    answer(told, f"{left.name} is refused from now on, and {until if given else NO_WAY_BACK}", as_json=as_json)


NO_WAY_BACK = "cannot be brought back. The server removes what belonged to it within an hour; the name is free then."


@app.command("restore")
def restore(name: Name, data: DataOption = None, as_json: JsonFlag = False) -> None:
    """Bring an organisation back that is being removed: its keys and members are as they were."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        organization_id = _known(tx, name)
        called = departures.restore_organization(tx, organization_id, OPERATOR)
    answer({"organization_id": organization_id, "name": called}, f"{called} is back.", as_json=as_json)


def _known(tx: Connection, name: str) -> str:
    """The id of an organisation by its name or id, also of one that is being removed. ``NotFound``."""
    found = organizations.find(tx, name)
    if found is None:
        by_id = select(t.organizations.c.organization_id).where(t.organizations.c.organization_id == name)
        found = tx.execute(by_id.where(t.organizations.c.purged_at.is_(None))).scalar()
    if found is None:
        raise NotFound(f"There is no organisation {name}; linocut orgs list shows them.")
    return str(found)


def _standing(tx: Connection, name: str) -> str:
    """The same of one that is not being removed. ``Conflict``."""
    organization_id = _known(tx, name)
    leaving = select(t.organizations.c.purge_at).where(t.organizations.c.organization_id == organization_id)
    purge_at = tx.execute(leaving).scalar()
    if purge_at is not None and purge_at <= now():
        raise Conflict(f"{name} is being removed, and the time in which it could be brought back is over.")
    if purge_at is not None:
        raise Conflict(f"{name} is being removed; linocut orgs restore brings it back.")
    return organization_id


def _write(file: Path, source: Source, organization_id: str) -> int:
    """How many bytes. Nobody else may read the file; until it is whole it has another name."""
    if file.exists():
        raise InvalidRequest(f"{file} is there already; name a new file with --out.")
    if not file.absolute().parent.is_dir():
        raise InvalidRequest(f"There is no folder {file.parent}; make it, or name another one with --out.")
    partial = file.with_name(f".{file.name}.{secrets.token_hex(6)}.partial")
    try:
        with full_disk_told():
            with open(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
                size = sum(stream.write(piece) for piece in export(source, organization_id))
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(file)
            fsync_folder(file.absolute().parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return size


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="orgs")
