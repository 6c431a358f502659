"""Codes to statuses: the one table, its page, and the body of every refusal."""

import json
import re
from pathlib import Path

import pytest
from tests.contract.answers import check_error

from linocut.api.errors import STATUS, error_answer
from linocut.errors import (
    Busy,
    Internal,
    LinocutError,
    MethodNotAllowed,
    NotFound,
    TooManyInFlight,
    Unauthenticated,
)
from linocut.jobs.types import LeaseLost

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text()


def _kinds(root: type[LinocutError]) -> list[type[LinocutError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in _kinds(child))]


@pytest.mark.parametrize("kind", _kinds(LinocutError), ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_and_the_published_body(kind: type[LinocutError]) -> None:
    assert kind.code in STATUS
    answer = error_answer(kind(), "request-1")
    assert answer.status_code == STATUS[kind.code]
    check_error(answer.status_code, json.loads(answer.body))


def test_the_page_and_the_table_agree() -> None:
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", PAGE, re.MULTILINE)
    assert {code: int(status) for status, code in rows} == {k: v for k, v in STATUS.items() if k != "error"}
    assert LeaseLost.code in PAGE


def test_a_code_that_nobody_mapped_is_a_fault_of_ours() -> None:
    class Strange(LinocutError):
        """A strange thing happened."""

        code = "strange"

    try:
        assert error_answer(Strange(), "request-1").status_code == 500
    finally:
        Strange.code = "error"  # the class lives on in the tree of errors


def test_retry_after_is_a_whole_number() -> None:
    assert error_answer(Busy(), "r").headers["retry-after"] == "5"
    assert error_answer(Busy(retry_after_seconds=0.2), "r").headers["retry-after"] == "1"
    assert error_answer(TooManyInFlight(), "r").headers["retry-after"] == "2"
    assert "retry-after" not in error_answer(NotFound(), "r").headers


def test_in_flight_says_the_limit_and_the_reason() -> None:
    body = json.loads(error_answer(TooManyInFlight(max_inflight_requests=10), "r").body)
    assert (body["reject_reason"], body["max_inflight_requests"]) == ("inflight_limit", 10)


def test_headers_of_401_405_and_500() -> None:
    assert error_answer(Unauthenticated(), "r").headers["www-authenticate"] == "ApiKey"
    assert error_answer(MethodNotAllowed(allow="GET"), "r").headers["allow"] == "GET"
    fault = error_answer(Internal(), "r-77")
    assert fault.headers["x-request-id"] == "r-77"
    assert json.loads(fault.body)["request_id"] == "r-77"
    assert "x-request-id" not in error_answer(NotFound(), "r-77").headers


def test_not_found_is_the_same_byte_by_byte() -> None:
    first, second = error_answer(NotFound("There is none."), "a"), error_answer(NotFound("There is none."), "b")
    assert first.body == second.body
    assert first.headers == second.headers
