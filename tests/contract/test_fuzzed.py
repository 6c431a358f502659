"""schemathesis asks every operation of the server, well and badly: no fault, no undeclared status, no odd answer.

The answers are held against our own description and, where it has the operation, against the contract.
"""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.api.live import Live, running
from tests.contract.answers import check_error, name_of, problems
from tests.contract.documents import OURS
from tests.walks.steps import FEWEST, V3_GENERATE, fill, ok, trained

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance,
]  # fmt: skip
SCHEMA = schemathesis.openapi.from_dict(OURS)
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}
FEW = settings(
    max_examples=4, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
MORE = settings(FEW, max_examples=20)
MANY = settings(FEW, max_examples=1000, derandomize=False)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("fuzzed"), min_training_images=FEWEST) as server, server.working():
        yield server


@pytest.fixture(scope="module")
def known(live: Live) -> dict[str, str]:
    """Ids of things that are there, and the key that may see them: random ids lead to 404 and nowhere else."""
    account = live.account()
    drawn = ok(account.http.post(V3_GENERATE, json={"prompt": "tea"}))["data"][0]["url"]
    link = urlsplit(drawn)
    hook = {"webhook_url": "https://hooks.example.org/linocut"}  # allowed, so not looked up; nothing delivers here
    begun = ok(account.http.post("/v1/ideogram-v4/async/generate", params=hook, json={"text_prompt": "tea"}))
    return {
        "key": account.api_key,
        "dataset_id": fill(account),
        "model_id": trained(account)["model_id"],
        **hook,
        **begun,
        "image_id": PurePosixPath(link.path).stem,
        **dict(parse_qsl(link.query)),
    }


def ask(live: Live, known: dict[str, str], case: Any, *, of_known: bool) -> None:
    """Send one case and look at its answer."""
    if of_known:
        for place in (case.path_parameters, case.query, case.body):
            for name in ("dataset_id", "model_id", "image_id", "exp", "sig", "generation_id", "webhook_url"):
                if isinstance(place, dict) and name in place:
                    place[name] = known[name]
    answer = case.call(base_url=live.url, headers={"Api-Key": known["key"]}, timeout=60)
    case.validate_response(answer, checks=CHECKS)
    if answer.headers.get("content-type", [""])[0].startswith("application/json"):
        body = json.loads(answer.content)
        if answer.status_code >= 400:
            check_error(answer.status_code, body)
        name = name_of(case.method, case.operation.path)
        assert name is None or problems(name, answer.status_code, body) == []


def may_go_wrong(label: str) -> bool:
    """Whether anything at all may be sent, that could be sent badly."""
    operation = OPERATIONS[label].definition.raw
    any_text_will_do = not operation.get("security") and all(one["in"] == "path" for one in operation["parameters"])
    return "requestBody" in operation or (bool(operation["parameters"]) and not any_text_will_do)


WELL = [pytest.param(label, GenerationMode.POSITIVE, id=f"well-{label}") for label in sorted(OPERATIONS)]
BADLY = [
    pytest.param(label, GenerationMode.NEGATIVE, id=f"badly-{label}")
    for label in sorted(OPERATIONS)
    if may_go_wrong(label)
]


@pytest.mark.parametrize(("label", "mode"), WELL)
def test_every_answer_is_declared(live: Live, known: dict[str, str], label: str, mode: GenerationMode) -> None:
    fuzz(live, known, label, mode, FEW)


@pytest.mark.long
@pytest.mark.parametrize(("label", "mode"), [*WELL, *BADLY])
def test_every_answer_is_declared_to_more_questions(
    live: Live, known: dict[str, str], label: str, mode: GenerationMode
) -> None:
    fuzz(live, known, label, mode, MORE)


@pytest.mark.soak
@pytest.mark.parametrize(("label", "mode"), [*WELL, *BADLY])
def test_every_answer_is_declared_a_thousand_times(
    live: Live, known: dict[str, str], label: str, mode: GenerationMode
) -> None:
    fuzz(live, known, label, mode, MANY)


def fuzz(live: Live, known: dict[str, str], label: str, mode: GenerationMode, how_many: settings) -> None:
    """Ask one operation as often as ``how_many`` says."""
    operation = OPERATIONS[label]

    @how_many
    @given(case=operation.as_strategy(generation_mode=mode), of_known=st.booleans())
    def all_of(case: Any, of_known: bool) -> None:
        ask(live, known, case, of_known=of_known and case.method != "DELETE")

    all_of()
