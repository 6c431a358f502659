"""``linocut users``: who may sign in, on the server's machine."""

from contextlib import closing
from typing import Annotated

import typer
from sqlalchemy import Connection, select

from linocut.accounts import links, mails, members, organizations, people
from linocut.accounts.audit import OPERATOR, record
from linocut.accounts.people import Person
from linocut.cli.keys import new_word, open_database
from linocut.cli.reached import reached
from linocut.cli.say import JsonFlag, answer
from linocut.cli.serve import DataOption
from linocut.db import tables
from linocut.environment import settings_with
from linocut.errors import Conflict, NotFound
from linocut.ids import wire_time
from linocut.leaving import departures
from linocut.settings import Settings

app = typer.Typer(help="Users of this server: list them, make one, let one sign in.", no_args_is_help=True)


MailFlag = Annotated[bool, typer.Option("--mail", help="Mail the link (LINOCUT_SMTP_HOST) instead of printing it.")]


@app.command("list")
def list_(data: DataOption = None, as_json: JsonFlag = False) -> None:
    """Every user: handle, address, whether there is a password, the organisations with the roles there."""
    with closing(open_database(data)) as db, db.read() as tx:
        names, rows = organizations.names_of(tx), []
        stands = tables.users.c.purged_at.is_(None)
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
                    "removed_at": wire_time(user.purge_at) if user.purge_at else None,
                }
            )
    lines = [
        f"{row['user_id']}  {row['handle']:<16} {row['email'] or '-':<28} "
        f"{'password' if row['has_password'] else 'no password':<12} "
        + ", ".join(f"{role} of {name}" for name, role in row["organizations"].items())
        + (f"  removed for good at {row['removed_at']}" if row["removed_at"] else "")
        for row in rows
    ]
    answer(rows, "\n".join(line.rstrip() for line in lines) or "There are no users yet.", as_json=as_json)


@app.command("create")
def create(
    handle: Annotated[str, typer.Argument(help="The user's name on this server.")],
    email: Annotated[str | None, typer.Option("--email", help="The address to sign in with.")] = None,
    org: Annotated[str, typer.Option("--org", help="The organisation to belong to; made if there is none.")] = "home",
    role: Annotated[str, typer.Option("--role", help="OWNER, ADMIN or MEMBER.")] = "MEMBER",
    mail: MailFlag = False,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a user and a link with which they choose a password, good once and for an hour."""
    if role not in members.RANK:
        raise typer.BadParameter(f"{role} is none of OWNER, ADMIN, MEMBER.", param_hint="--role")
    with closing(open_database(data)) as db, db.transaction() as tx:
        is_new = organizations.find(tx, org) is None
        person = people.create(tx, handle, email, by=OPERATOR)
        organization_id = organizations.ensure_organization(tx, org)
        organizations.add_member(tx, organization_id, person.user_id, role)  # type: ignore[arg-type]  # checked above
        record(tx, OPERATOR, "member.added", person.user_id, organization_id, role=role)
        facts, told = _reaches(tx, data, person, mail=mail)
    facts = {"user_id": person.user_id, "handle": person.handle, **facts}
    answer(facts, f"{person.handle} is {role} of {org}{new_word(is_new)}. {told}", as_json=as_json)


@app.command("change")
def change(
    account: Annotated[str, typer.Argument(help="A handle or an address.")],
    email: Annotated[str, typer.Option("--email", help="The address to sign in with from now on.")],
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Give a user another e-mail address; see first that it is theirs."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        person = found(tx, account)
        people.set_email(tx, person.user_id, email, by=OPERATOR)
        person = people.get(tx, person.user_id)
    facts = {"user_id": person.user_id, "handle": person.handle, "email": person.email}
    answer(facts, f"{person.handle} signs in with {person.email} from now on.", as_json=as_json)


@app.command("link")
def link(
    account: Annotated[str | None, typer.Argument(help="A handle or an address; none: for the server's owner.")] = None,
    mail: MailFlag = False,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a new link to sign in with and to choose a new password, good once and for an hour."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        if account is None:
            if mail:
                raise typer.BadParameter("--mail needs the user whom the mail goes to.", param_hint="--mail")
            facts, url, warning = _link(settings_with(data=data), links.make(tx, "owner", OPERATOR))
            told = f"{warning}Good once, for an hour:\n{url}"
        else:
            facts, told = _reaches(tx, data, found(tx, account), mail=mail)
    answer(facts, told, as_json=as_json)


@app.command("delete")
def delete(
    account: Annotated[str, typer.Argument(help="A handle or an address.")],
    days: Annotated[
        int | None, typer.Option("--days", min=0, max=365, help="How long they can come back (LINOCUT_DELETION_DAYS).")
    ] = None,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Remove a user: refused from now on, with their keys, and after some days gone for good."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        given = settings_with(data=data).deletion_days if days is None else days
        user_id = found(tx, account).user_id
        names = [name for _, name in departures.alone_in(tx, user_id)]
        left = departures.remove_user(tx, user_id, given, OPERATOR)
    facts = {"user_id": left.object_id, "handle": left.name, "organizations": names}
    facts["removed_at"] = wire_time(left.purge_at)
    told = f"{left.name} is refused from now on, and gone at {facts['removed_at']}."
    told += f" With them go the organisations in which they are alone: {', '.join(names)}." if names else ""
    until = "Until then `linocut users restore` brings them back." if given else "They cannot be brought back."
    answer(facts, f"{told} {until}", as_json=as_json)


@app.command("restore")
def restore(
    account: Annotated[str, typer.Argument(help="A handle or an address.")],
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring a user back who is being removed: their keys, models and memberships are as they were."""
    with closing(open_database(data)) as db, db.transaction() as tx:
        gone = departures.leaving_account(tx, account)
        if gone is None:
            raise NotFound(f"There is no user {account} who is being removed.")
        names = [one.name for one in departures.gone_with(tx, gone[0])]
        handle = departures.restore_user(tx, gone[0], OPERATOR)
    back = f"{handle} is back, and signs in again." + (f" Back with them: {', '.join(names)}." if names else "")
    answer({"user_id": gone[0], "handle": handle, "organizations": names}, back, as_json=as_json)


def found(tx: Connection, account: str) -> Person:
    """The user of a handle or an address. ``NotFound``."""
    person = people.by_account(tx, account)
    if person is None:
        raise NotFound(f"There is no user {account}; linocut users list shows them.")
    return person


def _reaches(tx: Connection, data: DataOption, person: Person, *, mail: bool) -> tuple[dict[str, str | bool], str]:
    """A link to sign in with, as JSON and in words: to pass on, or queued as a mail. ``Conflict``."""
    settings = settings_with(data=data)
    if not mail:
        text = links.make(tx, "sign-in", OPERATOR, user_id=person.user_id)
        facts, url, warning = _link(settings, text)
        return facts, f"{warning}Pass this link on; it is good once, for an hour:\n{url}"
    if not settings.smtp_host:
        raise Conflict("No mail server is set (LINOCUT_SMTP_HOST); leave --mail out and pass the link on.")
    if person.email is None:
        raise Conflict(f"{person.handle} has no e-mail address; leave --mail out and pass the link on.")
    at = reached(settings)
    mail_id = mails.password_link(tx, person.user_id, person.email, at.origin)
    told = f"A mail to {person.email} is on its way as soon as the server runs; linocut mails list tells of it."
    return {"mail_id": mail_id, "address_is_guessed": bool(at.warning)}, f"{told} {at.warning}".rstrip()


def _link(settings: Settings, text: str) -> tuple[dict[str, str | bool], str, str]:
    """A link to the page to sign in on: as JSON, as text, and a sentence before it where its address is a guess."""
    at = reached(settings)
    url, warning = f"{at.origin}/manage/sign_in#link={text}", f"{at.warning} " if at.warning else ""
    return {"link": url, "address_is_guessed": bool(at.warning)}, url, warning


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="users")
