"""Who belongs to an organisation and what they may do there; invites for those who are not users yet.

The roles: OWNER may do everything, ADMIN everything but what touches owners, MEMBER what is their own. An organisation
that has owners always keeps one: every function runs in one transaction, and transactions take turns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, func, select, update

from linocut.accounts import keys, people
from linocut.accounts.audit import Action, Actor, record
from linocut.accounts.organizations import Role, add_member
from linocut.accounts.people import Person
from linocut.db.tables import identities, invites, members, organizations, users
from linocut.errors import Conflict, Forbidden, InvalidRequest, LinocutError, NotFound
from linocut.ids import new_id, now

RANK: dict[str, int] = {"MEMBER": 0, "ADMIN": 1, "OWNER": 2}
INVITE_GOOD_FOR = timedelta(days=7)
MOST_AT_ONCE = 100


@dataclass(frozen=True)
class Named:
    """How a request names somebody: by any of the three; those that are there must mean one person."""

    user_id: str | None = None
    handle: str | None = None
    email: str | None = None


@dataclass(frozen=True)
class Member:
    """A member, or somebody who is invited: then ``person`` is None and the rest tells of the invite."""

    person: Person | None
    email: str | None
    role: Role
    invite_id: str | None = None
    invite_expires_at: datetime | None = None


@dataclass(frozen=True)
class Result:
    """What became of one of many. ``invite_id``: of an invite that was made."""

    success: bool
    message: str
    invite_id: str | None = None


def role_of(tx: Connection, organization_id: str, user_id: str) -> Role | None:
    """The user's role, None for no member, and for an organisation that is being removed."""
    stands = organizations.c.organization_id == members.c.organization_id, organizations.c.deleted_at.is_(None)
    row = select(members.c.role).join(organizations, and_(*stands))
    mine = members.c.organization_id == organization_id, members.c.user_id == user_id
    return tx.execute(row.where(*mine)).scalar()


def require(tx: Connection, organization_id: str, user_id: str, least: Role) -> Role:
    """The user's role. ``NotFound`` for no member, whether or not there is such an organisation; ``Forbidden``."""
    role = role_of(tx, organization_id, user_id)
    if role is None:
        raise NotFound("There is no organisation of that organization_id with you as a member.")
    if RANK[role] < RANK[least]:
        raise Forbidden(f"That takes the role {least}, and you are {role} of this organisation.")
    return role


def how_many(tx: Connection, organization_id: str) -> int:
    """Members; invites do not count."""
    joined = members.join(users, users.c.user_id == members.c.user_id)
    count = select(func.count()).select_from(joined)
    mine = members.c.organization_id == organization_id, users.c.deleted_at.is_(None)
    return int(tx.execute(count.where(*mine)).scalar_one())


def listed(tx: Connection, organization_id: str) -> list[Member]:
    """Members by their role and handle, then those who are invited."""
    rows = tx.execute(
        select(users, members.c.role)
        .join(members, users.c.user_id == members.c.user_id)
        .where(members.c.organization_id == organization_id, users.c.deleted_at.is_(None))
        .order_by(users.c.name)
    )
    found = [Member(people.person_of(row), None, row.role) for row in rows]
    found.sort(key=lambda member: -RANK[member.role])
    pending = invites.c.organization_id == organization_id, invites.c.status == "PENDING"
    for row in tx.execute(select(invites).where(*pending).order_by(invites.c.created_at)):
        found.append(Member(None, row.email, row.role, row.invite_id, row.expires_at))
    return found


def add(tx: Connection, organization_id: str, named: Sequence[Named], by: Actor) -> list[Result]:
    """Add users as members, and invite addresses that no user has. One that fails stops no other."""
    return _each(named, lambda one: _add(tx, organization_id, one, by))


def remove(tx: Connection, organization_id: str, named: Sequence[Named], by: Actor, role: Role) -> list[Result]:
    """Remove members; their keys and sessions are worth nothing here from now on. ``role``: of whoever asks."""
    return _each(named, lambda one: _remove(tx, organization_id, one, by, role))


def leave(tx: Connection, organization_id: str, user_id: str, by: Actor) -> None:
    """The user goes by themselves, whatever their role; their keys there are worth nothing from now on.

    ``NotFound`` for no member; ``Conflict`` for the last owner.
    """
    theirs = require(tx, organization_id, user_id, "MEMBER")
    if theirs == "OWNER" and len(owners_of(tx, organization_id)) <= 1:
        raise Conflict(
            "You are the last owner of this organisation, so you cannot leave it: make another member an owner first, "
            "or remove the organisation."
        )
    _end_membership(tx, organization_id, user_id, theirs, by)


def set_role(
    tx: Connection, organization_id: str, named: Sequence[Named], new: Role, by: Actor, role: Role
) -> list[Result]:
    """Give members another role. Only owners make and unmake owners."""
    return _each(named, lambda one: _set_role(tx, organization_id, one, new, by, role))


def invite_of(tx: Connection, organization_id: str, invite_id: str) -> Member:
    """An invite that is pending. ``NotFound``."""
    which = invites.c.invite_id == invite_id, invites.c.organization_id == organization_id
    row = tx.execute(select(invites).where(*which, invites.c.status == "PENDING")).first()
    if row is None:
        raise NotFound("There is no pending invite of that invite_id.")
    return Member(None, row.email, row.role, row.invite_id, row.expires_at)


def cancel_invite(tx: Connection, organization_id: str, invite_id: str, by: Actor) -> None:
    """Its links are good no longer. ``NotFound``."""
    invite = invite_of(tx, organization_id, invite_id)
    tx.execute(update(invites).where(invites.c.invite_id == invite_id).values(status="CANCELLED"))
    record(tx, by, "member.invite_cancelled", invite_id, organization_id, email=invite.email)


def renew_invite(tx: Connection, organization_id: str, invite_id: str) -> Member:
    """The invite is good for a week from now. ``NotFound``."""
    invite_of(tx, organization_id, invite_id)
    tx.execute(update(invites).where(invites.c.invite_id == invite_id).values(expires_at=now() + INVITE_GOOD_FOR))
    return invite_of(tx, organization_id, invite_id)


def accept_invite(tx: Connection, invite_id: str, user_id: str, by: Actor) -> None:
    """The user is a member from now on. ``NotFound`` for an invite that was cancelled, used or has ended."""
    row = tx.execute(select(invites).where(invites.c.invite_id == invite_id, invites.c.status == "PENDING")).first()
    stands = None if row is None else _stands(tx, row.organization_id)
    if row is None or row.expires_at <= now() or not stands:
        raise NotFound("This invite is not good any more; ask for another one.")
    tx.execute(update(invites).where(invites.c.invite_id == invite_id).values(status="ACCEPTED"))
    if role_of(tx, row.organization_id, user_id) is None:
        add_member(tx, row.organization_id, user_id, row.role)
        record(tx, by, "member.added", user_id, row.organization_id, role=row.role)


def has_owner(tx: Connection) -> bool:
    """Whether anybody who can sign in, here or elsewhere, owns an organisation."""
    owners = (
        select(members.c.user_id)
        .join(users, users.c.user_id == members.c.user_id)
        .join(organizations, organizations.c.organization_id == members.c.organization_id)
        .where(organizations.c.deleted_at.is_(None))
    )
    elsewhere = select(identities.c.user_id).where(identities.c.user_id == users.c.user_id).exists()
    can = members.c.role == "OWNER", users.c.password_hash.is_not(None) | elsewhere, users.c.deleted_at.is_(None)
    return tx.execute(owners.where(*can).limit(1)).first() is not None


def owners_of(tx: Connection, organization_id: str) -> list[str]:
    """The ids of its owners who stand, whoever joined first comes first."""
    owners = (
        select(members.c.user_id)
        .join(users, users.c.user_id == members.c.user_id)
        .where(members.c.organization_id == organization_id, members.c.role == "OWNER", users.c.deleted_at.is_(None))
        .order_by(members.c.created_at, members.c.user_id)
    )
    return list(tx.scalars(owners))


def _stands(tx: Connection, organization_id: str) -> bool:
    one = organizations.c.organization_id == organization_id, organizations.c.deleted_at.is_(None)
    return tx.execute(select(organizations.c.name).where(*one)).first() is not None


def _each(named: Sequence[Named], act: Callable[[Named], Result]) -> list[Result]:
    if not 1 <= len(named) <= MOST_AT_ONCE:
        raise InvalidRequest(f"members: name 1 to {MOST_AT_ONCE} of them in one request.", field="members")
    results = []
    for one in named:
        try:
            results.append(act(one))
        except LinocutError as refused:
            results.append(Result(False, refused.message))
    return results


def _add(tx: Connection, organization_id: str, one: Named, by: Actor) -> Result:
    person = _find(tx, one)
    if person is not None:
        if role_of(tx, organization_id, person.user_id) is not None:
            raise Conflict(f"{person.handle} is a member already.")
        add_member(tx, organization_id, person.user_id)
        waiting = invites.c.organization_id == organization_id, invites.c.email == person.email
        tx.execute(update(invites).where(*waiting, invites.c.status == "PENDING").values(status="ACCEPTED"))
        record(tx, by, "member.added", person.user_id, organization_id, role="MEMBER")
        return Result(True, f"{person.handle} is a member now.")
    if one.email is None:
        raise NotFound("There is no such user; name an e-mail address to invite somebody.")
    email = people.checked_email(one.email)
    people.check_not_leaving(tx, email)  # or the link of the invite could never be used
    pending = invites.c.organization_id == organization_id, invites.c.email == email, invites.c.status == "PENDING"
    if tx.execute(select(invites.c.invite_id).where(*pending)).first() is not None:
        raise Conflict(f"{email} is invited already; send that invite again.")
    row = {"invite_id": new_id(), "organization_id": organization_id, "email": email, "role": "MEMBER"}
    ends = {"created_at": now(), "expires_at": now() + INVITE_GOOD_FOR}
    tx.execute(invites.insert().values(**row, **ends, status="PENDING"))
    record(tx, by, "member.invited", row["invite_id"], organization_id, email=email)
    return Result(True, f"{email} is invited.", row["invite_id"])


def _remove(tx: Connection, organization_id: str, one: Named, by: Actor, role: Role) -> Result:
    person, theirs = _member(tx, organization_id, one)
    if theirs == "OWNER":
        _only_owners(role)
        _not_the_last(tx, organization_id)
    _end_membership(tx, organization_id, person.user_id, theirs, by)
    return Result(True, f"{person.handle} is a member no longer.")


def _end_membership(tx: Connection, organization_id: str, user_id: str, role: Role, by: Actor) -> None:
    """For the audit log: who removes themselves has left."""
    which = members.c.organization_id == organization_id, members.c.user_id == user_id
    tx.execute(delete(members).where(*which))
    revoked = keys.revoke_all(tx, organization_id, user_id)  # or they would work again for whoever comes back
    action: Action = "member.left" if by.user_id == user_id else "member.removed"
    record(tx, by, action, user_id, organization_id, role=role, keys=revoked)


def _set_role(tx: Connection, organization_id: str, one: Named, new: Role, by: Actor, role: Role) -> Result:
    person, theirs = _member(tx, organization_id, one)
    if theirs == new:
        return Result(True, f"{person.handle} is {new} already.")
    if "OWNER" in (theirs, new):
        _only_owners(role)
    if theirs == "OWNER":
        _not_the_last(tx, organization_id)
    add_member(tx, organization_id, person.user_id, new)
    record(tx, by, "member.role_changed", person.user_id, organization_id, before=theirs, after=new)
    return Result(True, f"{person.handle} is {new} now.")


def _find(tx: Connection, one: Named) -> Person | None:
    named = []
    if one.user_id is not None:
        named.append(users.c.user_id == one.user_id)
    if one.handle is not None:
        named.append(users.c.name == one.handle)
    if one.email is not None:
        named.append(users.c.email == people.checked_email(one.email))
    if not named:
        raise InvalidRequest("Name each member by user_id, display_handle or email_address.", field="members")
    found = {people.find(tx, which) for which in named}
    if len(found) > 1:
        raise InvalidRequest(
            "user_id, display_handle and email_address do not name one person here; send one of them.", field="members"
        )
    return found.pop()


def _member(tx: Connection, organization_id: str, one: Named) -> tuple[Person, Role]:
    person = _find(tx, one)
    role = role_of(tx, organization_id, "" if person is None else person.user_id)  # asked in any case
    if person is None or role is None:
        raise NotFound("There is no such member.")
    return person, role


def _only_owners(role: Role) -> None:
    if role != "OWNER":
        raise Forbidden("Only an owner may do that to an owner, or make one.")


def _not_the_last(tx: Connection, organization_id: str) -> None:
    if len(owners_of(tx, organization_id)) <= 1:
        raise Conflict("An organisation keeps at least one owner; make another one first.")
