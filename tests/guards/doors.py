"""The guards of the server's door: refusals that arrive, crowds, proxies, pages of other origins, hung engines."""

from tests.guards.guard import Guard

DOORMAN = "api/test_doorman.py::"
REFUSED = "api/test_refused_bodies.py::"
PROXIES = "api/test_proxies.py::"
CORS = "api/test_cors.py::"
LISTS = "api/test_long_lists.py::"

GUARDS = (
    Guard(
        "what a client still sends is read after a refusal",
        "api/edge.py",
        "            if not (incoming.ended or self.house.closing) and len(self._lingering) < MOST_LINGERING:\n",
        "            if False:\n",
        (f"{REFUSED}test_a_body_that_is_too_large_is_told_so", f"{REFUSED}test_urllib_sees_it"),
        errors=("BrokenPipeError", "ConnectionResetError", "URLError"),
    ),
    Guard(
        "a client that falls silent after its refusal is not waited for",
        "api/incoming.py",
        "                    async with asyncio.timeout(SILENT_SECONDS):\n",
        "                    async with asyncio.timeout(None):\n",
        (f"{REFUSED}test_nobody_is_read_from_for_ever[SILENT_SECONDS-]",),
    ),
    Guard(
        "a client that waits to be asked is not asked for what nobody wants",
        "api/incoming.py",
        "            await asyncio.sleep(EXPECTING_SECONDS)\n",
        "            pass\n",
        (f"{REFUSED}test_who_waits_to_be_asked_is_not_asked",),
    ),
    Guard(
        "a packed body is refused",
        "api/body.py",
        '            if packing and packing.lower() not in (plain, "identity"):\n',
        "            if False:\n",
        (f"{REFUSED}test_a_packed_body_is_415",),
    ),
    Guard(
        "a client that does not read is cut",
        "api/doorman.py",
        "        if connection.acked - connection.window_acked < SLOWEST_BYTES_A_SECOND * took:\n",
        "        if False:\n",
        (f"{DOORMAN}test_who_does_not_read_is_cut", f"{DOORMAN}test_who_reads_a_little_now_and_then_is_cut"),
        waits=True,
    ),
    Guard(
        "a client that reads slowly but goes on is not cut",
        "api/doorman.py",
        "        if connection.acked - connection.window_acked < SLOWEST_BYTES_A_SECOND * took:\n",
        "        if connection.unread:\n",
        (f"{DOORMAN}test_who_reads_slowly_but_goes_on_is_not",),
        errors=("ConnectionResetError",),
    ),
    Guard(
        "many that do not read are cut sooner",
        "api/doorman.py",
        "[: max(0, len(stalled) - MOST_STALLED)]",
        "[:0]",
        (f"{DOORMAN}test_many_that_do_not_read_are_cut_sooner",),
        waits=True,
    ),
    Guard(
        "one address has so many connections",
        "api/doorman.py",
        "            for one in self._worst_first(waiting, now)[: max(0, excess)]:\n",
        "            for one in self._worst_first(waiting, now)[:0]:\n",
        (f"{DOORMAN}test_one_address_has_so_many_connections_and_the_newest_stay",),
        waits=True,
    ),
    Guard(
        "the connections of a trusted proxy are many clients'",
        "api/doorman.py",
        "            elif not is_trusted(connection.peer[0], settings.trusted_proxies):\n",
        "            else:\n",
        (f"{DOORMAN}test_a_trusted_proxy_has_any_number",),
    ),
    Guard(
        "requests under way are not cut for those that ask for nothing",
        "api/doorman.py",
        "        return self._traffic.under_way[connection.peer] > 0 or (",
        "        return (",
        (f"{DOORMAN}test_requests_under_way_are_the_last_to_be_cut",),
    ),
    Guard(
        "a client that runs ahead gets no further answer",
        "api/edge.py",
        '                    more = [*more, (b"connection", b"close")]\n',
        "                    pass\n",
        (f"{DOORMAN}test_a_client_that_runs_ahead_gets_so_many_answers",),
    ),
    Guard(
        "only what a trusted proxy says goes into links",
        "api/proxies.py",
        "    if not settings.trusted_proxies or not is_trusted(_peer(scope), settings.trusted_proxies):\n",
        "    if False:\n",
        (f"{PROXIES}test_what_a_trusted_proxy_says_goes_into_links",),
    ),
    Guard(
        "a prefix that is none does not get into links",
        "api/proxies.py",
        '    return prefix if _PREFIX.fullmatch(prefix) else ""\n',
        "    return prefix\n",
        (f"{PROXIES}test_what_a_trusted_proxy_says_goes_into_links",),
    ),
    Guard(
        "only pages of the origins named are told that they may",
        "api/cors.py",
        "        if origin in self._origins:\n",
        "        if origin:\n",
        (f"{CORS}test_another_page_is_told_nothing",),
    ),
    Guard(
        "the access log has no query",
        "api/edge.py",
        '            path=scope["raw_path"].decode("ascii", "replace")[:MOST_OF_A_PATH],\n',
        '            path=scope["path"] + scope["query_string"].decode(),\n',
        ("api/test_access_log.py::test_one_line_a_request",),
    ),
    Guard(
        "a list is made beside the loop",
        "api/edge.py",
        "            return await (runtime.db.run_long_read if handler.is_long else runtime.db.run_read)(look)\n",
        "            return await runtime.db.run_read(look)\n",
        (f"{LISTS}test_a_list_that_takes_long_holds_up_nobody",),
        errors=("TimeoutError", "ReadTimeout"),
        waits=True,
    ),
    Guard(
        "an engine that hangs is not ready",
        "runtime.py",
        "        if any(_age(path) < self.settings.engine_silent_seconds for path in held):\n",
        "        if held:\n",
        (
            f"{LISTS}test_readyz_tells_hung_from_loading",
            "workers/test_processes.py::test_an_engine_that_hangs_is_not_ready",
        ),
        waits=True,
    ),
    Guard(
        "only the engine's own loop says that it turns",
        "workers/loop.py",
        "        self._stamp()\n",
        "",
        ("workers/test_processes.py::test_another_engine_that_turns_is_enough",),
        waits=True,
    ),
)
