"""Users, organisations and who belongs where. A name again is the same one again."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Table, select, update

from linocut.accounts.audit import OPERATOR, Actor, record
from linocut.db.dialect import insert_if_absent, upsert
from linocut.db.tables import members, organizations, users
from linocut.errors import Conflict, InvalidRequest
from linocut.ids import new_id, now

Role = Literal["OWNER", "ADMIN", "MEMBER"]

MAX_NAME = 64


def ensure_user(tx: Connection, name: str, *, by: Actor = OPERATOR) -> str:
    """The id of the user called ``name``, made if there was none: then ``by`` made it, for the audit log.

    ``InvalidRequest`` for a name that is no name; ``Conflict`` for one who is being removed.
    """
    user_id, is_new = _ensure(tx, users, "user_id", name)
    if is_new:
        record(tx, by, "user.created", user_id, handle=name)
    return user_id


def ensure_organization(tx: Connection, name: str, *, by: Actor = OPERATOR) -> str:
    """The id of the organisation called ``name``, made if there was none; ``by`` and errors as above."""
    organization_id, is_new = _ensure(tx, organizations, "organization_id", name)
    if is_new:
        record(tx, by, "organization.created", organization_id, organization_id, name=name)
    return organization_id


def add_member(tx: Connection, organization_id: str, user_id: str, role: Role = "MEMBER") -> None:
    """Make the user a member with this role; a member already gets the new role."""
    membership = {"organization_id": organization_id, "user_id": user_id, "role": role, "created_at": now()}
    upsert(tx, members, membership, keys=["organization_id", "user_id"], update=["role"])


def is_member(tx: Connection, organization_id: str, user_id: str) -> bool:
    """Whether the user belongs to the organisation, in any role, and it stands."""
    membership = (
        select(members.c.role)
        .join(organizations, organizations.c.organization_id == members.c.organization_id)
        .where(members.c.organization_id == organization_id, members.c.user_id == user_id)
        .where(organizations.c.deleted_at.is_(None))
    )
    return tx.execute(membership).first() is not None


def organizations_of(tx: Connection, user_id: str) -> list[str]:
    """The ids of the organisations that the user belongs to, oldest membership first."""
    mine = (
        select(members.c.organization_id)
        .join(organizations, organizations.c.organization_id == members.c.organization_id)
        .where(members.c.user_id == user_id, organizations.c.deleted_at.is_(None))
    )
    return list(tx.execute(mine.order_by(members.c.created_at, members.c.organization_id)).scalars())


def find(tx: Connection, name: str) -> str | None:
    """The id of an organisation by its name, also of one that is being removed; None for none."""
    found = tx.execute(select(organizations.c.organization_id).where(organizations.c.name == name)).scalar()
    return None if found is None else str(found)


def create(tx: Connection, name: str, *, by: Actor) -> str:
    """The id of a new organisation. ``Conflict`` for a name that is taken; ``InvalidRequest``."""
    if find(tx, name) is not None:
        raise Conflict(f"There is an organisation called {name} already.")
    return ensure_organization(tx, name, by=by)


def rename(tx: Connection, organization_id: str, name: str, *, by: Actor) -> None:
    """Another name. ``Conflict`` for one that is taken; ``InvalidRequest``."""
    _check_name(name)
    if find(tx, name) not in (None, organization_id):
        raise Conflict(f"There is an organisation called {name} already.")
    tx.execute(update(organizations).where(organizations.c.organization_id == organization_id).values(name=name))
    record(tx, by, "organization.changed", organization_id, organization_id, name=name)


@dataclass(frozen=True)
class Organization:
    """``detects_copyright``: its requests are answered as if each asked for copyright detection."""

    organization_id: str
    name: str
    detects_copyright: bool


def organization(tx: Connection, organization_id: str) -> Organization:
    """An organisation that stands."""
    row = tx.execute(select(organizations).where(organizations.c.organization_id == organization_id)).one()
    return Organization(row.organization_id, row.name, bool(row.copyright_detection_enabled))


def detects_copyright(tx: Connection, organization_id: str) -> bool:
    """Whether each of its requests asks for copyright detection."""
    own = select(organizations.c.copyright_detection_enabled)
    return bool(tx.execute(own.where(organizations.c.organization_id == organization_id)).scalar())


def set_copyright_detection(tx: Connection, organization_id: str, enabled: bool, *, by: Actor) -> None:
    """For all of its requests from now on."""
    mine = update(organizations).where(organizations.c.organization_id == organization_id)
    tx.execute(mine.values(copyright_detection_enabled=enabled))
    record(tx, by, "organization.changed", organization_id, organization_id, copyright_detection_enabled=enabled)


def names_of(tx: Connection) -> dict[str, str]:
    """The name of every user and organisation by its id."""
    tables = ((users, "user_id"), (organizations, "organization_id"))
    rows = [row for table, id_column in tables for row in tx.execute(select(table.c[id_column], table.c.name))]
    return {str(identifier): str(name) for identifier, name in rows}


def organization_names(tx: Connection) -> dict[str, str]:
    """The names of the organisations that stand, by id, the oldest first."""
    stand = select(organizations).where(organizations.c.deleted_at.is_(None))
    rows = tx.execute(stand.order_by(organizations.c.created_at, organizations.c.organization_id))
    return {row.organization_id: row.name for row in rows}


def _ensure(tx: Connection, table: Table, id_column: str, name: str) -> tuple[str, bool]:
    """(id, whether it was made now)."""
    _check_name(name)
    by_name = select(table.c[id_column]).where(table.c.name == name)
    found = tx.execute(by_name).scalar()
    leaving = tx.execute(select(table.c.purge_at).where(table.c.name == name, table.c.deleted_at.is_not(None))).first()
    if leaving is not None and leaving.purge_at is not None and leaving.purge_at <= now():
        raise Conflict(
            f"{name} is being removed for good, within an hour; the name is free then. Or take another name."
        )
    if leaving is not None:
        verb = "users" if table is users else "orgs"
        raise Conflict(f"{name} is being removed; `linocut {verb} restore` brings it back. Or take another name.")
    if found is not None:
        return str(found), False
    made = new_id()
    insert_if_absent(tx, table, {id_column: made, "name": name, "created_at": now()}, keys=["name"])
    found = str(tx.execute(by_name).scalar_one())
    return found, found == made


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        raise InvalidRequest(
            f"name: give 1 to {MAX_NAME} printable characters without spaces at either end; got {name[:80]!r}."
        )
