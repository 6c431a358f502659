"""``linocut keys``: make, list and revoke API keys on the server's machine, beside a running server or without one."""

import os
from contextlib import closing, suppress
from typing import Annotated, Any

import typer

from linocut.accounts import keys, organizations
from linocut.accounts.audit import OPERATOR
from linocut.accounts.types import KeyView
from linocut.cli.say import JsonFlag, answer
from linocut.cli.serve import DataOption
from linocut.db.database import Database
from linocut.environment import settings_with
from linocut.folders import make_folder
from linocut.ids import now, wire_time
from linocut.settings.lists import items_in

app = typer.Typer(help="API keys of this server.", no_args_is_help=True)

DEFAULT_USER, DEFAULT_ORGANIZATION = "owner", "home"


def open_database(data: DataOption) -> Database:
    """The data folder's database, made if there is none; the folder is closed to others."""
    settings = settings_with(data=data)
    if not settings.database_url:
        make_folder(settings.data)
        with suppress(PermissionError):  # a folder of somebody else's that we may write into is his to close
            os.chmod(settings.data, 0o700)  # it holds the secrets that keys and links are signed with
    return Database.open(settings.resolved_database_url)


@app.command("create")
def create(
    user: Annotated[str, typer.Option("--user", help="The user's name; made if there is none.")] = DEFAULT_USER,
    org: Annotated[
        str, typer.Option("--org", help="The organisation's name; made if there is none.")
    ] = DEFAULT_ORGANIZATION,
    label: Annotated[
        str | None, typer.Option("--label", help="A note to tell keys apart, at most 64 characters.")
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=3660, help="Days that it lives; without it for ever.")
    ] = None,
    scopes: Annotated[
        str | None,
        typer.Option("--scopes", help="What it may do, commas between: read, generate, datasets, train, models."),
    ] = None,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a key and show it once: the server keeps only a digest of it.

    Put it into LINOCUT_API_KEY, or into the file ~/.config/linocut/key."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        is_new = organizations.find(tx, org) is None
        user_id = organizations.ensure_user(tx, user)
        organization_id = organizations.ensure_organization(tx, org)
        ends = keys.Ends(days and days * 86_400, tuple(items_in(scopes)) if scopes is not None else None)
        made = keys.create_key(tx, user_id=user_id, organization_id=organization_id, label=label, ends=ends)
    facts = {
        "api_key": made.api_key,
        "api_key_id": made.api_key_id,
        "user_id": user_id,
        "organization_id": organization_id,
    }
    told = f"{made.api_key}\n(shown once; key id {made.api_key_id}, user {user}, organisation {org}{new_word(is_new)})"
    answer(facts, told, as_json=as_json)


def new_word(is_new: bool) -> str:
    """What stands behind an organisation's name that a verb has made: a slip in ``--org`` makes one too."""
    return " (made now)" if is_new else ""


@app.command("list")
def list_(data: DataOption = None, as_json: JsonFlag = False) -> None:
    """Every key: its id, what is left of its text, whether it still works, its user and organisation, its label."""
    with closing(open_database(data)) as db, db.read() as tx:
        names = organizations.names_of(tx)
        rows: list[dict[str, Any]] = [
            {
                "api_key_id": key.api_key_id,
                "redacted": key.redacted,
                "label": key.label,
                "user_id": key.user_id,
                "user": names.get(key.user_id),
                "organization_id": key.organization_id,
                "organization": names.get(key.organization_id),
                "created": wire_time(key.created_at),
                "revoked": wire_time(key.revoked_at) if key.revoked_at else None,
                "status": _status(key),
                "expires": wire_time(key.expires_at) if key.expires_at else None,
                "scopes": key.scopes,
                "last_used": wire_time(key.last_used_at) if key.last_used_at else None,
                "last_used_from": key.last_used_from,
            }
            for key in keys.list_keys(tx)
        ]
    lines = [
        f"{r['api_key_id']}  {r['redacted']:<12} {r['status']:<8} "
        f"{r['user']} of {r['organization']}  {r['label'] or ''}".rstrip()
        for r in rows
    ]
    answer(rows, "\n".join(lines) or "There are no keys yet: linocut keys create makes one.", as_json=as_json)


def _status(key: KeyView) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.disabled_at is not None:
        return "disabled"
    return "active" if key.works(now()) else "expired"


@app.command("disable")
def disable(
    api_key_id: Annotated[str, typer.Argument(help="The key's id (not its text): see linocut keys list.")],
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Deactivate a key: it works no longer, and stays in the lists of the console."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        keys.get(tx, api_key_id)
        keys.disable(tx, api_key_id, by=OPERATOR)
    answer({"api_key_id": api_key_id, "status": "disabled"}, f"{api_key_id} is deactivated.", as_json=as_json)


@app.command("rotate")
def rotate(
    api_key_id: Annotated[str, typer.Argument(help="The key's id (not its text): see linocut keys list.")],
    hours: Annotated[float, typer.Option("--hours", min=0, max=720, help="How long the old key goes on.")] = 24.0,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a new key in place of one, and show it once; the old one goes on for a while."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        made = keys.rotate(tx, api_key_id, round(hours * 3600), by=OPERATOR)
        old = keys.get(tx, api_key_id)
    ends = wire_time(made.expires_at) if made.expires_at else None
    old_ends = wire_time(old.expires_at) if old.expires_at else None
    facts = {"api_key": made.api_key, "api_key_id": made.api_key_id, "expires": ends}
    until = f", good until {ends}" if ends else ""
    told = f"{made.api_key}\n(shown once; key id {made.api_key_id}{until}; {api_key_id} goes on until {old_ends})"
    answer({**facts, "replaces": api_key_id, "replaced_expires": old_ends}, told, as_json=as_json)


@app.command("revoke")
def revoke(
    api_key_id: Annotated[str, typer.Argument(help="The key's id (not its text): see linocut keys list.")],
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Revoke a key: the next request with it is refused, also by a server that is running."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        keys.revoke_key(tx, api_key_id)
    answer({"api_key_id": api_key_id, "revoked": True}, f"Revoked {api_key_id}.", as_json=as_json)


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="keys")
