"""A bucket of a real S3: refused, absent, slow, gone and back again. Each ends soon and as a sentence."""

import uuid
from pathlib import Path

import pytest
from tests.storage.relay import Relay
from tests.storage.store_fixtures import BUCKET, Swift, be_patient

from linocut.api.call import STORE_SECONDS
from linocut.cli import checks
from linocut.errors import InvalidRequest, Lost, Unavailable
from linocut.files import sha256_hex
from linocut.settings import Settings
from linocut.storage import remote
from linocut.storage.store import Store


@pytest.fixture
def url() -> str:
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


def use(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def relay(swift: Swift, monkeypatch: pytest.MonkeyPatch) -> Relay:
    relay = Relay(swift.port)
    use(monkeypatch, swift.environment(port=relay.port))
    be_patient(monkeypatch)
    return relay


def test_a_wrong_secret_is_refused_with_a_sentence(swift: Swift, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (swift.environment(secret="wrong"), swift.environment() | {"AWS_ACCESS_KEY_ID": "test:nobody"}):
        use(monkeypatch, wrong)
        with pytest.raises(InvalidRequest, match="check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY") as told:
            Store.open(url)
        assert "wrong" not in told.value.message


def test_credentials_that_cease_to_be_good_are_told_as_that(
    swift: Swift, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, swift.environment())
    sha256 = Store.open(url).put(b"ink")
    use(monkeypatch, swift.environment(secret="wrong"))
    monkeypatch.setattr(remote, "_check", lambda *_: None)
    store = Store.open(url)
    for call in (lambda: store.get(sha256), lambda: store.put(b"ink"), lambda: store.has(sha256)):
        with pytest.raises(Unavailable, match="refuses this server's credentials"):
            call()


def test_a_bucket_that_is_absent_is_refused_with_a_sentence(swift: Swift, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, swift.environment())
    with pytest.raises(InvalidRequest, match="no bucket absent-bucket;"):
        Store.open("s3://absent-bucket/prefix")
    monkeypatch.setattr(remote, "_check", lambda *_: None)
    with pytest.raises(Unavailable, match="bucket is gone"):
        Store.open("s3://absent-bucket/prefix").put(b"ink")


def test_the_doctor_tries_it_out_and_tells_each_fault_with_its_mending(
    swift: Swift, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_patient(monkeypatch)
    use(monkeypatch, swift.environment())
    assert checks.storage(Settings(data=tmp_path, storage_url=url)).ok
    assert list(Store.open(f"s3://{BUCKET}")._backend._bucket.list(url.rpartition("/")[2]).collect()) == []
    absent = checks.storage(Settings(data=tmp_path, storage_url="s3://absent-bucket"))
    assert (absent.ok, absent.mend.startswith("aws s3 mb s3://absent-bucket ")) == (False, True)
    use(monkeypatch, swift.environment(secret="wrong"))
    refused = checks.storage(Settings(data=tmp_path, storage_url=url))
    assert (refused.ok, refused.mend.startswith(f"aws s3 ls s3://{BUCKET} ")) == (False, True)


def test_prefixes_are_stores_of_their_own(swift: Swift, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, swift.environment())
    one, other = Store.open(f"{url}/one"), Store.open(f"{url}/other")
    sha256 = one.put(b"ink")
    assert not other.has(sha256)
    assert list(other.listing()) == []
    assert [found for found, _ in one.listing()] == [sha256]


@pytest.mark.long
def test_a_store_that_is_gone_is_told_and_used_again_at_the_next_call(relay: Relay, url: str) -> None:
    store = Store.open(url)
    sha256 = store.put(b"ink")
    relay.go_away()
    calls = (lambda: store.put(b"more"), lambda: store.get(sha256), lambda: store.has(sha256))
    for call in (*calls, lambda: store.delete(sha256), lambda: list(store.listing())):
        with pytest.raises(Unavailable, match="does not answer"):
            call()
    relay.come_back()
    assert store.get(sha256) == b"ink"
    assert store.get(store.put(b"more")) == b"more"
    with pytest.raises(Lost):
        store.get(sha256_hex(b"never put"))


def test_a_store_that_is_gone_when_it_is_opened_may_come_back(relay: Relay, url: str) -> None:
    relay.go_away()
    store = Store.open(url)
    with pytest.raises(Unavailable):
        store.put(b"ink")
    relay.come_back()
    assert store.get(store.put(b"ink")) == b"ink"


@pytest.mark.long
def test_a_store_that_never_answers_is_given_up_after_few_tries(
    relay: Relay, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the time-outs this test would not end."""
    patient = Store.open(url)
    sha256 = patient.put(b"ink")
    monkeypatch.setattr(remote, "QUIET_SECONDS", 0.5)
    monkeypatch.setattr(remote, "HASTY_SECONDS", 0.5)
    relay.silent = True
    store, most = Store.open(url), 1 + remote.RETRIES
    for call in (lambda: store.get(sha256), lambda: store.has(sha256), lambda: store.put(b"more")):
        before = relay.requests
        with pytest.raises(Unavailable, match="does not answer"):
            call()
        assert 1 <= relay.requests - before <= most
    relay.go_away()
    relay.silent = False
    relay.come_back()
    assert patient.get(sha256) == b"ink"


def test_no_wait_is_longer_than_a_client_s_patience() -> None:
    """A silent store: every try waits for QUIET_SECONDS, and none begins after RETRY_SECONDS."""
    assert remote.RETRY_SECONDS + remote.CONNECT_SECONDS + remote.QUIET_SECONDS < STORE_SECONDS
    assert Settings().database_busy_seconds > 2 * remote.HASTY_SECONDS
