"""The job table, verb by verb: who gets a job, who keeps it, who may write about it, and how it ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from linocut.db.database import Database
from linocut.errors import Cancelled, InvalidRequest, NotFound, RunFailed
from linocut.jobs import queue
from linocut.jobs.reaper import bury, reap
from linocut.jobs.types import LEGAL_MOVES, Asking, ExpiredJob, JobRow, JobStatus, LeasedJob, LeaseLost, NewJob

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE = 90.0
BOTH = ("generate", "train")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def put(db: Database, kind: str = "generate", organization: str = "o1", images: int = 1, when: float = 0) -> str:
    with db.transaction() as tx:
        return queue.enqueue(
            tx, NewJob(kind=kind, organization_id=organization, order='{"x":1}', images=images), now=at(when)
        )


def take(db: Database, worker: str = "w1", kinds: tuple[str, ...] = BOTH, when: float = 0) -> LeasedJob:
    with db.transaction() as tx:
        leased = queue.lease(tx, Asking(worker, kinds), at(when), LEASE)
    assert leased is not None
    return leased


def row(db: Database, job_id: str) -> JobRow:
    with db.read() as snapshot:
        found = queue.get(snapshot, job_id)
    assert found is not None
    return found


def write(db: Database, verb: Any, *arguments: Any, **more: Any) -> Any:
    with db.transaction() as tx:
        return verb(tx, *arguments, **more)


def test_a_job_goes_from_queued_to_done(db: Database) -> None:
    job_id = put(db, images=4)
    assert row(db, job_id).status is JobStatus.QUEUED
    leased = take(db, when=5)
    assert leased == LeasedJob(job_id, "generate", "o1", '{"x":1}', 0, 1, False, images=4, waited_seconds=5.0)
    running = row(db, job_id)
    assert (running.status, running.worker_id, running.lease_expires_at) == (JobStatus.RUNNING, "w1", at(5 + LEASE))
    write(db, queue.finish, job_id, leased.lease_token, {"images": []}, now=at(9))
    done = row(db, job_id)
    assert (done.status, done.result, done.error) == (JobStatus.DONE, {"images": []}, None)
    assert (done.created_at, done.started_at, done.finished_at) == (at(0), at(5), at(9))


def test_nothing_queued_is_nothing_leased(db: Database) -> None:
    with db.transaction() as tx:
        assert not queue.any_queued(tx, BOTH)
        assert queue.lease(tx, Asking("w1", BOTH), NOON, LEASE) is None
        assert queue.get(tx, "none") is None


def test_a_worker_gets_only_the_kinds_it_asks_for_in_the_order_it_asks(db: Database) -> None:
    train, generate = put(db, "train", when=0), put(db, "generate", when=1)
    with db.transaction() as tx:
        assert queue.any_queued(tx, ["train"])
        assert queue.lease(tx, Asking("w1", ["upscale"]), NOON, LEASE) is None
    assert take(db, kinds=("generate", "train")).job_id == generate
    assert take(db, kinds=("generate", "train")).job_id == train


def test_training_runs_are_first_come_first_served_whoever_asks(db: Database) -> None:
    jobs = [put(db, "train", organization, when=i) for i, organization in enumerate(["o1", "o1", "o2", "o1"])]
    assert [take(db).job_id for _ in jobs] == jobs


def test_an_organisation_with_many_images_does_not_hold_up_another(db: Database) -> None:
    """Several at once: the one with the fewest images being drawn goes first."""
    flood = [put(db, organization="o1", images=4, when=i) for i in range(3)]
    single = [put(db, organization="o2", images=1, when=10 + i) for i in range(3)]
    assert [take(db, when=20 + i).job_id for i in range(6)] == [flood[0], *single, flood[1], flood[2]]


def test_one_worker_that_draws_one_at_a_time_serves_organisations_in_turn(db: Database) -> None:
    """Nothing is being drawn when it asks, so only who was served last can tell them apart."""
    flood = [put(db, organization="o1", when=i) for i in range(4)]
    other = [put(db, organization="o2", when=10 + i) for i in range(2)]
    served = []
    for i in range(6):
        leased = take(db, when=20 + i)
        write(db, queue.finish, leased.job_id, leased.lease_token, {})
        served.append(leased.job_id)
    assert served == [flood[0], other[0], flood[1], other[1], flood[2], flood[3]]


def test_a_heartbeat_keeps_the_lease_and_tells_of_a_cancel(db: Database) -> None:
    job_id = put(db, "train")
    token = take(db).lease_token
    beat = write(db, queue.heartbeat, job_id, token, at(60), LEASE)
    assert (beat.cancel_requested, beat.lost) == (False, False)
    assert write(db, queue.expire, at(100)) == []
    write(db, queue.request_cancel, job_id)
    assert write(db, queue.heartbeat, job_id, token, at(101), LEASE).cancel_requested


def test_a_worker_that_hung_and_woke_after_its_lease_was_taken_can_write_nothing(db: Database) -> None:
    job_id = put(db, "train")
    old = take(db, "hanging").lease_token
    assert [job.status for job in write(db, queue.expire, at(LEASE + 1))] == [JobStatus.QUEUED]

    def refused() -> None:
        before = row(db, job_id)
        assert write(db, queue.heartbeat, job_id, old, at(95), LEASE).lost
        for verb, arguments in [
            (queue.require_lease, ()),
            (queue.mark_progress, (5,)),
            (queue.finish, ({},)),
            (queue.fail, (RunFailed(),)),
            (queue.give_back, ()),
        ]:
            with pytest.raises(LeaseLost):
                write(db, verb, job_id, old, *arguments)
        assert row(db, job_id) == before

    refused()  # while nobody has the job
    new = take(db, "other", when=96)
    assert (new.job_id, new.attempts) == (job_id, 1)
    assert new.lease_token > old
    refused()  # while another has it
    write(db, queue.finish, job_id, new.lease_token, {})
    refused()  # when it is done


def test_a_lease_past_its_time_that_nobody_took_can_still_be_renewed(db: Database) -> None:
    job_id = put(db)
    token = take(db).lease_token
    assert not write(db, queue.heartbeat, job_id, token, at(LEASE + 5), LEASE).lost
    assert write(db, queue.expire, at(LEASE + 6)) == []


def test_three_leases_lost_without_progress_end_the_job(db: Database) -> None:
    job_id = put(db)
    for attempt in (1, 2):
        take(db, when=attempt * 1000)
        (lost,) = write(db, queue.expire, at(attempt * 1000 + 100))
        assert lost == ExpiredJob(job_id, "generate", "o1", attempt, JobStatus.QUEUED, None)
    take(db, "w3", when=3000)
    (dead,) = write(db, queue.release, "w3", now=at(3001))
    assert (dead.status, dead.attempts) == (JobStatus.FAILED, 3)
    assert isinstance(dead.error, RunFailed)
    assert isinstance(row(db, job_id).error, RunFailed)
    assert row(db, job_id).finished_at == at(3001)


def test_a_job_that_a_worker_has_died_under_waits_for_a_worker_that_draws_nothing(db: Database) -> None:
    suspicious, fresh = put(db, when=0), put(db, when=1)
    training = put(db, "train", when=2)
    take(db, "dead")
    write(db, queue.release, "dead")

    def lease(drawing: bool) -> LeasedJob | None:
        leased = write(db, queue.lease, Asking("w1", BOTH, answering=drawing), at(5), LEASE)
        assert leased is None or isinstance(leased, LeasedJob)
        return leased

    for drawing, expected in ((True, training), (True, None), (False, suspicious), (True, fresh), (True, None)):
        leased = lease(drawing)
        assert (leased and leased.job_id) == expected


def test_progress_makes_earlier_losses_count_no_more(db: Database) -> None:
    job_id = put(db, "train")
    counted = []
    for attempt in range(6):
        leased = take(db, when=attempt * 1000)
        counted.append(leased.attempts)
        if attempt % 2 == 1:
            write(db, queue.mark_progress, job_id, leased.lease_token, 10 * attempt)
        assert [job.status for job in write(db, queue.release, "w1")] == [JobStatus.QUEUED]
    assert counted == [0, 1, 1, 2, 1, 2]
    assert row(db, job_id).progress_mark == 50


def test_the_same_progress_twice_is_no_progress(db: Database) -> None:
    """A run that resumes at step 20, reaches it again and dies again must not live for ever."""
    job_id = put(db, "train")
    statuses = []
    for attempt in range(3):
        leased = take(db, when=attempt * 1000)
        write(db, queue.mark_progress, job_id, leased.lease_token, 20)
        statuses += [job.status for job in write(db, queue.release, "w1")]
    assert statuses == [JobStatus.QUEUED] * 2 + [JobStatus.FAILED]


def test_a_supervisor_releases_only_what_its_dead_child_held(db: Database) -> None:
    mine, others, waiting = put(db, when=0), put(db, when=1), put(db, when=2)
    take(db, "dead")
    kept = take(db, "alive")
    released = write(db, queue.release, "dead")
    assert [job.job_id for job in released] == [mine]
    assert (row(db, others).status, row(db, waiting).attempts) == (JobStatus.RUNNING, 0)
    write(db, queue.require_lease, others, kept.lease_token)


def test_a_job_given_back_by_a_stopping_worker_counts_no_attempt(db: Database) -> None:
    job_id = put(db)
    for i in range(5):
        leased = take(db, when=i)
        assert leased.attempts == 0
        write(db, queue.give_back, job_id, leased.lease_token)
    assert row(db, job_id).status is JobStatus.QUEUED


def test_a_worker_puts_back_what_it_was_given_without_hearing_of_it(db: Database) -> None:
    """Also an earlier lease of a job that it still believes to hold is no reason to keep the later one."""
    kept, stray, others, twice = (put(db, when=i) for i in range(4))
    held = [(leased.job_id, leased.lease_token) for leased in (take(db), take(db))]
    take(db, "w2")
    old = take(db)
    write(db, queue.give_back, twice, old.lease_token)
    assert take(db).job_id == twice
    in_hand = {held[0], (twice, old.lease_token)}
    assert set(write(db, queue.reclaim, "w1", in_hand)) == {stray, twice}
    assert [row(db, job).status for job in (kept, stray, others, twice)] == ["RUNNING", "QUEUED", "RUNNING", "QUEUED"]
    assert {row(db, job).attempts for job in (stray, twice)} == {0}


def test_cancelling(db: Database) -> None:
    """Never begun: over at once. Begun: its worker is told. Over: stays as it was. Unknown: said so."""
    for kind in BOTH:
        waiting = put(db, kind)
        assert write(db, queue.request_cancel, waiting) is JobStatus.FAILED
        assert isinstance(row(db, waiting).error, Cancelled)
        running = put(db, kind)
        leased = take(db)
        assert write(db, queue.request_cancel, running) is JobStatus.RUNNING
        assert row(db, running).cancel_requested
        write(db, queue.finish, running, leased.lease_token, {})
        done = row(db, running)
        assert write(db, queue.request_cancel, running) is JobStatus.DONE
        assert row(db, running) == done
    ended = put(db)
    write(db, queue.finish, ended, take(db).lease_token, {})
    done = row(db, ended)
    assert write(db, queue.request_cancel, ended) is JobStatus.DONE
    assert row(db, ended) == done
    with pytest.raises(NotFound):
        write(db, queue.request_cancel, "none")


def test_a_cancelled_generation_is_not_drawn_again_but_a_cancelled_training_is_ended_in_good_order(
    db: Database,
) -> None:
    drawing, training = put(db, "generate"), put(db, "train")
    take(db, kinds=("generate",))
    take(db, kinds=("train",))
    for job_id in (drawing, training):
        write(db, queue.request_cancel, job_id)
    lost = {job.job_id: job for job in write(db, queue.release, "w1")}
    assert isinstance(lost[drawing].error, Cancelled)
    assert lost[training].status is JobStatus.QUEUED
    assert write(db, queue.request_cancel, training) is JobStatus.QUEUED  # it has a checkpoint: not thrown away
    assert take(db).cancel_requested


def test_images_in_flight_are_the_organisations_own_and_unfinished_ones(db: Database) -> None:
    def in_flight(organization: str) -> int:
        with db.read() as snapshot:
            return queue.images_in_flight(snapshot, organization)

    put(db, images=4)
    put(db, images=2, when=1)
    put(db, organization="o2", images=8, when=2)
    assert (in_flight("o1"), in_flight("o2"), in_flight("o3")) == (6, 8, 0)
    leased = take(db)
    assert (leased.organization_id, in_flight("o1")) == ("o1", 6)
    write(db, queue.fail, leased.job_id, leased.lease_token, InvalidRequest("no"))
    assert in_flight("o1") == 2
    assert isinstance(row(db, leased.job_id).error, InvalidRequest)


def test_the_reaper_closes_what_hangs_on_a_failed_job_in_the_same_transaction(db: Database) -> None:
    job_id = put(db)
    for i in range(3):
        take(db, when=i * 1000)
        if i < 2:
            assert reap(db, at(i * 1000 + 100), lambda tx, job: pytest.fail("not over yet")) == 1
    closed: list[str] = []

    def breaks(tx: Connection, job: ExpiredJob) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        reap(db, at(2100), breaks)
    assert row(db, job_id).status is JobStatus.RUNNING  # the closing failed, so the job did not fail either
    assert reap(db, at(2100), lambda tx, job: closed.append(job.job_id)) == 1
    assert closed == [job_id]
    assert reap(db, at(2100), breaks) == 0


def test_burying_a_worker_gives_its_jobs_back_at_once(db: Database) -> None:
    job_id = put(db)
    take(db, "w1")
    assert bury(db, "w2", lambda tx, job: None) == 0
    assert bury(db, "w1", lambda tx, job: None) == 1
    assert row(db, job_id).status is JobStatus.QUEUED


def test_final_means_that_no_move_is_left() -> None:
    assert {status for status in JobStatus if status.final} == {JobStatus.DONE, JobStatus.FAILED}
    assert set(LEGAL_MOVES) == set(JobStatus)


def test_how_jobs_stand_is_read_of_many_at_once(db: Database) -> None:
    with db.transaction() as tx:
        one, two = (queue.enqueue(tx, NewJob(kind="generate", organization_id="o", order="{}", images=1)) for _ in "ab")
        leased = queue.lease(tx, Asking("w", ("generate",)), datetime.now(UTC), 90)
        assert leased is not None
        queue.request_cancel(tx, leased.job_id)
    other = two if leased.job_id == one else one
    with db.read() as tx:
        found = queue.standings(tx, [one, two, "nobody"])
    assert set(found) == {one, two}
    held, waits = found[leased.job_id], found[other]
    assert (held.status, held.lease_token, held.cancel_requested) == (JobStatus.RUNNING, leased.lease_token, True)
    assert (waits.status, waits.lease_token, waits.cancel_requested) == (JobStatus.QUEUED, 0, False)
