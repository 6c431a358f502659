"""Roles that the issuer gives, by a claim: who joins, who rises and falls, and who is left alone."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError
from sqlalchemy import update
from tests.api.live import Live, running
from tests.api.openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, provider
from tests.walks.test_openid import ensure_organization_id, fresh, let_in, person, refused, sign_in

from linocut.accounts import audit, keys, members, people
from linocut.accounts.audit import OPERATOR, Actor
from linocut.accounts.organizations import add_member
from linocut.api.openid import roles_in
from linocut.db.tables import organizations
from linocut.ids import now
from linocut.settings import Settings

ROLES = "staff=MEMBER,leads=ADMIN,cn=chief=ADMIN"


@pytest.fixture(scope="module")
def issuer() -> Iterator[OpenIdProvider]:
    with provider() as one:
        yield one


@pytest.fixture(scope="module")
def server(issuer: OpenIdProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    told = {"oidc_issuer": issuer.url, "oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET}
    more = {"oidc_domains": "join.example", "oidc_organization": "team", "oidc_seconds": 2.0}
    claim = {"oidc_role_claim": "realm_access.roles", "oidc_roles": ROLES}
    with running(tmp_path_factory.mktemp("openid"), **told, **more, **claim) as live:
        yield live


@pytest.fixture(autouse=True)
def _as_it_was(issuer: OpenIdProvider) -> Iterator[None]:
    yield
    issuer.claims, issuer.userinfo = {}, {}


@pytest.fixture
def browser(server: Live) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, timeout=30) as client:
        yield client


def with_roles(email: str, *roles: Any) -> dict[str, Any]:
    return person(email, realm_access={"roles": [*roles]})


def home_of(server: Live) -> str:
    return ensure_organization_id(server, "team")


def role_of(server: Live, user_id: str) -> str | None:
    home = home_of(server)
    with server.runtime.db.read() as tx:
        return members.role_of(tx, home, user_id)


def test_the_role_follows_the_claim_up_and_down(server: Live, issuer: OpenIdProvider, browser: httpx2.Client) -> None:
    email = fresh("elsewhere.example")
    issuer.claims = with_roles(email, "offline_access", "staff")
    mine = let_in(browser, issuer)["user_id"]
    assert role_of(server, mine) == "MEMBER", "the claim lets in, without an invite and from any domain"
    home = home_of(server)
    with server.runtime.db.transaction() as tx:
        key = keys.create_key(tx, user_id=mine, organization_id=home).api_key
    for roles, role in (
        (("staff", "leads"), "ADMIN"),
        ((), "MEMBER"),
        (("cn=chief",), "ADMIN"),
        (("other",), "MEMBER"),
    ):
        issuer.claims = with_roles(email, *roles)
        assert let_in(browser, issuer)["user_id"] == mine
        assert (roles, role_of(server, mine)) == (roles, role)
    assert server.public.get("/models", headers={"Api-Key": key}).status_code == 200, "nobody is removed"
    with server.runtime.db.read() as tx:
        told = [one for one in audit.entries(tx, most=40) if one.object_id == mine]
    changes = [one.details for one in told if one.action == "member.role_changed"]
    assert changes[0] == {"before": "ADMIN", "after": "MEMBER", "how": "openid"}
    assert len(changes) == 4


def test_without_a_value_the_older_rules_hold(server: Live, issuer: OpenIdProvider, browser: httpx2.Client) -> None:
    for roles in ([], ["other"], ["STAFF"], [{"name": "staff"}], [["staff"]], [7]):
        issuer.claims = with_roles(fresh("elsewhere.example"), *roles)
        refused(server, browser, sign_in(browser, issuer), "unknown")
    issuer.claims = with_roles(fresh("elsewhere.example"), "staff") | {"email_verified": False}
    refused(server, browser, sign_in(browser, issuer), "unverified")
    issuer.claims = with_roles(fresh("join.example"), "other")
    assert role_of(server, let_in(browser, issuer)["user_id"]) == "MEMBER"
    issuer.claims = with_roles(fresh("join.example"), "leads")
    assert role_of(server, let_in(browser, issuer)["user_id"]) == "ADMIN"


def test_owners_and_other_organisations_are_left_alone(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client
) -> None:
    email, other = fresh("elsewhere.example"), server.account()
    issuer.claims = with_roles(email, "leads")
    mine = let_in(browser, issuer)["user_id"]
    home = home_of(server)
    with server.runtime.db.transaction() as tx:
        add_member(tx, home, mine, "OWNER")
        add_member(tx, other.organization_id, mine, "ADMIN")
    issuer.claims = with_roles(email)
    let_in(browser, issuer)
    with server.runtime.db.read() as tx:
        roles = [members.role_of(tx, one, mine) for one in (home, other.organization_id)]
    assert roles == ["OWNER", "ADMIN"]


def test_an_account_that_stands_joins_by_the_claim_and_again_after_it_was_removed(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client
) -> None:
    email = fresh("elsewhere.example")
    with server.runtime.db.transaction() as tx:
        mine = people.create(tx, email.partition("@")[0], email, by=OPERATOR).user_id
    issuer.claims = with_roles(email, "staff")
    home = home_of(server)
    for _ in range(2):
        assert let_in(browser, issuer)["user_id"] == mine
        assert role_of(server, mine) == "MEMBER"
        with server.runtime.db.transaction() as tx:
            members.leave(tx, home, mine, Actor(mine, None, None))


def test_where_the_organisation_is_being_removed_whoever_has_another_one_gets_in(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client
) -> None:
    email = fresh("elsewhere.example")
    issuer.claims = with_roles(email, "staff")
    mine = let_in(browser, issuer)["user_id"]
    removed = update(organizations).where(organizations.c.organization_id == home_of(server))
    with server.runtime.db.transaction() as tx:
        tx.execute(removed.values(deleted_at=now()))
    try:
        issuer.claims = with_roles(email, "leads")
        assert let_in(browser, issuer)["user_id"] == mine
    finally:
        with server.runtime.db.transaction() as tx:
            tx.execute(removed.values(deleted_at=None))
    assert role_of(server, mine) == "MEMBER", "its roles wait until it is back"


def test_the_userinfo_endpoint_is_asked_for_a_claim_that_the_token_has_not(
    server: Live, issuer: OpenIdProvider, browser: httpx2.Client
) -> None:
    issuer.claims = person(fresh("elsewhere.example"))
    issuer.userinfo = {"sub": issuer.claims["sub"], "realm_access": {"roles": "leads"}}
    assert role_of(server, let_in(browser, issuer)["user_id"]) == "ADMIN"


@pytest.mark.parametrize(
    ("claims", "name", "found"),
    [
        ({"groups": ["a", "b"]}, "groups", ("a", "b")),
        ({"groups": "a"}, "groups", ("a",)),
        ({"https://example.org/roles": ["a"]}, "https://example.org/roles", ("a",)),
        ({"resource_access": {"linocut": {"roles": ["a"]}}}, "resource_access.linocut.roles", ("a",)),
        ({"groups": ["a", 1, None, {"a": 1}]}, "groups", ("a",)),
        *(({"groups": odd}, "groups.x", ()) for odd in (None, 1, True, "a", ["a"], {"y": "a"})),
        ({}, "groups", ()),
        ({}, "", ()),
    ],
)
def test_the_claim_is_found_by_its_name_or_by_a_path(claims: dict[str, Any], name: str, found: tuple[str, ...]) -> None:
    assert roles_in(claims, name) == found


@pytest.mark.parametrize(
    ("claim", "roles", "told"),
    [
        ("groups", "", "belong together"),
        ("", "staff=MEMBER", "belong together"),
        ("groups", "staff", "has 'staff'; it takes a list such as staff=MEMBER,leads=ADMIN"),
        ("groups", "staff=OWNER", "owners are made by owners"),
        ("groups", "=ADMIN", "has '=ADMIN'"),
    ],
)
def test_wrong_settings_are_told(claim: str, roles: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Settings(oidc_role_claim=claim, oidc_roles=roles)
