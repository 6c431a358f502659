"""The settings of language models: what is wrong with them is said, and their keys are not."""

from pathlib import Path

import pytest

from linocut.environment import settings_where_right, settings_with
from linocut.errors import InvalidRequest
from linocut.settings import Settings
from linocut.workers.process import endpoints

KEY = "sk-not-to-be-told"


@pytest.mark.parametrize("role", ["describer", "writer"])
def test_an_endpoint_needs_an_address_and_a_model(role: str) -> None:
    for given, words in (
        ({}, f"LINOCUT_{role.upper()}_URL must be its address"),
        ({f"{role}_url": "nowhere"}, f"LINOCUT_{role.upper()}_URL must be its address"),
        ({f"{role}_url": "ftp://a/v1"}, f"LINOCUT_{role.upper()}_URL must be its address"),
        ({f"{role}_url": "http://a/v1"}, f"LINOCUT_{role.upper()}_MODEL must name the model"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            settings_with(**{role: "endpoint", **given})
    told = {role: "endpoint", f"{role}_url": "http://a:1/v1", f"{role}_model": "m", f"{role}_key": KEY}
    settings = settings_with(**told)
    named = endpoints(settings)[role]
    assert (named.url, named.model, named.key) == ("http://a:1/v1", "m", KEY)
    assert KEY not in f"{settings!r} {settings} {settings.model_dump_json()} {named!r}"


def test_the_base_may_write_and_a_wrong_word_is_told() -> None:
    assert endpoints(settings_with(writer="base")) == {}
    with pytest.raises(InvalidRequest, match="writer-tokens is '99'; it takes a whole number from 100"):
        settings_with(writer_tokens=99)
    with pytest.raises(InvalidRequest, match="one of grammar, endpoint, base"):
        settings_with(writer="poet")
    settings, wrong = settings_where_right(writer="poet", data=Path("/tmp/x"))
    assert (settings.writer, "poet" in wrong) == ("grammar", True)
    assert endpoints(Settings()) == {}
