"""An authority that these tests trust, a receiver, and a data folder with generations."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.webhooks.receiver import Receiver, make_certificates, receiving


@pytest.fixture(scope="package")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(authority, certificate) for localhost, hooks.example.org and 127.0.0.1."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), "localhost", "hooks.example.org", "127.0.0.1")


@pytest.fixture
def receiver(certificates: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates[0]))
    with receiving(certificates[1]) as one:
        yield one
