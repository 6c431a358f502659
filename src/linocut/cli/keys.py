"""``linocut keys``: make, list and revoke API keys on the server's machine, beside a running server or without one."""

import os
from contextlib import closing, suppress
from typing import Annotated, Any

import typer

from linocut.accounts import keys, organizations
from linocut.cli.say import JsonFlag, answer
from linocut.cli.serve import DataOption
from linocut.db.database import Database
from linocut.environment import settings_with
from linocut.folders import make_folder
from linocut.ids import wire_time

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
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a key and show it once: the server keeps only a digest of it.

    Put it into LINOCUT_API_KEY, or into the file ~/.config/linocut/key."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        user_id = organizations.ensure_user(tx, user)
        organization_id = organizations.ensure_organization(tx, org)
        if not organizations.is_member(tx, organization_id, user_id):
            organizations.add_member(tx, organization_id, user_id, "MEMBER")
        made = keys.create_key(tx, user_id=user_id, organization_id=organization_id, label=label)
    facts = {
        "api_key": made.api_key,
        "api_key_id": made.api_key_id,
        "user_id": user_id,
        "organization_id": organization_id,
    }
    answer(
        facts,
        f"{made.api_key}\n(shown once; key id {made.api_key_id}, user {user}, organisation {org})",
        as_json=as_json,
    )


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
            }
            for key in keys.list_keys(tx)
        ]
    lines = [
        f"{r['api_key_id']}  {r['redacted']:<12} {'revoked' if r['revoked'] else 'active':<8} "
        f"{r['user']} of {r['organization']}  {r['label'] or ''}".rstrip()
        for r in rows
    ]
    answer(rows, "\n".join(lines) or "There are no keys yet: linocut keys create makes one.", as_json=as_json)


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
