"""The guards of keys, of who is asking, and of calls that come again."""

from tests.guards.guard import Guard

KEYS = "accounts/test_keys.py::"
AGAIN = "accounts/test_idempotency.py::"
AUTH = "api/test_auth.py::"
GALLERY = "walks/test_gallery.py::"
LINKS = "walks/test_links_as_pictures.py::"
REVOKED = "walks/test_revoked.py::"

GUARDS = (
    Guard(
        "a revoked key is refused, also when another process revoked it",
        "accounts/keys.py",
        ' or row["revoked_at"] is not None',
        "",
        (
            f"{KEYS}test_no_key_a_wrong_one_and_a_revoked_one_are_refused_in_the_same_words[sqlite]",
            f"{KEYS}test_a_key_revoked_by_another_process_is_refused_by_the_next_request[sqlite]",
            f"{AUTH}test_a_key_revoked_elsewhere_is_refused_at_once",
        ),
    ),
    Guard(
        "what is kept of a key is keyed with the installation's secret",
        "accounts/keys.py",
        "hashlib.blake2b(key_text.encode(), key=digest_key, digest_size=32)",
        "hashlib.blake2b(key_text.encode(), digest_size=32)",
        (
            f"{KEYS}test_neither_the_text_nor_a_plain_hash_of_it_is_kept_anywhere[sqlite]",
            f"{KEYS}test_two_installations_keep_different_digests_of_the_same_key",
        ),
    ),
    Guard(
        "digests are compared in constant time",
        "accounts/keys.py",
        'not hmac.compare_digest(bytes(row["digest"]), digest)',
        'bytes(row["digest"]) != digest',
        (f"{KEYS}test_the_digest_that_decides_is_compared_in_constant_time[sqlite]",),
    ),
    Guard(
        "a new key's text stays out of reprs",
        "accounts/types.py",
        "api_key: str = field(repr=False)",
        "api_key: str = field()",
        (f"{KEYS}test_neither_the_text_nor_a_plain_hash_of_it_is_kept_anywhere[sqlite]",),
    ),
    Guard(
        "to revoke again keeps the first moment",
        "accounts/keys.py",
        "api_keys.c.api_key_id == api_key_id, api_keys.c.revoked_at.is_(None))",
        "api_keys.c.api_key_id == api_key_id)",
        (f"{KEYS}test_revoking_again_is_fine_and_keeps_the_first_moment_but_an_unknown_key_is_not_found[sqlite]",),
    ),
    Guard(
        "a key is looked up again in each transaction and each snapshot of a request",
        "api/runner.py",
        "        call = Call(request, shared, path, caller, caller_in)\n",
        "        call = Call(request, shared, path, caller, None)\n",
        (
            f"{REVOKED}test_nothing_is_changed_by_what_such_a_key_has_begun[revoked-sqlite-plain]",
            f"{REVOKED}test_the_last_bytes_come_too_late[revoked-sqlite-/v1/ideogram-v3/train-model]",
            f"{REVOKED}test_an_answer_that_is_remembered_is_not_told_to_such_a_key[revoked-sqlite]",
        ),
    ),
    Guard(
        "a write begins with a look at the key",
        "db/database.py",
        "                    self._admit(tx)\n",
        "",
        (f"{REVOKED}test_nothing_is_changed_by_what_such_a_key_has_begun[revoked-sqlite-plain]",),
    ),
    Guard(
        "a page of an event stream begins with a look at the key",
        "db/database.py",
        "                self._admit(snapshot)\n                return work(snapshot)\n",
        "                return work(snapshot)\n",
        (f"{REVOKED}test_a_stream_ends_with_its_key[revoked-sqlite]",),
        waits=True,
    ),
    Guard(
        "images are not told to a key that was revoked while they were drawn",
        "api/drawing.py",
        "    await call.db.run_read(lambda tx: None)  # the key is looked up: a link is good for a day\n",
        "",
        (f"{REVOKED}test_images_that_were_drawn_meanwhile_are_not_told_to_such_a_key[sqlite]",),
    ),
    Guard(
        "a key is good only while its user is a member of its organisation",
        "accounts/keys.py",
        "(members.c.organization_id == api_keys.c.organization_id) & (members.c.user_id == api_keys.c.user_id),",
        "members.c.user_id == api_keys.c.user_id,",
        (f"{KEYS}test_a_key_of_a_user_who_was_removed_is_refused[sqlite]",),
    ),
    Guard(
        "who asks is settled before the body is read",
        "api/runner.py",
        "    caller_in = look_up(request.headers, shared.runtime, only_sessions=operation.is_console)\n",
        "    await request.body()\n    caller_in = look_up(request.headers, shared.runtime, only_sessions="
        "operation.is_console)\n",
        (f"{AUTH}test_the_body_is_not_read_for_a_stranger",),
        errors=("TimeoutError",),
        waits=True,
    ),
    Guard(
        "an Idempotency-Key that comes with another body is refused",
        "accounts/idempotency.py",
        "    if row.body_sha256 != call.body_sha256:",
        "    if False:",
        (f"{AGAIN}test_another_body_under_the_same_key_is_refused[sqlite]",),
    ),
    Guard(
        "an Idempotency-Key is the caller's own",
        "accounts/idempotency.py",
        "remembered.c.api_key_id == call.api_key_id, ",
        "",
        (f"{AGAIN}test_another_key_caller_or_route_is_another_call[sqlite]",),
    ),
    Guard(
        "an Idempotency-Key is its route's own",
        "accounts/idempotency.py",
        "remembered.c.route == call.route, ",
        "",
        (f"{AGAIN}test_another_key_caller_or_route_is_another_call[sqlite]",),
    ),
    Guard(
        "an Idempotency-Key is forgotten after a day",
        "accounts/idempotency.py",
        "    if row is None or row.created_at < ids.now() - KEPT:",
        "    if row is None:",
        (f"{AGAIN}test_a_day_later_it_is_forgotten[sqlite]",),
        errors=("InvalidRequest",),
    ),
    Guard(
        "what was answered before is answered again without a second effect",
        "accounts/idempotency.py",
        '    if "answer" in earlier:\n        return str(earlier["answer"])\n    answer = effect()',
        "    answer = effect()",
        (f"{AGAIN}test_the_same_call_has_one_effect_and_one_answer[sqlite]",),
    ),
    Guard(
        "long work is in one hand at a time",
        "accounts/idempotency.py",
        '    mine = earlier.get("held_by") in (None, holder)\n',
        "    mine = True\n",
        (f"{AGAIN}test_long_work_is_in_one_hand_until_it_is_answered_let_go_or_dead[sqlite]",),
    ),
    Guard(
        "an upload that fails lets go of its key",
        "api/once.py",
        "        await asyncio.shield(call.runtime.db.run_write(lambda tx: idempotency.let_go(tx, keyed, holder)))\n",
        "",
        ("walks/test_idempotency.py::test_an_upload_that_fails_lets_go_of_its_key[sqlite]",),
    ),
    Guard(
        "images that failed may be asked for again under their key",
        "api/drawing.py",
        "        await forget(call, begun)\n",
        "",
        ("walks/test_idempotency.py::test_images_that_failed_may_be_asked_for_again[sqlite]",),
    ),
    Guard(
        "who comes back under a key gets the images that were drawn meanwhile",
        "api/drawing.py",
        "    if call.keyed is None:\n        await call.runtime",
        "    if True:\n        await call.runtime",
        ("walks/test_idempotency.py::test_who_comes_back_gets_the_images_that_were_drawn_meanwhile",),
    ),
    Guard(
        "a link in a request leads to images of the caller's own organisation only",
        "generation/service.py",
        ', bindparam("organization_id") == _OWNER',
        "",
        (f"{LINKS}test_any_other_link_is_refused_with_a_sentence[sqlite-foreign]",),
    ),
    Guard(
        "drawn images are those of the caller's organisation",
        "generation/drawings.py",
        "[images.c.organization_id == caller.organization_id]",
        "[images.c.organization_id.is_not(None)]",
        (f"{GALLERY}test_a_member_sees_their_own_and_an_admin_all[sqlite]",),
    ),
    Guard(
        "a member sees, and deletes, no images but their own",
        "generation/drawings.py",
        "seen.append(images.c.user_id == caller.user_id)",
        "pass",
        (f"{GALLERY}test_a_member_sees_their_own_and_an_admin_all[sqlite]",),
    ),
    Guard(
        "a link in a request is one that this server signed, and still valid",
        "api/intake.py",
        'if not verify(named[1], query["exp"][-1], query["sig"][-1], call.runtime.link_secret, ids.now()):',
        "if False:",
        (
            f"{LINKS}test_any_other_link_is_refused_with_a_sentence[sqlite-expired]",
            f"{LINKS}test_any_other_link_is_refused_with_a_sentence[sqlite-forged]",
        ),
    ),
)
