"""/docs and /openapi.json: whole, and without the network."""

import re

from tests.api.live import Live

from linocut.api.routes import OPERATIONS


def test_the_reference_names_every_operation_and_fetches_nothing(live: Live) -> None:
    answer = live.public.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = answer.text
    for operation in OPERATIONS:
        assert f'id="{operation.name}"' in page
        assert operation.path in page
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!#|openapi\.json")[^"]*"', page) == []
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert links <= set(re.findall(r'id="([^"]+)"', page))


def test_the_description_is_whole(live: Live) -> None:
    document = live.public.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    described = {(m.upper(), path) for path, methods in document["paths"].items() for m in methods}
    assert described == {(operation.method, operation.path) for operation in OPERATIONS}
    references = set(re.findall(r'"\$ref": ?"#/components/schemas/(\w+)"', live.public.get("/openapi.json").text))
    assert references <= set(document["components"]["schemas"])


def test_counters_are_public_and_hold_no_names(live: Live) -> None:
    account = live.account()
    account.http.post("/datasets", json={"name": "a very private name"})
    page = live.public.get("/metrics").text
    assert 'linocut_requests_total{operation="create_dataset",status="200"}' in page
    assert "linocut_ready 0" in page
    assert "private" not in page
    assert account.user_id not in page
    assert all(re.fullmatch(r"#.*|[a-z_]+(\{[^}]*\})? [0-9.e+-]+", line) for line in page.splitlines())
