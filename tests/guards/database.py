"""The guards of the database: durable commits, one writer at a time, whose faults pass, what errors may say."""

from tests.guards.guard import Guard

WRITES = "db/test_transactions.py::"

GUARDS = (
    Guard(
        "SQLite has every commit on the disk before it returns",
        "db/engines.py",
        '"PRAGMA synchronous = FULL"',
        '"PRAGMA synchronous = NORMAL"',
        (f"{WRITES}test_sqlite_flushes_every_commit[sqlite]",),
    ),
    Guard(
        "a reader cannot write",
        "db/engines.py",
        '        connection.execute("PRAGMA query_only = ON")\n',
        "",
        (f"{WRITES}test_a_reader_cannot_write[sqlite]",),
    ),
    Guard(
        "foreign keys hold on SQLite",
        "db/engines.py",
        '        connection.execute("PRAGMA foreign_keys = ON")\n',
        "",
        (f"{WRITES}test_foreign_keys_hold[sqlite]",),
    ),
    Guard(
        "SQLite's writers take turns from their first statement",
        "db/engines.py",
        '            connection.execute("BEGIN IMMEDIATE")\n',
        '            connection.execute("BEGIN")\n',
        (f"{WRITES}test_who_waits_too_long_for_its_turn_is_told_busy[sqlite]",),
    ),
    Guard(
        "PostgreSQL's writers take turns",
        "db/engines.py",
        "SELECT pg_advisory_xact_lock({_ONE_WRITER}); ",
        "",
        (
            f"{WRITES}test_what_a_writer_has_read_is_still_true_when_it_commits[postgresql]",
            f"{WRITES}test_who_waits_too_long_for_its_turn_is_told_busy[postgresql]",
        ),
    ),
    Guard(
        "a transaction inside a transaction is told as a mistake",
        "db/database.py",
        "        if self._turn_of == me:\n",
        "        if False:\n",
        (f"{WRITES}test_a_transaction_inside_a_transaction_is_a_mistake_not_a_deadlock[sqlite]",),
        errors=("Busy",),
    ),
    Guard(
        "a queue of writers is told busy within one patience",
        "db/database.py",
        "self.transaction(patience_seconds=deadline - time.monotonic())",
        "self.transaction()",
        (f"{WRITES}test_writes_that_queue_up_behind_a_lock_are_all_told_busy_in_time[sqlite]",),
    ),
    Guard(
        "a reader sees one moment",
        "db/snapshots.py",
        '            self._driver.execute("BEGIN")\n',
        # and nothing to end: the driver's own connection reads on, statement by statement
        '            self._driver = __import__("types").SimpleNamespace(execute=len)\n',
        (f"{WRITES}test_a_reader_sees_one_moment[sqlite]",),
    ),
    Guard(
        "a snapshot ends with its reader, also by an error",
        "db/snapshots.py",
        '            self._driver.execute("ROLLBACK")\n',
        "            pass\n",
        ("db/test_prepared.py::test_an_error_inside_a_snapshot_leaves_it_whole_for_the_next[sqlite]",),
        errors=("OperationalError",),
    ),
    Guard(
        "a locked database is told as busy",
        "db/refusals.py",
        "    if is_locked(error):\n        return BUSY\n",
        "",
        (
            "db/test_refusals.py::test_somebody_else_has_it",
            "db/test_refusals.py::test_sqlite_s_locks_pass_and_its_other_errors_do_not",
        ),
    ),
    Guard(
        "a mistake of ours is not told as busy",
        "db/refusals.py",
        "    return AWAY if is_away(error) else None\n",
        "    return AWAY\n",
        (f"{WRITES}test_a_mistake_is_not_told_as_busy", "db/test_refusals.py::test_mistakes_of_ours_stay_faults"),
    ),
    Guard(
        "a damaged database is told as damaged",
        "db/refusals.py",
        "            if is_damaged(error):\n",
        "            if False:\n",
        (
            "db/test_damage.py::test_a_flip_in_a_root_page",
            "db/test_damage.py::test_whatever_database_says_so",
        ),
        errors=("DatabaseError", "OperationalError", "Busy"),
    ),
    Guard(
        "nothing is written to a damaged database",
        "db/database.py",
        "        if self.is_damaged():\n            raise Damaged\n",
        "",
        ("db/test_damage.py::test_a_flip_in_a_root_page",),
    ),
    Guard(
        "the file is looked at before SQLite opens it",
        "db/database.py",
        "            if (fault := checkup.header_fault(self._file)) is not None:\n",
        "            if (fault := None) is not None:\n",
        ("db/test_damage.py::test_an_empty_file_with_a_write_ahead_file_is_left_alone",),
    ),
    Guard(
        "a write-ahead file that is gone is told",
        "db/database.py",
        "            lost = self._stamp.has_lost()\n",
        "            lost = False\n",
        ("db/test_damage.py::test_a_write_ahead_file_that_is_gone_is_noticed",),
        errors=("ValueError",),
    ),
    Guard(
        "busy is 503",
        "api/errors.py",
        '    "busy": 503,\n',
        "",
        (
            "api/test_edge.py::test_busy_says_when_to_come_again",
            "walks/test_ends.py::test_nobody_draws_so_the_wait_ends_and_the_job_with_it[sqlite]",
        ),
        errors=("KeyError",),
    ),
    Guard(
        "nobody but its owner reads the database's file",
        "db/database.py",
        "    path.touch(mode=0o600)",
        "    path.touch()",
        ("db/test_opening.py::test_only_its_owner_may_read_the_file",),
    ),
    Guard(
        "a database's password stays out of sentences",
        "db/database.py",
        "render_as_string(hide_password=True)",
        "render_as_string(hide_password=False)",
        (
            "db/test_postgresql_away.py::test_a_server_that_is_not_there_is_told_with_its_reason_and_without_the_password",
        ),
    ),
    Guard(
        "the values of a statement stay out of its errors",
        "db/engines.py",
        "        hide_parameters=True,\n",
        "",
        (f"{WRITES}test_an_error_does_not_say_what_was_written[sqlite]",),
    ),
)
