"""Holds every answer that a test receives against the published schemas, as a hook of the test's HTTP client."""

import re
import tempfile
from functools import lru_cache
from typing import Any

import httpx2
from jsonschema import Draft202012Validator
from tests.contract.documents import CONTRACT, THEIRS, Json

ERROR_FIELDS = {"error", "message", "detail", "title", "status"}


def check_answer(response: httpx2.Response) -> None:
    """Assert that a JSON answer is what the contract (or, for errors, DECISIONS 2) says."""
    if not response.headers.get("content-type", "").startswith("application/json"):
        return
    response.read()
    body = response.json()
    if response.status_code >= 400:
        check_error(response.status_code, body)
    if (name := name_of(response.request.method, response.request.url.path)) is not None:
        if response.status_code == 200:
            assert "200" in THEIRS[name]["responses"]
        for problem in problems(name, response.status_code, body):
            raise AssertionError(f"{name} {response.status_code}: {problem}")


def check_error(status: int, body: Json) -> None:
    """Assert the one shape of every refusal: a sentence under each name, and nothing that should stay inside."""
    assert set(body) >= ERROR_FIELDS
    assert set(body) - ERROR_FIELDS <= {
        "reject_reason", "max_inflight_requests", "request_id", "x_linocut", "messages",
    }  # fmt: skip
    assert status == 422 or "x_linocut" not in body
    assert body["status"] == status
    assert body["error"] == body["message"] == body["detail"]
    first = body["error"].split()[0].rstrip(":").replace("_", "").split(".")[0]
    assert body["error"][0].isupper() or first.islower() or first == "maxItems"
    assert body["error"].endswith((".", "?"))
    for secret in ("Traceback", "/tmp/", f"{tempfile.gettempdir()}/", "sqlite", "lino_", '.py"'):
        assert secret not in str(body)
    assert ("reject_reason" in body) == (status in (402, 429))
    assert ("request_id" in body) == (status == 500)


def problems(name: str, status: int, body: Any) -> list[str]:
    """What the published schema of an answer finds wrong with ``body``; nothing for a status it does not publish."""
    validator = _validator(name, status)
    return [] if validator is None else [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


def name_of(method: str, path: str) -> str | None:
    """The contract's operation at an address."""
    for name in THEIRS:
        published, _, template = name.partition(" ")
        if published == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return name
    return None


@lru_cache
def _validator(name: str, status: int) -> Draft202012Validator | None:
    published = THEIRS[name]["responses"].get(str(status))
    if published is None:
        return None
    schema = published["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": CONTRACT["components"]})
