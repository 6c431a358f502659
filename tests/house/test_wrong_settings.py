"""A wrong value of any setting is one sentence that names its variable, and never a traceback."""

import re
from typing import Literal, get_args, get_origin

import pytest

from linocut.environment import settings_where_right, settings_with
from linocut.errors import InvalidRequest
from linocut.settings import Settings

OUTSIDE = {
    int: ["-1000000000", "nan", "inf", "many", "1.5"],
    float: ["-1", "nan", "inf", "-inf", "many", "1e300"],
    bool: ["perhaps"],
}
ANY_LARGE = ("cluster_cpus", "cluster_gpus", "upscale_megapixels")
"""Numbers without a most: no time is reckoned with them."""


def wrong_values() -> dict[str, list[str]]:
    """Of each setting that takes a number, a switch or one of some words, values that it does not take."""
    found = {}
    for name, field in Settings.model_fields.items():
        values = OUTSIDE.get(field.annotation, [])  # type: ignore[call-overload]
        if get_origin(field.annotation) is Literal or any(hasattr(rule, "pattern") for rule in field.metadata):
            values = ["steam"]
        most = [str(rule.le + 1) for rule in field.metadata if hasattr(rule, "le")]
        found[name] = [value for value in [*values, *most] if not (value == "1e300" and name in ANY_LARGE)]
    return {name: values for name, values in found.items() if values}


@pytest.mark.parametrize("number", range(7))
def test_every_wrong_value_is_a_sentence_that_says_what_is_taken(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    given = {name: values[min(number, len(values) - 1)] for name, values in wrong_values().items()}
    for name, value in given.items():
        monkeypatch.setenv(f"LINOCUT_{name.upper()}", value)
    settings, wrong = settings_where_right()
    sentence = r"LINOCUT_(\w+) is '(\S+)'; it takes (?:a whole number|a number|true or false|one of) ?[^.]*(?:\.\d+)?\."
    assert {name.lower(): value for name, value in re.findall(sentence, wrong)} == given
    assert all(getattr(settings, name) == Settings.model_fields[name].default for name in given)


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("SAFETY_THRESHOLD", "2", "a number above 0, at most 1"),
        ("LINK_HOURS", "inf", "a number above 0, at most 876000"),
        ("DATABASE_BUSY_SECONDS", "inf", "a number above 0, at most 3600"),
        ("UPSCALE_MEGAPIXELS", "0", "a number above 0"),
        ("CLUSTER_CPUS", "-1", "a number of at least 0"),
        ("NO_WORKER", "maybe", "one of wait, refuse"),
        (
            "SAFETY_PICTURES",
            "maybe",
            f"one of {', '.join(get_args(Settings.model_fields['safety_pictures'].annotation))}",
        ),
    ],
)
def test_what_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str, takes: str) -> None:
    monkeypatch.setenv(f"LINOCUT_{name}", value)
    with pytest.raises(InvalidRequest) as told:
        settings_with()
    assert told.value.message == f"LINOCUT_{name} is {value!r}; it takes {takes}."


@pytest.mark.parametrize(
    "given",
    [
        {"CLUSTER_LEAST": "5"},
        {"CLUSTER_LEAST": "5", "CLUSTER_MOST": "2", "PORT": "many"},
        {"OIDC_ROLES": "staff=MEMBER"},
        {"OIDC_ROLE_CLAIM": "groups"},
        {"OIDC_ISSUER": "https://login.example.org"},
        {"SMTP_HOST": "mail.example.org"},
        {"SMTP_HOST": "mail.example.org", "SMTP_FROM": "a@example.org", "SMTP_SECURITY": "none"},
        {"WRITER": "endpoint"},
        {"DESCRIBER": "endpoint", "DESCRIBER_URL": "none"},
    ],
)
def test_settings_that_do_not_go_together_are_a_sentence_and_the_rest_is_kept(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    for name, value in {**given, "WORKERS": "3"}.items():
        monkeypatch.setenv(f"LINOCUT_{name}", value)
    settings, wrong = settings_where_right(host="::1")
    assert wrong.startswith("LINOCUT_")
    assert (settings.workers, settings.host) == (3, "::1")
