"""One decoder for the session."""

from collections.abc import Iterator

import pytest

from linocut.pictures.decoder import Decoder


@pytest.fixture(scope="session")
def decoder() -> Iterator[Decoder]:
    """The decoding process that well-behaved tests share."""
    with Decoder() as opened:
        yield opened
