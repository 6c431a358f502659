"""The guards of devices that are lent over a network."""

from tests.guards.guard import Guard

LENT = "engine/test_lent_ranks.py::"
GREETING = "engine/ranks/greeting.py"

GUARDS = (
    Guard(
        "a lender knows the secret",
        GREETING,
        'if not hmac.compare_digest(hello.proof, _proof(secret, "lender", number, hello.number, hello.lent)):',
        "if False:",
        (f"{LENT}test_who_does_not_fit_is_told_why[secret]",),
    ),
    Guard(
        "a leader knows the secret",
        GREETING,
        'if not hmac.compare_digest(welcome.proof, _proof(secret, "leader", challenge.number, number, lent)):',
        "if False:",
        (f"{LENT}test_a_leader_that_does_not_know_the_secret_is_not_served",),
    ),
    Guard(
        "a lender has the leader's base",
        GREETING,
        "if lent.base != wanted.base:",
        "if False:",
        (f"{LENT}test_who_does_not_fit_is_told_why[base]",),
    ),
    Guard(
        "who greets byte by byte is cut off",
        GREETING,
        "connection.settimeout(max(0.001, deadline - time.monotonic()))",
        "connection.settimeout(GREETING_SECONDS)",
        (f"{LENT}test_who_speaks_byte_by_byte_is_cut_off",),
    ),
    Guard(
        "a lender writes files of the leader's kind of name only",
        "engine/ranks/lent.py",
        "if name not in there and _FEATURES.fullmatch(name)]",
        "if name not in there]",
        (f"{LENT}test_no_file_of_another_name_is_asked_for",),
    ),
)
