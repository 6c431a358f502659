"""``linocut users``: who may sign in, on the server's machine."""

from contextlib import closing
from typing import Annotated

import typer
from sqlalchemy import select

from linocut.accounts import links, members, organizations, people
from linocut.accounts.audit import OPERATOR
from linocut.cli.keys import open_database
from linocut.cli.say import JsonFlag, answer
from linocut.cli.serve import DataOption
from linocut.db import tables
from linocut.environment import settings_with
from linocut.errors import NotFound
from linocut.ids import wire_time

app = typer.Typer(help="Users of this server: list them, make one, let one sign in.", no_args_is_help=True)


@app.command("list")
def list_(data: DataOption = None, as_json: JsonFlag = False) -> None:
    """Every user: handle, address, whether there is a password, the organisations with the roles there."""
    with closing(open_database(data)) as db, db.read() as tx:
        names, rows = organizations.names_of(tx), []
        stands = tables.users.c.deleted_at.is_(None)
        for user in tx.execute(select(tables.users).where(stands).order_by(tables.users.c.name)).all():
            belongs = {
                names[one]: members.role_of(tx, one, user.user_id)
                for one in organizations.organizations_of(tx, user.user_id)
            }
            rows.append(
                {
                    "user_id": user.user_id,
                    "handle": user.name,
                    "email": user.email,
                    "has_password": user.password_hash is not None,
                    "organizations": belongs,
                    "created": wire_time(user.created_at),
                }
            )
    lines = [
        f"{row['user_id']}  {row['handle']:<16} {row['email'] or '-':<28} "
        f"{'password' if row['has_password'] else 'no password':<12} "
        + ", ".join(f"{role} of {name}" for name, role in row["organizations"].items())
        for row in rows
    ]
    answer(rows, "\n".join(line.rstrip() for line in lines) or "There are no users yet.", as_json=as_json)


@app.command("create")
def create(
    handle: Annotated[str, typer.Argument(help="The user's name on this server.")],
    email: Annotated[str | None, typer.Option("--email", help="The address to sign in with.")] = None,
    org: Annotated[str, typer.Option("--org", help="The organisation to belong to; made if there is none.")] = "home",
    role: Annotated[str, typer.Option("--role", help="OWNER, ADMIN or MEMBER.")] = "MEMBER",
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a user and a link with which they choose a password, good once and for an hour."""
    if role not in members.RANK:
        raise typer.BadParameter(f"{role} is none of OWNER, ADMIN, MEMBER.", param_hint="--role")
    with closing(open_database(data)) as db, db.transaction() as tx:
        person = people.create(tx, handle, email, by=OPERATOR)
        organization_id = organizations.ensure_organization(tx, org)
        organizations.add_member(tx, organization_id, person.user_id, role)  # type: ignore[arg-type]  # checked above
        link = links.make(tx, "sign-in", OPERATOR, user_id=person.user_id)
    url = _url(data, link)
    answer(
        {"user_id": person.user_id, "handle": person.handle, "link": url},
        f"{person.handle} is {role} of {org}. Pass this link on; it is good once, for an hour:\n{url}",
        as_json=as_json,
    )


@app.command("link")
def link(
    account: Annotated[str | None, typer.Argument(help="A handle or an address; none: for the server's owner.")] = None,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a new link to sign in with and to choose a new password, good once and for an hour."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        if account is None:
            text = links.make(tx, "owner", OPERATOR)
        else:
            person = people.by_account(tx, account)
            if person is None:
                raise NotFound(f"There is no user {account}; linocut users list shows them.")
            text = links.make(tx, "sign-in", OPERATOR, user_id=person.user_id)
    url = _url(data, text)
    answer({"link": url}, f"Good once, for an hour:\n{url}", as_json=as_json)


def _url(data: DataOption, text: str) -> str:
    settings = settings_with(data=data)
    origin = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    return f"{origin}/manage/sign_in#link={text}"


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="users")
