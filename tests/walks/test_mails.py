"""Invites and password links by mail, against a real mail server on this machine; nothing lost, nothing sent twice."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.api.live import Account, Live, running
from tests.api.mail_server import MailServer, mail_server
from tests.walks.steps import ok

from linocut.accounts import mails, people
from linocut.accounts.audit import OPERATOR
from linocut.api.post import Postman
from linocut.db.tables import invites, one_time_links
from linocut.db.tables import mails as rows
from linocut.ids import new_id, now
from linocut.mailing.sending import NotSent

MANAGE, PUBLIC = "/manage/api", "https://img.example.org"


@pytest.fixture(scope="module")
def post() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def mailing(post: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    told: dict[str, Any] = {"smtp_port": post.port, "smtp_host": "127.0.0.1", "smtp_security": "none", "smtp_tries": 3}
    folder = tmp_path_factory.mktemp("mails")
    with running(folder, public_url=PUBLIC, smtp_from="linocut@example.org", **told) as live:
        yield live


@pytest.fixture(autouse=True)
def _empty(post: MailServer, mailing: Live) -> None:
    post.came.clear()
    post.to.clear()
    post.refusals.clear()
    with mailing.runtime.db.transaction() as tx:
        tx.execute(rows.delete())


def deliver(live: Live, **more: Any) -> int:
    return asyncio.run(Postman(live.runtime, **more).send_due())


def later(live: Live) -> None:
    """The waits are over."""
    with live.runtime.db.transaction() as tx:
        tx.execute(update(rows).values(next_at=now() - timedelta(seconds=1)))


def invite(who: Account, email: str) -> dict[str, Any]:
    told = who.http.post(f"{MANAGE}/organization/add_members", params={"organization_id": who.organization_id},
                         json={"members": [{"email_address": email}]})  # fmt: skip
    return dict(ok(told)["results"][0])


def pending(who: Account) -> dict[str, Any]:
    told = who.http.get(f"{MANAGE}/organization/members", params={"organization_id": who.organization_id})
    return dict(ok(told)["members"][-1])


def link_in(post: MailServer, number: int = -1) -> str:
    found = re.search(rf"{PUBLIC}/manage/sign_in#link=(lilnk_[\w-]{{43}})\s", post.came[number].get_content())
    assert found is not None
    return found[1]


def test_an_invite_goes_by_mail_and_its_link_to_nobody_else(mailing: Live, post: MailServer) -> None:
    owner, email = mailing.account(), f"{new_id()}@example.org".lower()
    told = invite(owner, email)
    assert told["message"].endswith("; a mail is on its way.")
    assert set(told["x_linocut"]) == {"invite_id", "mail_status"}
    assert pending(owner)["x_linocut"] == {"mail_status": "QUEUED", "mail_error": None}
    with mailing.runtime.db.read() as tx:
        assert "lilnk" not in str(tx.execute(select(rows)).all())
    assert (deliver(mailing), deliver(mailing)) == (1, 0)
    assert post.to == [[email]]
    assert pending(owner)["x_linocut"] == {"mail_status": "SENT", "mail_error": None}
    asked = {"link": link_in(post), "password": "correct horse battery"}
    assert ok(mailing.public.post(f"{MANAGE}/use_link", json=asked))["email_address"] == email


def test_a_mail_that_is_refused_waits_longer_each_time_and_is_given_up(mailing: Live, post: MailServer) -> None:
    owner = mailing.account()
    invite(owner, "late@example.org")
    post.at_rcpt, waits = False, []
    for _ in range(3):
        post.refusals.append("451 later")
        assert deliver(mailing) == 1
        with mailing.runtime.db.read() as tx:
            (one,) = mails.listed(tx)
        waits.append((one.status, one.tries, round((one.next_at - now()).total_seconds())))
        later(mailing)
    assert waits[0][2] in range(8, 11)
    assert waits[1][2] in range(38, 41)
    assert [one[:2] for one in waits] == [("QUEUED", 1), ("QUEUED", 2), ("FAILED", 3)]
    assert deliver(mailing) == 0
    assert pending(owner)["x_linocut"] == {"mail_status": "FAILED", "mail_error": "the mail server answered 451"}
    again = owner.http.post(f"{MANAGE}/organization/resend_invite", params={"organization_id": owner.organization_id},
                            json={"invite_id": pending(owner)["invite_id"]})  # fmt: skip
    assert ok(again)["message"].endswith("; a mail is on its way.")
    assert deliver(mailing) == 1
    assert pending(owner)["x_linocut"]["mail_status"] == "SENT"


def test_what_is_refused_for_good_is_not_tried_again(mailing: Live, post: MailServer) -> None:
    invite(mailing.account(), "nobody@example.org")
    post.at_rcpt, post.refusals = True, ["550 no such mailbox"]
    assert deliver(mailing) == 1
    with mailing.runtime.db.read() as tx:
        assert [(one.status, one.tries) for one in mails.listed(tx)] == [("FAILED", 1)]


def test_whoever_dies_with_a_mail_loses_it_to_the_next(mailing: Live, post: MailServer) -> None:
    invite(mailing.account(), "twice@example.org")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(mailing, send=dies)
    assert deliver(mailing) == 0, "it is claimed"
    later(mailing)
    assert deliver(mailing) == 1
    assert post.to == [["twice@example.org"]]


def test_two_senders_send_it_once(mailing: Live, post: MailServer) -> None:
    for number in range(6):
        invite(mailing.account(), f"many{number}@example.org")

    async def both() -> None:
        await asyncio.gather(*(Postman(mailing.runtime).send_due() for _ in range(3)))
        await asyncio.gather(*(Postman(mailing.runtime).send_due() for _ in range(3)))

    asyncio.run(both())
    assert sorted(post.to) == [[f"many{number}@example.org"] for number in range(6)]


def test_an_invite_that_nobody_needs_is_not_sent(mailing: Live, post: MailServer) -> None:
    owner = mailing.account()
    for change in ({"status": "CANCELLED"}, {"expires_at": now()}):
        made = invite(owner, f"{new_id()}@example.org".lower())["x_linocut"]["invite_id"]
        with mailing.runtime.db.transaction() as tx:
            tx.execute(update(invites).where(invites.c.invite_id == made).values(**change))
        deliver(mailing)
    assert post.came == []
    with mailing.runtime.db.read() as tx:
        assert {one.error for one in mails.listed(tx)} == {mails.NOT_NEEDED}


def test_an_address_with_a_header_in_it_is_never_sent(mailing: Live, post: MailServer) -> None:
    owner = mailing.account()
    for address in ("a@example.org\r\nBcc: eve@evil.example", "a@example.org,eve@evil.example", "a b@example.org"):
        assert not invite(owner, address)["success"]
    invite(owner, "good@example.org")
    with mailing.runtime.db.transaction() as tx:  # as if an earlier version had taken it
        tx.execute(update(rows).values(address="a@example.org\r\nBcc: eve@evil.example"))
    deliver(mailing)
    assert post.came == []
    assert "cannot stand in a mail" in pending(owner)["x_linocut"]["mail_error"]


def person(live: Live) -> tuple[str, str]:
    with live.runtime.db.transaction() as tx:
        made = people.create(tx, new_id(), f"{new_id()}@example.org", by=OPERATOR)
    return made.handle, str(made.email)


def test_a_forgotten_password_and_who_has_an_account_is_nobody_s_business(mailing: Live, post: MailServer) -> None:
    handle, email = person(mailing)
    told = [mailing.public.post(f"{MANAGE}/send_link", json={"account": one}, headers={"Host": "evil.example"})
            for one in (email.upper(), "nobody@example.org", handle)]  # fmt: skip
    assert {(one.status_code, one.content) for one in told} == {(204, b"")}
    while deliver(mailing):
        pass
    assert post.to == [[email]] * 2
    asked = {"link": link_in(post), "password": "correct horse battery"}
    assert ok(mailing.public.post(f"{MANAGE}/use_link", json=asked))["email_address"] == email


def test_password_links_are_few(mailing: Live, post: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    handle, _ = person(mailing)
    told = [mailing.public.post(f"{MANAGE}/send_link", json={"account": handle}).status_code for _ in range(5)]
    while deliver(mailing):
        pass
    assert (told, len(post.came)) == ([204] * 5, mails.MOST_OF_ACCOUNT)
    monkeypatch.setattr(mails, "MOST_OF_ADDRESS", 5)
    many = mailing.public.post(f"{MANAGE}/send_link", json={"account": "another"})
    assert (many.status_code, int(many.headers["retry-after"])) == (429, 3600)


def test_a_server_without_mail_says_so(mailing: Live, idle: Live) -> None:
    told = idle.public.post(f"{MANAGE}/send_link", json={"account": "ada"})
    assert (told.status_code, "sends no password links" in told.json()["error"]) == (409, True)
    assert not ok(idle.public.get(f"{MANAGE}/ways_to_sign_in"))["mails_links"]
    assert ok(mailing.public.get(f"{MANAGE}/ways_to_sign_in"))["mails_links"]
    assert 'id="forgot"' in mailing.public.get("/manage/sign_in").text
    assert 'id="forgot"' not in idle.public.get("/manage/sign_in").text


def test_old_mails_are_forgotten(mailing: Live) -> None:
    invite(mailing.account(), "old@example.org")
    deliver(mailing)
    with mailing.runtime.db.transaction() as tx:
        assert mails.sweep(tx, now() + mails.KEPT - timedelta(seconds=9)) == 0
        assert mails.sweep(tx, now() + mails.KEPT) == 1


def test_each_try_has_a_link_of_its_own(mailing: Live, post: MailServer) -> None:
    invite(mailing.account(), "own@example.org")
    with mailing.runtime.db.read() as tx:
        before = len(tx.execute(select(one_time_links)).all())

    def refuses(*_: object) -> None:
        raise NotSent("it would not")

    deliver(mailing, send=refuses)
    later(mailing)
    deliver(mailing)
    with mailing.runtime.db.read() as tx:
        assert len(tx.execute(select(one_time_links)).all()) == before + 2
