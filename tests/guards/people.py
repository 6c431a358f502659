"""The guards of signing in, of mails, and of people who leave."""

from tests.guards.guard import Guard

OPENID = "walks/test_openid.py::"
ROLES = "walks/test_openid_roles.py::"
ALONE = "walks/test_leaving_alone.py::"
UNKNOWN = "walks/test_unknown_names.py::"
GUESSING = "walks/test_guessing.py::"
MAILS = "walks/test_mails.py::"
LEAVING = "leaving/test_departures.py::"
STANDING_IN = "walks/test_standing_in.py::"

GUARDS = (
    Guard(
        "an invite opens no account that stands",
        "accounts/links.py",
        "    if people.find(tx, users.c.email == email) is not None:\n",
        "    if (person := people.find(tx, users.c.email == email)) is not None:\n"
        "        members.accept_invite(tx, invite_id, person.user_id, by)\n"
        "        return person.user_id\n"
        "    if person is not None:\n",
        (f"{STANDING_IN}test_an_invite_opens_no_account_that_stands",),
    ),
    Guard(
        "only its owner replaces a key",
        "api/routes/manage/api/api_keys/_api_key_id/rotate.py",
        "    if old.user_id != call.caller.user_id:\n",
        "    if not old.user_id:\n",
        (f"{STANDING_IN}test_only_its_owner_replaces_a_key",),
    ),
    Guard(
        "an ID token is of this very sign-in",
        "api/openid.py",
        '("client_id", "nonce", "access_token")',
        '("client_id", "access_token")',
        (
            f"{OPENID}test_a_token_that_is_not_good_lets_nobody_in[another nonce]",
            f"{OPENID}test_a_token_that_is_not_good_lets_nobody_in[no nonce]",
        ),
    ),
    Guard(
        "only a verified address ties an account",
        "accounts/identities.py",
        "if not told.email or not told.is_verified:",
        "if not told.email:",
        (
            f"{OPENID}test_an_address_that_is_not_verified_lets_nobody_in[False]",
            f"{OPENID}test_an_account_is_tied_to_the_subject_and_not_to_the_address",
        ),
    ),
    Guard(
        "the way back from an issuer is good once",
        "accounts/identities.py",
        "which = sign_in_attempts.c.digest == digest, sign_in_attempts.c.used_at.is_(None)",
        "which = (sign_in_attempts.c.digest == digest,)",
        (f"{OPENID}test_the_way_back_is_good_once_and_in_this_browser",),
    ),
    Guard(
        "a try counts before its password is compared",
        "api/signing_in.py",
        "sessions.try_password(tx, user_id or account, address)",
        "0",
        (f"{GUESSING}test_many_guesses_at_once_are_no_way_round_the_limit[sqlite]",),
    ),
    Guard(
        "a new password ends what the old one had opened",
        "api/routes/manage/api/use_link.py",
        "sessions.end_all(tx, user_id)  # whoever was signed in with the old password",
        "pass",
        (f"{GUESSING}test_a_link_ends_what_the_old_password_had_opened[sqlite]",),
    ),
    Guard(
        "a link for somebody who has not signed in leads to our own address",
        "api/routes/manage/api/send_link.py",
        'origin = settings.public_url.rstrip("/")',
        "origin = f\"https://{call.request.headers['host']}\"",
        (f"{MAILS}test_a_forgotten_password_and_who_has_an_account_is_nobody_s_business",),
    ),
    Guard(
        "keys of an organisation that is being removed are refused",
        "accounts/keys.py",
        "users.c.deleted_at.is_(None), organizations.c.deleted_at.is_(None)",
        "users.c.deleted_at.is_(None)",
        (f"{LEAVING}test_an_organisation_is_refused_at_once_and_comes_back_whole[sqlite]",),
    ),
    Guard(
        "an owner who is being removed does not count as one",
        "accounts/members.py",
        'members.c.role == "OWNER", users.c.deleted_at.is_(None))\n        .order_by',
        'members.c.role == "OWNER")\n        .order_by',
        (f"{LEAVING}test_the_last_owner_does_not_leave_others_behind[sqlite]",),
    ),
    Guard(
        "the last owner does not leave alone",
        "accounts/members.py",
        '    if theirs == "OWNER" and len(owners_of(tx, organization_id)) <= 1:\n',
        "    if not theirs:\n",
        (
            f"{ALONE}test_a_member_leaves_alone_and_the_last_owner_does_not",
            f"{ALONE}test_the_last_owner_stays_also_when_two_leave_at_once[sqlite-leave]",
        ),
    ),
    Guard(
        "a claim makes and unmakes no owner",
        "accounts/identities.py",
        'before not in (None, "OWNER", role)',
        "before not in (None, role)",
        (f"{ROLES}test_owners_and_other_organisations_are_left_alone",),
    ),
    Guard(
        "a role that the issuer takes away is gone at the next sign-in",
        "accounts/identities.py",
        "    role = granted or joining.role\n",
        "    role = granted or before or joining.role\n",
        (f"{ROLES}test_the_role_follows_the_claim_up_and_down",),
    ),
    Guard(
        "a limit at the wrong place makes no key without it",
        "wire/people.py",
        "class CreateApiKeyRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):",
        "class CreateApiKeyRequest(msgspec.Struct, kw_only=True, frozen=True):",
        (f"{UNKNOWN}test_a_limit_at_the_wrong_place_makes_no_key_without_it",),
    ),
    Guard(
        "a role in an invite is refused",
        "api/fields.py",
        "    _refuse_unknown_in_each(value, rule)\n",
        "",
        (f"{UNKNOWN}test_a_role_in_an_invite_is_refused_and_nobody_is_invited",),
    ),
)
