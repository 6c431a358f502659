"""The guards of answers: what is refused, what a sentence may not say, who is told what, how a server stops."""

from tests.guards.guard import Guard

FIELDS = "api/test_fields.py::"
REFUSALS = "api/test_refusals.py::"

GUARDS = (
    Guard(
        "a field that no route acts on yet is refused",
        "api/translate/refusals.py",
        "        if name in published:\n            raise",
        "        if name in published:\n            continue\n            raise",
        (f"{REFUSALS}test_a_field_that_comes_later_is_refused_until_then",),
    ),
    Guard(
        "another route's field is refused",
        "api/translate/refusals.py",
        '        raise InvalidRequest(f"{name} is no field of {path}: {instead}.", field=name)',
        "        continue",
        (f"{REFUSALS}test_another_route_s_field_is_refused", f"{REFUSALS}test_v4_says_what_to_send_instead"),
    ),
    Guard(
        "v4 takes exactly one prompt",
        "api/translate/asks.py",
        "    if (prompt is None) == (request.json_prompt is UNSET):\n",
        "    if False:\n",
        (f"{REFUSALS}test_exactly_one_prompt_on_v4",),
    ),
    Guard(
        "a number that is none passes no limit",
        "api/fields.py",
        " or (isinstance(checked, float) and not math.isfinite(checked)):",
        ":",
        (f"{FIELDS}test_a_refusal_names_the_field_and_its_rule",),
    ),
    Guard(
        "a pattern's end is the text's end",
        "api/fields.py",
        '    through = isinstance(checked, str) and rule.has_pattern and checked.endswith("\\n")\n',
        "    through = False\n",
        (f"{FIELDS}test_a_refusal_names_the_field_and_its_rule",),
    ),
    Guard(
        "a fault of ours says nothing of itself",
        "api/edge.py",
        "await _tell(Internal(), request_id, scope, receive, send, because=fault)",
        "await _tell(Internal(str(fault)), request_id, scope, receive, send, because=fault)",
        ("api/test_edge.py::test_a_fault_is_a_sentence_with_a_request_id",),
    ),
    Guard(
        "no second answer follows one that has begun",
        "api/edge.py",
        "    if send.status:\n        raise error from because\n",
        "",
        ("api/test_edge.py::test_nothing_is_said_after_an_answer_has_begun",),
    ),
    Guard(
        "only faults of ours carry a request id, so that two 404s are the same bytes",
        "api/errors.py",
        "    ours = status >= 500 and status != 503\n",
        "    ours = True\n",
        (
            "api/test_errors.py::test_not_found_is_the_same_byte_by_byte",
            "api/test_auth.py::test_the_three_refusals_are_the_same",
        ),
    ),
    Guard(
        "a Host that is none does not get into links",
        "api/links.py",
        "    if not HOST.fullmatch(host):\n",
        "    if not host:\n",
        ("api/test_images.py::test_the_origin_is_the_one_that_the_client_asked",),
    ),
    Guard(
        "no transaction is open while a client waits for its image",
        "api/drawing.py",
        "        job = await until_gone(call, call.house.waiter.wait(job_id, "
        "runtime.settings.generate_timeout_seconds))\n",
        "        with runtime.db.transaction():\n            job = await until_gone(call, "
        "call.house.waiter.wait(job_id, runtime.settings.generate_timeout_seconds))\n",
        ("walks/test_ends.py::test_images_in_progress_are_counted_per_organisation[sqlite]",),
    ),
    Guard(
        "a client that leaves cancels its images",
        "api/drawing.py",
        "        await asyncio.shield(_give_up(call, job_id))\n",
        "",
        ("walks/test_ends.py::test_a_client_that_leaves_cancels_its_images[sqlite]",),
        waits=True,
    ),
    Guard(
        "a server that stops tells those who wait",
        "api/edge.py",
        "        await self.house.close()\n        await self._calm(LAST",
        "        await self._calm(LAST",
        ("api/test_serve.py::test_requests_under_way_do_not_hold_it_up",),
    ),
    Guard(
        "a server that stops lets requests under way end",
        "api/edge.py",
        "        await self._calm(seconds, lambda: not self._under_way)\n",
        "",
        ("walks/test_stopping.py::test_a_server_that_is_asked_to_stop_finishes_what_it_has",),
    ),
    Guard(
        "only a model's owner follows its training",
        "api/routes/models/events.py",
        "    if not view.is_owned:\n",
        "    if False:\n",
        ("walks/test_sharing.py::test_a_shared_model_is_seen_and_drawn_with_but_not_owned[sqlite]",),
    ),
    Guard(
        "a member sees no runs of a shared model",
        "api/translate/models.py",
        "if with_runs and view.is_owned else UNSET",
        "if with_runs else UNSET",
        ("walks/test_sharing.py::test_a_shared_model_is_seen_and_drawn_with_but_not_owned[sqlite]",),
    ),
)
