"""The guards of requests on their way in: sizes, slowness, forms, and what they leave behind."""

from tests.guards.guard import Guard

UPLOADS = "api/test_uploads.py::"
FORMS = "api/test_multipart.py::"
SLOW = "api/test_slow_clients.py::"

GUARDS = (
    Guard(
        "a body that announces too much is refused before it is sent",
        "api/body.py",
        "    if announced.isdecimal() and int(announced) > limit:\n",
        "    if False:\n",
        (f"{UPLOADS}test_a_body_that_announces_too_much_is_refused_before_it_is_sent",),
        errors=("TimeoutError",),
        waits=True,
    ),
    Guard(
        "a body that does not say its size is refused at the limit",
        "api/body.py",
        "        if received > limit:\n",
        "        if False:\n",
        (f"{UPLOADS}test_a_body_that_does_not_say_is_refused_at_the_limit",),
    ),
    Guard(
        "a silent body is not awaited",
        "api/body.py",
        "asyncio.timeout(PATIENCE_SECONDS + received / SLOWEST_BYTES_A_SECOND - waited)",
        "asyncio.timeout(None)",
        (f"{UPLOADS}test_a_silent_client_is_not_awaited_for_ever",),
        errors=("TimeoutError",),
        waits=True,
    ),
    Guard(
        "a body that trickles is cut",
        "api/body.py",
        "received / SLOWEST_BYTES_A_SECOND - waited)",
        "received / SLOWEST_BYTES_A_SECOND)",
        (f"{SLOW}test_a_body_that_trickles_is_cut",),
    ),
    Guard(
        "slow headers are not awaited",
        "api/serve.py",
        "            http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),\n",
        "",
        ("api/test_serve.py::test_slow_headers_are_not_awaited",),
        errors=("TimeoutError",),
    ),
    Guard(
        "whether a dataset exists is settled before its files are read",
        "api/routes/datasets/__init__.py",
        "    await call.runtime.db.run_read(partial(_get, call))\n    return answer(await ingest_upload",
        "    return answer(await ingest_upload",
        (f"{UPLOADS}test_files_for_no_dataset_are_not_awaited",),
        errors=("TimeoutError",),
        waits=True,
    ),
    Guard(
        "an upload leaves nothing in the spool, however it ends",
        "api/uploads.py",
        "    finally:\n        shutil.rmtree(folder, ignore_errors=True)\n",
        "    finally:\n        pass\n",
        (f"{UPLOADS}test_a_broken_body_leaves_nothing_behind",),
        waits=True,
    ),
    Guard(
        "what a killed process left in the spool is swept",
        "api/house.py",
        "            shutil.rmtree(folder, ignore_errors=True)\n",
        "            pass\n",
        (f"{UPLOADS}test_what_a_killed_process_left_is_swept_at_the_start",),
    ),
    Guard(
        "a form that ends before its last boundary is refused",
        "api/multipart.py",
        "        if not self._ended:\n",
        "        if False:\n",
        (f"{FORMS}test_a_broken_body_is_refused",),
    ),
    Guard(
        "the texts of a form have a limit together",
        "api/multipart.py",
        "            if self._text_bytes > MAX_TEXT_BYTES:\n",
        "            if False:\n",
        (f"{FORMS}test_text_parts_have_a_limit_together",),
    ),
    Guard(
        "a form has a limit of parts",
        "api/multipart.py",
        "        if len(self._parts) >= MAX_PARTS:\n",
        "        if False:\n",
        (f"{FORMS}test_too_many_parts",),
    ),
)
