"""The guards of money: what is in progress counts, what is done is charged once, limits and roles hold."""

from tests.guards.guard import Guard

BOOK = "ledger/test_book.py::"
WALK = "walks/test_money.py::"
CONSOLE = "walks/test_money_console.py::"

GUARDS = (
    Guard(
        "what is in progress counts as spent",
        "ledger/types.py",
        "return self.balance - self.reserved - self.expiring",
        "return self.balance - self.expiring",
        (f"{BOOK}test_credit_covers_what_is_in_progress_too[sqlite]",),
    ),
    Guard(
        "credit whose time is over pays for nothing new",
        "ledger/types.py",
        "return self.balance - self.reserved - self.expiring",
        "return self.balance - self.reserved",
        (f"{BOOK}test_credit_that_ends_first_is_used_first_and_the_rest_of_it_is_written_off[sqlite]",),
    ),
    Guard(
        "credit that ends while work is in progress still pays for it",
        "ledger/book.py",
        "    spare, at, over = balance_of(tx, organization_id) - reserved, now(), {}\n",
        "    spare, at, over = balance_of(tx, organization_id), now(), {}\n",
        (f"{BOOK}test_credit_that_ends_under_work_in_progress_still_pays_for_it[sqlite]",),
    ),
    Guard(
        "an earlier job of a request holds its price",
        "ledger/reserving.py",
        "    for rows in (tx.execute(_IN_WORK, told), tx.execute(_HELD, told)):\n",
        "    for rows in (tx.execute(_IN_WORK, told),):\n",
        (f"{BOOK}test_an_earlier_job_of_a_request_holds_its_price_until_the_last_takes_it_over[sqlite]",),
    ),
    Guard(
        "a request that fails after its first job holds nothing",
        "api/runner.py",
        "        await asyncio.shield(let_go(call))\n",
        "        pass\n",
        (f"{WALK}test_an_edit_that_is_not_understood_holds_nothing",),
    ),
    Guard(
        "images are charged with the end of their job",
        "workers/answers.py",
        "    ledger.charge(tx, job.job_id, device_seconds)\n",
        "",
        (f"{WALK}test_each_operation_costs_what_is_published[v3]",),
        errors=("ValueError",),
    ),
    Guard(
        "how long failed work had the device is told",
        "workers/answers.py",
        "            ledger.failed(tx, held.job.job_id, device_seconds)\n",
        "",
        (f"{WALK}test_failed_work_is_free_and_a_repetition_is_not_charged_again",),
        errors=("ValueError",),
    ),
    Guard(
        "an organisation's limit is set by who runs the server",
        "api/routes/manage/api/limits.py",
        "        require_administrator(tx, call.caller.user_id)\n",
        "",
        (f"{CONSOLE}test_limits_are_set_for_keys_by_admins_and_for_the_organisation_by_who_runs_the_server",),
    ),
    Guard(
        "a limit of a key counts that key's spending alone",
        "ledger/reserving.py",
        "        spent = spent_since(tx, subject_id, began) + busy\n",
        "        spent = spent_since(tx, caller.organization_id, began) + busy\n",
        (f"{BOOK}test_a_key_s_limit_counts_that_key_alone[sqlite]",),
        errors=("DailyLimit",),
    ),
    Guard(
        "what limits read is the sum of the charges",
        "ledger/book.py",
        "    spent.count(tx, subjects, at, amount)\n",
        "",
        (
            f"{BOOK}test_a_key_s_limit_counts_that_key_alone[sqlite]",
            "ledger/test_spent.py::test_a_charge_counts_for_its_day_its_organisation_and_its_key[sqlite]",
        ),
    ),
    Guard(
        "a rotated key keeps its limits",
        "accounts/keys.py",
        "    copy_limits(tx, api_key_id, new.api_key_id)\n",
        "",
        (f"{BOOK}test_a_rotated_key_has_the_limits_of_the_old_one[sqlite]",),
    ),
    Guard(
        "a refused request of a key is not counted",
        "accounts/requests.py",
        "    if sent < most:\n        return\n",
        "    if sent <= most:\n        return\n",
        (
            "accounts/test_requests.py::test_no_more_than_the_limit_lie_within_any_minute[sqlite]",
            f"{WALK}test_a_key_over_its_requests_a_minute_and_the_session_that_is_not_counted",
        ),
    ),
    Guard(
        "a member is told of their own usage alone",
        "api/spending.py",
        '    user_ids = None if role != "MEMBER" else {call.caller.user_id}\n',
        "    user_ids: set[str] | None = None\n",
        (f"{CONSOLE}test_who_may_see_what",),
    ),
    Guard(
        "only administrators of the server add credit",
        "api/routes/manage/api/add_credits.py",
        "    require_administrator(tx, call.caller.user_id)\n",
        "",
        (f"{CONSOLE}test_a_top_up_by_the_server_s_administrator_alone",),
    ),
)
