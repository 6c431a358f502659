"""Signed links: only the server can make one, and only for that image and that long."""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from linocut.ids import new_id
from linocut.storage import links

SECRET = bytes(range(32))
EXPIRES = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE, AFTER = EXPIRES - timedelta(seconds=1), EXPIRES + timedelta(seconds=1)

moments = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
secrets = st.binary(min_size=32, max_size=32)
ids = st.builds(new_id)


def parts(query: str) -> tuple[str, str]:
    fields = parse_qs(query, strict_parsing=True)
    return fields["exp"][0], fields["sig"][0]


@given(image_id=ids, expires=moments, secret=secrets)
def test_a_link_opens_its_image_until_it_expires(image_id: str, expires: datetime, secret: bytes) -> None:
    exp, sig = parts(links.sign(image_id, expires, secret))
    assert int(exp) == int(expires.timestamp())
    assert len(sig) == 64
    assert links.verify(image_id, exp, sig, secret, expires - timedelta(seconds=1))
    assert not links.verify(image_id, exp, sig, secret, expires)
    assert not links.verify(image_id, exp, sig, secret, expires + timedelta(days=1))


@given(image_id=ids, other=ids, secret=secrets, stolen=secrets, later=st.integers(1, 10**9))
def test_a_link_is_for_one_image_one_moment_and_one_server(
    image_id: str, other: str, secret: bytes, stolen: bytes, later: int
) -> None:
    assume(secret != stolen)
    exp, sig = parts(links.sign(image_id, EXPIRES, secret))
    assert not links.verify(other, exp, sig, secret, BEFORE)
    assert not links.verify(image_id, str(int(exp) + later), sig, secret, BEFORE)
    assert not links.verify(image_id, exp, sig, stolen, BEFORE)


@given(position=st.integers(0, 63), digit=st.sampled_from("0123456789abcdef"))
def test_no_changed_signature_passes(position: int, digit: str) -> None:
    exp, sig = parts(links.sign("image", EXPIRES, SECRET))
    changed = sig[:position] + digit + sig[position + 1 :]
    assert links.verify("image", exp, changed, SECRET, BEFORE) == (changed == sig)


@given(exp=st.text(max_size=20), sig=st.text(max_size=70))
def test_whatever_a_client_sends_is_answered_with_no(exp: str, sig: str) -> None:
    assert not links.verify("image", exp, sig, SECRET, BEFORE)


@pytest.mark.parametrize(
    "change", [str.upper, lambda sig: sig + "0", lambda sig: sig[:-1], lambda sig: sig + "\n", lambda sig: sig + "é"]
)
def test_a_signature_has_one_spelling(change: Callable[[str], str]) -> None:
    exp, sig = parts(links.sign("image", EXPIRES, SECRET))
    assert links.verify("image", exp, sig, SECRET, BEFORE)
    if change(sig) != sig:
        assert not links.verify("image", exp, change(sig), SECRET, BEFORE)


@pytest.mark.parametrize("spelling", ["0{}", "+{}", " {}", "{} ", "{}.0", "{}\n"])
def test_an_expiry_has_one_spelling(spelling: str) -> None:
    exp, sig = parts(links.sign("image", EXPIRES, SECRET))
    assert not links.verify("image", spelling.format(exp), sig, SECRET, BEFORE)
    for digits in ("٣" * len(exp), "²"):  # digits to Unicode, and the second is no number to int()
        assert not links.verify("image", digits, sig, SECRET, BEFORE)


def test_image_id_and_expiry_cannot_be_shifted_into_each_other() -> None:
    exp, sig = parts(links.sign("image1", EXPIRES, SECRET))
    assert not links.verify("image", "1" + exp, sig, SECRET, BEFORE)


def test_the_comparison_takes_the_same_time_for_every_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def watched(ours: str, theirs: str) -> bool:
        compared.append(len(theirs))
        return ours == theirs

    monkeypatch.setattr(hmac, "compare_digest", watched)
    exp, sig = parts(links.sign("image", EXPIRES, SECRET))
    for signature, moment in [(sig, BEFORE), ("0" * 64, BEFORE), (sig, AFTER), ("0" * 64, AFTER)]:
        links.verify("image", exp, signature, SECRET, moment)
    assert compared == [64] * 4


def test_the_whole_url() -> None:
    for origin in ("https://pictures.example", "https://pictures.example/"):
        url = urlsplit(links.image_url(origin, "abc", EXPIRES, SECRET))
        assert (url.netloc, url.path) == ("pictures.example", "/api/images/ephemeral/abc.png")
        assert links.verify("abc", *parts(url.query), SECRET, BEFORE)
