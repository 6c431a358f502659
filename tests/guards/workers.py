"""The guards of engine processes and their supervisor: leases kept and lost, stops, what dies with whom."""

from tests.guards.guard import Guard

LEASES = "workers/test_leases.py::"
PROCESSES = "workers/test_processes.py::"
LOOP = "workers/test_worker_loop.py::"

GUARDS = (
    Guard(
        "each report of a run proves its lease first",
        "training/reports.py",
        "    queue.require_lease(tx, lease.job_id, lease.lease_token)\n",
        "",
        (f"{LEASES}test_reports_without_the_lease_are_refused[sqlite]",),
    ),
    Guard(
        "the engine is told to stop what its worker has lost",
        "workers/publisher.py",
        '        log("workers").warning("lease lost; its work is dropped", job_id=held.job.job_id, code=lost.code)\n'
        "        self._holdings.drop(held.key)\n        self._cancel(held.key)\n",
        "        self._holdings.drop(held.key)\n",
        (f"{LEASES}test_the_engine_stops_working_on_what_was_lost[sqlite]",),
    ),
    Guard(
        "the heart lets go of a job that another has",
        "workers/heart.py",
        "            elif row.status is not JobStatus.RUNNING:\n                self._let_go(held)\n",
        "",
        (f"{LEASES}test_the_heart_lets_go_at_once_of_what_was_taken[sqlite]",),
    ),
    Guard(
        "the heart renews the leases in hand",
        "workers/heart.py",
        "        if held_jobs and not stalled:\n",
        "        if False:\n",
        (f"{LEASES}test_the_heart_keeps_a_lease_that_would_have_expired[sqlite]",),
    ),
    Guard(
        "an engine that stands still loses its leases",
        "workers/heart.py",
        "self.loop_turned_at > STALLED_SECONDS",
        "self.loop_turned_at > 1e9",
        (f"{LEASES}test_an_engine_that_stands_still_for_too_long_loses_its_leases_on_purpose[sqlite]",),
    ),
    Guard(
        "the engine knows a job by its lease, so that one lost and leased again is another",
        "workers/held.py",
        'return f"{self.job.job_id}.{self.job.lease_token}"',
        "return self.job.job_id",
        (f"{LEASES}test_the_same_worker_may_lease_again_what_it_lost[sqlite]",),
        errors=("Conflict",),
    ),
    Guard(
        "a sleeper writes its checkpoints where nobody reads",
        "workers/workspaces.py",
        "    mine = folder / str(lease_token)\n",
        '    mine = folder / "1"\n',
        (f"{LEASES}test_a_sleeper_s_checkpoints_land_where_nobody_reads[sqlite]",),
    ),
    Guard(
        "a worker that is asked to stop gives its run back without a counted attempt",
        "workers/loop.py",
        "                    queue.give_back(tx, held.job.job_id, held.job.lease_token)\n",
        "                    pass\n",
        (f"{LOOP}test_a_stop_finishes_the_images_and_gives_the_run_back_uncounted[sqlite]",),
    ),
    Guard(
        "a worker that is asked to stop finishes the images in hand",
        "workers/loop.py",
        "        while self.holdings.generations() and time.monotonic() < deadline:",
        "        while False:",
        (f"{LOOP}test_a_stop_finishes_the_images_and_gives_the_run_back_uncounted[sqlite]",),
    ),
    Guard(
        "a worker that is asked to stop waits no longer than it is given",
        "workers/loop.py",
        "        while self.holdings.generations() and time.monotonic() < deadline:",
        "        while self.holdings.generations():",
        (f"{LOOP}test_a_stop_leases_nothing_more_and_gives_back_what_takes_too_long[sqlite]",),
    ),
    Guard(
        "one run at a time",
        "workers/held.py",
        "return not self.trains() and time.monotonic() >= self._rests_until",
        "return time.monotonic() >= self._rests_until",
        (f"{LOOP}test_images_are_drawn_while_a_run_trains_and_one_run_at_a_time[sqlite]",),
    ),
    Guard(
        "a drawn image lies in the store before its row",
        "workers/writer.py",
        "            return store.put(data)\n",
        "            return sha256\n",
        (f"{LOOP}test_images_are_durable_and_listed_in_order[sqlite]",),
        errors=("NotFound",),
    ),
    Guard(
        "a blob that the collector took before its row is put back",
        "workers/writer.py",
        "                    if not store.has(sha256):\n                        store.put(data)\n",
        "                    pass\n",
        ("workers/test_crashes.py::test_a_blob_that_the_collector_took_between_store_and_row_is_put_back[sqlite]",),
        errors=("NotFound",),
    ),
    Guard(
        "a fault in a thread ends the worker",
        "workers/loop.py",
        "            if thread.fault is not None:\n",
        "            if False:\n",
        ("workers/test_crashes.py::test_a_fault_in_a_thread_ends_the_worker[sqlite]",),
        waits=True,
    ),
    Guard(
        "what a worker has died under is drawn by itself",
        "workers/loop.py",
        "        if self.holdings.is_suspicious():\n            return False\n",
        "",
        ("workers/test_crashes.py::test_a_picture_that_kills_workers_takes_its_neighbours_along_only_once[sqlite]",),
    ),
    Guard(
        "a run that was archived while it waited is not taken up",
        "training/reports.py",
        '    if not is_final_run(run["status"]):\n        return True\n',
        "    if True:\n        return True\n",
        ("workers/test_cancels.py::test_archiving_one_that_waits_for_another_attempt[sqlite]",),
    ),
    Guard(
        "an engine process dies with its supervisor",
        "workers/process.py",
        "        die_with_parent(given.parent)\n",
        "        pass\n",
        (f"{PROCESSES}test_an_engine_process_dies_with_its_parent",),
    ),
    Guard(
        "an engine process whose parent is gone already dies too",
        "parent.py",
        "    if os.getppid() != parent:\n        os.kill",
        "    if False:\n        os.kill",
        (f"{PROCESSES}test_an_engine_process_whose_parent_was_gone_before_dies_too",),
    ),
    Guard(
        "the API dies with its supervisor",
        "api/serve.py",
        "    die_with_parent(arguments.parse_args().parent)\n",
        "    arguments.parse_args()\n",
        ("api/test_serve.py::test_it_does_not_outlive_its_parent",),
    ),
    Guard(
        "a data folder has one server",
        "workers/supervise.py",
        "            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        "",
        (f"{PROCESSES}test_one_server_a_data_folder",),
    ),
    Guard(
        "nobody takes the name of a dead worker whose leases stand",
        "workers/supervise.py",
        "if chores.is_buried(worker_id) and (",
        "if (",
        (f"{PROCESSES}test_nobody_takes_the_name_of_a_worker_that_is_not_buried",),
    ),
    Guard(
        "the engines are stopped after the API, so that who waits for an image gets it",
        "workers/supervise.py",
        "    for floor in ([api], list(engines.values())):",
        "    for floor in ([*engines.values(), api],):",
        ("walks/test_stopping.py::test_the_engines_are_stopped_when_the_api_has_ended",),
    ),
)
