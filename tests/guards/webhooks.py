"""The guards of webhooks: where they may lead, that each is told once and none is lost, and whose a generation is."""

from tests.guards.guard import Guard

ADDRESSES, SENDING = "webhooks/test_addresses.py::", "webhooks/test_sending.py::"
ASYNC, HOOKS = "walks/test_async.py::", "walks/test_webhooks.py::"

GUARDS = (
    Guard(
        "addresses that only look public are refused",
        "webhooks/addresses.py",
        "        return not any(address in network for network in _NOT_PUBLIC_V4)\n",
        "        return True\n",
        (f"{ADDRESSES}test_these_addresses_are_nobody_s_to_be_led_to",),
    ),
    Guard(
        "an IPv6 address is one that was given out as such",
        "webhooks/addresses.py",
        "address in _PUBLIC_V6 and ",
        "",
        (f"{ADDRESSES}test_these_addresses_are_nobody_s_to_be_led_to",),
    ),
    Guard(
        "every address of a host must be allowed",
        "webhooks/addresses.py",
        "    return all(is_public(one)",
        "    return any(is_public(one)",
        (f"{ADDRESSES}test_what_the_operator_names_is_allowed_and_one_bad_address_of_many_is_enough",),
    ),
    Guard(
        "the addresses are checked again when a webhook is called",
        "webhooks/targets.py",
        "    if not all_allowed(target.host, [_address(one) for one in found], hosts):\n",
        "    if False:\n",
        (
            f"{SENDING}test_a_name_that_leads_home_after_it_was_checked_is_not_followed_there",
            f"{ADDRESSES}test_a_name_is_looked_up_and_each_of_its_addresses_counts",
        ),
    ),
    Guard(
        "nothing is placed for a webhook that may not be called",
        "api/routes/v1/ideogram_v4/async_/generate.py",
        "    if ask.refusal is not None:\n        raise ask.refusal\n",
        "",
        (f"{ASYNC}test_a_webhook_that_may_not_be_called_is_refused_and_nothing_is_placed",),
    ),
    Guard(
        "a generation is its user's alone",
        "generation/asynchronous.py",
        "mine = _ONE if user_id is None else _ONE.where(generations.c.user_id == user_id)",
        "mine = _ONE",
        (f"{ASYNC}test_others_and_never_made_ones_are_answered_alike",),
    ),
    Guard(
        "another webhook under the same Idempotency-Key is another request",
        "api/runner.py",
        "            sha256 = _with_query(fields.sha256, call, operation)\n",
        "            sha256 = fields.sha256\n",
        (f"{ASYNC}test_one_key_is_one_generation_and_another_webhook_is_another_request",),
    ),
    Guard(
        "a delivery is in one hand at a time",
        "generation/asynchronous.py",
        "    if found.webhook_ended_at is not None or found.webhook_next_at > now:\n        return None\n",
        "",
        (f"{HOOKS}test_two_deliverers_take_each_one_once",),
    ),
    Guard(
        "an outcome counts only as long as its claim holds",
        "generation/asynchronous.py",
        "        generations.c.webhook_next_at == seen,\n        generations.c.webhook_ended_at.is_(None),\n",
        "",
        (f"{HOOKS}test_an_outcome_that_comes_after_its_claim_changes_nothing",),
    ),
    Guard(
        "one organisation's slow hosts leave room for others",
        "api/deliver.py",
        "                if busy.count(found.organization_id) + mine < AT_ONCE_FOR_ONE:\n",
        "                if True:\n",
        (f"{HOOKS}test_a_host_that_never_answers_holds_up_nobody_else",),
    ),
    Guard(
        "a host that never answers is left in time",
        "webhooks/sending.py",
        "            async with asyncio.timeout(self._seconds):\n",
        "            async with asyncio.timeout(None):\n",
        (f"{SENDING}test_a_host_that_never_answers_is_left_in_time",),
    ),
)
