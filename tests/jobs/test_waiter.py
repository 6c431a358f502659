"""Waiting for a job: noticed within milliseconds, by everybody who waits, whoever ended it and whenever."""

import asyncio
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from tests.db.state_fixtures import OpenDatabase

from linocut.db.changes import Changes
from linocut.db.database import Database
from linocut.errors import Busy
from linocut.jobs import queue, waiter
from linocut.jobs.types import Asking, JobRow, JobStatus, NewJob
from linocut.jobs.waiter import Waiter

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def put(tx: Connection) -> str:
    return queue.enqueue(tx, NewJob(kind="generate", organization_id="o1", order="{}", images=1))


def end(tx: Connection) -> float:
    """Do the next job as a worker would; when it was about to be committed."""
    leased = queue.lease(tx, Asking("w1", ["generate"]), NOON, 90)
    assert leased is not None
    queue.finish(tx, leased.job_id, leased.lease_token, {"images": []})
    return time.monotonic()


def test_the_end_is_noticed_within_milliseconds_although_another_connection_writes_it(
    open_database: OpenDatabase,
) -> None:
    here, worker = open_database(), open_database()
    took: list[float] = []

    async def rounds() -> None:
        waiting = Waiter(here)
        for _ in range(15):
            job_id = await here.run_write(put)
            task = asyncio.create_task(waiting.wait(job_id, 10))
            await asyncio.sleep(0.01)
            ended = await worker.run_write(end)
            job = await task
            took.append(time.monotonic() - ended)
            assert (job.job_id, job.status, job.result) == (job_id, JobStatus.DONE, {"images": []})

    asyncio.run(rounds())
    # On an idle machine it is 3 to 6 ms (20 on PostgreSQL); the bound is wide because this machine may be busy.
    assert sorted(took)[len(took) // 4] < 0.060, took


def test_everybody_who_waits_is_woken_and_then_nobody_polls(db: Database) -> None:
    async def crowd() -> list[JobRow]:
        waiting = Waiter(db)
        first, second = await db.run_write(put), await db.run_write(put)
        tasks = [asyncio.create_task(waiting.wait(job, 10)) for job in [first] * 20 + [second] * 20]
        await asyncio.sleep(0.02)
        for _ in range(2):
            await db.run_write(end)
        jobs = await asyncio.gather(*tasks)
        await asyncio.sleep(0.05)
        assert waiting._poller is not None
        assert waiting._poller.done()
        return jobs

    jobs = asyncio.run(crowd())
    assert len(jobs) == 40
    assert {job.status for job in jobs} == {JobStatus.DONE}


def test_a_job_that_ended_before_anybody_waited_is_answered_at_once(db: Database) -> None:
    """Also while another wait keeps the poller busy and nothing new is committed."""

    async def late() -> None:
        waiting = Waiter(db)
        ended = await db.run_write(put)
        await db.run_write(end)
        unending = await db.run_write(put)
        other = asyncio.create_task(waiting.wait(unending, 10))
        await asyncio.sleep(0.05)
        started = time.monotonic()
        assert (await waiting.wait(ended, 10)).status is JobStatus.DONE
        assert time.monotonic() - started < waiter.LOOK_ANYWAY_SECONDS / 2
        other.cancel()

    asyncio.run(late())


def test_a_wait_that_takes_too_long_is_busy_and_the_others_go_on(db: Database) -> None:
    async def impatient() -> None:
        waiting = Waiter(db)
        job_id = await db.run_write(put)
        patient = asyncio.create_task(waiting.wait(job_id, 10))
        with pytest.raises(Busy, match=r"0\.05 seconds"):
            await waiting.wait(job_id, 0.05)
        await db.run_write(end)
        assert (await patient).status is JobStatus.DONE

    asyncio.run(impatient())


def test_a_caller_who_goes_away_leaves_nothing_behind(db: Database) -> None:
    async def gone() -> None:
        waiting = Waiter(db)
        job_id = await db.run_write(put)
        task = asyncio.create_task(waiting.wait(job_id, 10))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert waiting._waiting == {}
        assert await db.run_write(lambda tx: queue.request_cancel(tx, job_id)) is JobStatus.FAILED

    asyncio.run(gone())


def test_a_cancel_wakes_those_who_wait(db: Database) -> None:
    async def cancelled() -> None:
        waiting = Waiter(db)
        job_id = await db.run_write(put)
        task = asyncio.create_task(waiting.wait(job_id, 10))
        await asyncio.sleep(0.02)
        await db.run_write(lambda tx: queue.request_cancel(tx, job_id))
        job = await task
        assert job.status is JobStatus.FAILED
        assert job.error is not None
        assert job.error.code == "cancelled"

    asyncio.run(cancelled())


def test_a_database_that_refuses_a_look_is_asked_again(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = [Busy(), OperationalError("SELECT", {}, Exception("gone for a moment"))]
    look = queue.finished_among

    def sometimes(tx: Connection, job_ids: list[str]) -> list[JobRow]:
        if refusals:
            raise refusals.pop()
        return look(tx, job_ids)

    monkeypatch.setattr(waiter, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(queue, "finished_among", sometimes)

    async def stubborn() -> None:
        waiting = Waiter(db)
        job_id = await db.run_write(put)
        await db.run_write(end)
        assert (await waiting.wait(job_id, 10)).status is JobStatus.DONE

    asyncio.run(stubborn())
    assert refusals == []


def test_what_the_change_counter_might_miss_is_found_by_looking_anyway(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiter, "LOOK_ANYWAY_SECONDS", 0.05)

    class Deaf(Changes):
        poll_seconds = 0.004

        def changed(self) -> bool:
            return False

        def close(self) -> None:
            pass

    monkeypatch.setattr(db, "changes", Deaf)

    async def deaf() -> None:
        waiting = Waiter(db)
        job_id = await db.run_write(put)
        task = asyncio.create_task(waiting.wait(job_id, 10))
        await asyncio.sleep(0.02)
        await db.run_write(end)
        assert (await task).status is JobStatus.DONE

    asyncio.run(deaf())


def test_closing_lets_nobody_wait_for_ever(db: Database) -> None:
    async def closing() -> None:
        waiting = Waiter(db)
        job_id = await db.run_write(put)
        task = asyncio.create_task(waiting.wait(job_id, 100))
        await asyncio.sleep(0.02)
        await waiting.close()
        with pytest.raises(Busy):
            await asyncio.wait_for(task, 1)

    asyncio.run(closing())
