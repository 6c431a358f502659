"""Webhooks of generations, over https to a receiver of the tests: told once, signed, again where a try fails."""

import asyncio
import json
import threading
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from tests.api.live import Account, Live, running
from tests.walks.steps import ok
from tests.walks.test_async import generation, polled
from tests.webhooks.receiver import Receiver, make_certificates, receiving

from linocut import ids
from linocut.api import deliver
from linocut.api.deliver import AT_ONCE_FOR_ONE, Deliverer
from linocut.db.tables import generations
from linocut.generation.asynchronous import wait_after
from linocut.settings import hosts_in
from linocut.webhooks.sending import Sender
from linocut.workers.pruning import prune


class Post:
    """A server of one's own, a receiver, and a deliverer whose clock is set by hand."""

    def __init__(self, live: Live, receiver: Receiver) -> None:
        self.live, self.receiver, self.account = live, receiver, live.account()
        self.late = timedelta()
        sender = Sender(hosts_in("localhost,127.0.0.0/8"), 2.0, lambda host, port: ["127.0.0.1"])
        self._sender = sender

    def turn(self, late: timedelta | None = None) -> int:
        """Deliver what is due after so long, and wait for it; how many."""
        self.late = late if late is not None else self.late

        async def once() -> int:
            deliverer = Deliverer(self.live.runtime, self._sender, lambda: ids.now() + self.late)
            begun = await deliverer.begin_due()
            await deliverer.finish()
            return begun

        return asyncio.run(once())

    def drawn(self, account: Account | None = None) -> str:
        """A generation that has been drawn and is not told yet."""
        one = generation(account or self.account, self.receiver.url())
        polled(account or self.account, one)
        return one

    def notes(self, generation_id: str) -> list[str]:
        """What its owner reads of it."""
        found = ok(self.account.http.get(f"/v1/generations/{generation_id}"))
        return list(found.get("x_linocut", {}).get("notes", []))


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    authority, certificate = make_certificates(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with (
        receiving(certificate) as receiver,
        running(tmp_path / "data", webhook_hosts="localhost", webhook_seconds=2, webhook_tries=3) as live,
        live.working(),
    ):
        yield Post(live, receiver)


def test_a_webhook_tells_what_a_poll_tells_signed_with_a_published_key(post: Post) -> None:
    generation_id = post.drawn()
    assert post.turn() == 1
    [got] = post.receiver.got
    told = json.loads(got.body)
    seen = ok(post.account.http.get(f"/v1/generations/{generation_id}"))
    links = [told["data"][0].pop("url"), seen["data"][0].pop("url")]
    assert told == seen
    assert post.live.public.get(links[0]).status_code == 200
    headers = {name.removeprefix("x-ideogram-webhook-"): value for name, value in got.headers.items()}
    assert (headers["generation-id"], headers["user-id"]) == (generation_id, post.account.user_id)
    assert abs(int(headers["timestamp"]) - ids.now().timestamp()) < 60
    [key] = ok(post.live.public.get("/v1/.well-known/jwks.json"))["keys"]
    assert headers["key-id"] == key["kid"]
    signed = "\n".join([generation_id, headers["user-id"], headers["timestamp"], sha256(got.body).hexdigest()])
    public = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(key["x"] + "="))
    public.verify(bytes.fromhex(headers["signature"]), signed.encode())
    assert headers["signature"] == headers["signature"].lower()
    assert post.turn(timedelta(days=1)) == 0, "once is enough"
    assert post.notes(generation_id) == []


def test_nothing_is_told_before_it_is_over_and_a_failure_is_told_too(post: Post) -> None:
    generation_id = generation(post.account, post.receiver.url(), {"text_prompt": "tea [fail]"})
    polled(post.account, generation_id, "failed")
    post.turn()
    told = json.loads(post.receiver.got[0].body)
    assert (told["status"], "data" in told) == ("failed", False)


def test_a_pending_one_is_not_told(idle: Live) -> None:
    async def due() -> int:
        return await Deliverer(idle.runtime, Sender(hosts_in(""), 1.0)).begin_due()

    while asyncio.run(due()):  # those that other tests have left
        pass
    generation(idle.account())
    assert asyncio.run(due()) == 0


def test_a_try_that_fails_is_made_again_later_and_later_and_at_last_given_up(post: Post) -> None:
    post.receiver.answer = lambda got: 500
    generation_id, late = post.drawn(), timedelta()
    for tries in (1, 2):
        assert post.turn(late) == 1
        assert post.turn(late) == 0, "not again at once"
        [note] = post.notes(generation_id)
        assert note.startswith(f"The webhook is not delivered after {tries} tr")
        assert "its host answered 500. The next is at " in note
        assert post.turn(late + wait_after(tries) - timedelta(seconds=2)) == 0
        late += wait_after(tries) + timedelta(seconds=1)
    assert post.turn(late) == 1
    assert post.notes(generation_id) == ["The webhook was given up after 3 tries: its host answered 500."]
    assert post.turn(late + timedelta(days=1)) == 0
    assert len(post.receiver.got) == 3
    assert len({got.headers["x-ideogram-webhook-signature"] for got in post.receiver.got}) >= 2, "signed anew each time"


def test_a_later_try_that_succeeds_leaves_no_word_of_the_first(post: Post) -> None:
    answers = [500, 200]
    post.receiver.answer = lambda got: answers.pop(0)
    generation_id = post.drawn()
    post.turn()
    assert post.turn(wait_after(1) + timedelta(seconds=1)) == 1
    assert post.notes(generation_id) == []


def test_a_fault_of_ours_is_a_failed_try(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    generation_id = post.drawn()
    with monkeypatch.context() as broken:
        broken.setattr(deliver, "generation_response", lambda *_: 1 / 0)
        assert post.turn() == 1
    [note] = post.notes(generation_id)
    assert note.startswith("The webhook is not delivered after 1 try: this server met a fault of its own.")
    assert post.turn(wait_after(1) + timedelta(seconds=1)) == 1
    assert len(post.receiver.got) == 1


def test_the_waits_grow() -> None:
    waits = [wait_after(tries).total_seconds() for tries in range(1, 9)]
    assert waits == [5, 20, 80, 320, 1280, 5120, 7200, 7200]


@pytest.mark.long
def test_a_host_that_never_answers_holds_up_nobody_else(post: Post) -> None:
    never = threading.Event()
    slow, quick = post.account, post.live.account()
    post.receiver.answer = lambda got: 200 + (got.path == "/slow" and never.wait(20))
    for number in range(AT_ONCE_FOR_ONE + 2):
        polled(slow, generation(slow, post.receiver.url(path="/slow"), {"text_prompt": "tea", "seed": number}))
    one = generation(quick, post.receiver.url(path="/quick"))
    polled(quick, one)

    async def both() -> None:
        deliverer = Deliverer(post.live.runtime, post._sender)
        assert await deliverer.begin_due() == AT_ONCE_FOR_ONE + 1
        while "/quick" not in [got.path for got in post.receiver.got]:
            await asyncio.sleep(0.01)
        never.set()
        await deliverer.finish()

    asyncio.run(asyncio.wait_for(both(), 30))


def test_who_dies_with_a_delivery_loses_it_and_it_is_made_again(post: Post) -> None:
    """The claim of a process that is gone ends by itself; the tries that are counted are those that have ended."""
    generation_id = post.drawn()

    async def die() -> None:
        deliverer = Deliverer(post.live.runtime, post._sender)
        assert len(await deliverer._claim()) == 1

    asyncio.run(die())
    assert post.turn() == 0, "somebody has it"
    assert post.turn(timedelta(seconds=5)) == 1
    assert post.notes(generation_id) == []
    assert len(post.receiver.got) == 1


def test_two_deliverers_take_each_one_once(post: Post) -> None:
    for _ in range(5):
        post.drawn()

    async def both() -> None:
        two = [Deliverer(post.live.runtime, post._sender) for _ in range(2)]
        taken = await asyncio.gather(*(one.begin_due() for one in two))
        await asyncio.gather(*(one.finish() for one in two))
        assert sum(taken) == 5

    asyncio.run(both())
    assert len(post.receiver.got) == 5


def test_an_outcome_that_comes_after_its_claim_changes_nothing(post: Post) -> None:
    generation_id = post.drawn()

    async def late() -> None:
        first = Deliverer(post.live.runtime, post._sender)
        [claimed] = await first._claim()
        second = Deliverer(post.live.runtime, post._sender, lambda: ids.now() + timedelta(seconds=5))
        assert await second.begin_due() == 1
        await second.finish()
        await post.live.runtime.db.run_write(lambda tx: first._record(tx, claimed, "its host answered 500"))

    asyncio.run(late())
    assert post.notes(generation_id) == []
    assert post.turn(timedelta(days=1)) == 0


def test_links_are_fresh_each_time_and_generations_go_with_their_images(post: Post) -> None:
    generation_id = post.drawn()
    now = ids.now()
    prune(post.live.runtime.db, now + timedelta(days=6), post.live.settings.link_hours, 30)
    assert ok(post.account.http.get(f"/v1/generations/{generation_id}"))["status"] == "completed"
    prune(post.live.runtime.db, now + timedelta(days=8), post.live.settings.link_hours, 30)
    assert post.account.http.get(f"/v1/generations/{generation_id}").status_code == 404
    assert post.turn(timedelta(days=8)) == 0
    with post.live.runtime.db.read() as tx:
        assert tx.execute(select(generations)).all() == []
