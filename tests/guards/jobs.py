"""The guards of the job table: leases, fencing, attempts, ends; and those of the workers that hold them."""

from tests.guards.guard import Guard

QUEUE = "jobs/test_queue.py::"
HUNG = f"{QUEUE}test_a_worker_that_hung_and_woke_after_its_lease_was_taken_can_write_nothing[sqlite]"

GUARDS = (
    Guard(
        "a write that carries an old fencing token is refused",
        "jobs/statements.py",
        'jobs.c.lease_token == bindparam("at_token"),',
        'jobs.c.lease_token >= 0 * bindparam("at_token"),',
        (HUNG,),
    ),
    Guard(
        "a write about a job that nobody holds is refused",
        "jobs/statements.py",
        "    jobs.c.status == RUNNING,\n)\nHELD_ROW",
        ")\nHELD_ROW",
        (HUNG,),
    ),
    Guard(
        "each lease has a greater token than the last",
        "jobs/statements.py",
        "lease_token=jobs.c.lease_token + 1,",
        "lease_token=jobs.c.lease_token,",
        (HUNG,),
    ),
    Guard(
        "a lease is required before a worker writes",
        "jobs/queue.py",
        "    if _held(tx, job_id, lease_token) is None:\n",
        "    if False:\n",
        (HUNG,),
    ),
    Guard(
        "finish, fail and give_back look at the lease once more",
        "jobs/queue.py",
        "worker_id=None, lease_expires_at=None):\n        raise LeaseLost(job_id=job_id)",
        "worker_id=None, lease_expires_at=None):\n        return",
        (HUNG,),
    ),
    Guard(
        "only a lease past its time is taken back",
        "jobs/statements.py",
        'jobs.c.lease_expires_at < bindparam("at_now")',
        'jobs.c.lease_expires_at != bindparam("at_now")',
        (f"{QUEUE}test_a_heartbeat_keeps_the_lease_and_tells_of_a_cancel[sqlite]",),
    ),
    Guard(
        "only a dead worker's own leases are released",
        "jobs/statements.py",
        'jobs.c.worker_id == bindparam("at_worker")',
        "jobs.c.worker_id.is_not(None)",
        (f"{QUEUE}test_a_supervisor_releases_only_what_its_dead_child_held[sqlite]",),
    ),
    Guard(
        "a worker that puts strays back keeps what it has in hand",
        "jobs/queue.py",
        "for row in held if (row.job_id, row.lease_token) not in in_hand]",
        "for row in held]",
        (f"{QUEUE}test_a_worker_puts_back_what_it_was_given_without_hearing_of_it[sqlite]",),
    ),
    Guard(
        "three leases lost without progress end a job",
        "jobs/queue.py",
        "    elif attempts >= MAX_ATTEMPTS:",
        "    elif False:",
        (f"{QUEUE}test_three_leases_lost_without_progress_end_the_job[sqlite]",),
    ),
    Guard(
        "who draws already is given nothing that a worker has died under",
        "jobs/queue.py",
        " or (some is fair and answering and waiting.attempts):",
        ":",
        (f"{QUEUE}test_a_job_that_a_worker_has_died_under_waits_for_a_worker_that_draws_nothing[sqlite]",),
    ),
    Guard(
        "the same progress twice is no progress",
        "jobs/queue.py",
        "    if mark > held.progress_mark:",
        "    if mark >= held.progress_mark:",
        (f"{QUEUE}test_the_same_progress_twice_is_no_progress[sqlite]",),
    ),
    Guard(
        "a job that has ended is not cancelled",
        "jobs/queue.py",
        "    if status.final:\n        return status\n",
        "",
        (f"{QUEUE}test_cancelling[sqlite]",),
    ),
    Guard(
        "no move leads out of a final status",
        "jobs/types.py",
        "JobStatus.FAILED: frozenset(),",
        "JobStatus.FAILED: frozenset({JobStatus.QUEUED}),",
        (f"{QUEUE}test_final_means_that_no_move_is_left",),
    ),
    Guard(
        "what hangs on a job that was given up is closed with it",
        "jobs/reaper.py",
        "            on_failed(tx, job)\n",
        "            pass\n",
        (f"{QUEUE}test_the_reaper_closes_what_hangs_on_a_failed_job_in_the_same_transaction[sqlite]",),
    ),
    Guard(
        "a clock that is set forward takes no lease that is renewed",
        "jobs/reaper.py",
        "(self._grace_seconds if lease.expires_at < now else self._lease_seconds)",
        "(0 if lease.expires_at < now else self._lease_seconds)",
        (
            "jobs/test_watch.py::test_a_worker_that_renews_keeps_its_lease_whatever_the_clock_does",
            "jobs/test_watch.py::test_a_lease_that_was_late_before_anybody_watched_gets_its_grace",
        ),
    ),
    Guard(
        "a lease that was renewed meanwhile is not taken",
        "jobs/queue.py",
        "if Lease(row.job_id, row.lease_token, row.lease_expires_at) in late]",
        "if True]",
        ("jobs/test_watch.py::test_what_is_late_is_taken_back_unless_it_was_renewed_meanwhile[sqlite]",),
    ),
    Guard(
        "a wait looks at the table although nothing seems to have changed",
        "jobs/waiter.py",
        "due = time.monotonic() - looked_at > LOOK_ANYWAY_SECONDS",
        "due = False",
        ("jobs/test_waiter.py::test_what_the_change_counter_might_miss_is_found_by_looking_anyway[sqlite]",),
        errors=("Busy",),
    ),
)
