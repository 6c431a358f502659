"""Pages of other origins: told that they may where the operator says so, and nothing at all otherwise."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.api.live import Account, Live, running

from linocut.api.discovery import OPERATIONS
from linocut.settings import Settings

PAGE = "https://app.example.org"
ASKS = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "api-key"}


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("cors"), cors_origins=f"{PAGE}, http://localhost:5173") as live:
        yield live


def _preflight(live: Live, path: str, **headers: str) -> httpx2.Response:
    return live.public.request("OPTIONS", path, headers={**ASKS, **headers})


def test_off_it_says_nothing(live: Live) -> None:
    answer = live.public.get("/healthz", headers={"Origin": PAGE})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "vary" not in answer.headers
    assert _preflight(live, "/datasets").status_code == 405


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_browser_may_ask_before_every_operation(open_house: Live, operation: object) -> None:
    """Without a key: browsers never send one with that question."""
    path = operation.path.replace("{", "").replace("}", "")  # type: ignore[attr-defined]
    method = operation.method  # type: ignore[attr-defined]
    answer = _preflight(open_house, path, **{"Access-Control-Request-Method": method})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert method in answer.headers["access-control-allow-methods"].split(", ")
    assert answer.headers["vary"] == "Origin"
    assert int(answer.headers["access-control-max-age"]) > 0
    assert "access-control-allow-credentials" not in answer.headers


def test_every_header_that_the_api_takes_may_be_sent(open_house: Live) -> None:
    taken = {"api-key", "authorization", "content-type", "idempotency-key", "if-none-match"}
    taken |= {name.lower() for operation in OPERATIONS for name in operation.headers}
    allowed = _preflight(open_house, "/datasets").headers["access-control-allow-headers"]
    assert taken <= set(allowed.lower().split(", "))


@pytest.mark.parametrize(
    ("path", "status"), [("/healthz", 200), ("/datasets", 401), ("/nothing", 404), ("/models/x/events", 401),
                         ("/api/images/ephemeral/x.png", 403), ("/readyz", 503)],
)  # fmt: skip
def test_every_answer_may_be_read(open_house: Live, path: str, status: int) -> None:
    answer = open_house.public.get(path, headers={"Origin": PAGE})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == PAGE
    shown = answer.headers["access-control-expose-headers"].lower().split(", ")
    assert {"retry-after", "etag", "x-request-id", "content-disposition"} <= set(shown)
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


def test_events_may_be_read(open_house: Live) -> None:
    account: Account = open_house.account()
    dataset = account.http.post("/datasets", json={"name": "x"}).json()["dataset_id"]
    assert dataset
    answer = account.http.get("/models/none/events", headers={"Origin": PAGE})
    assert answer.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize(
    "origin", ["https://other.example", "http://app.example.org", f"{PAGE}:444", f"{PAGE}.evil.example", "null", ""]
)
def test_another_page_is_told_nothing(open_house: Live, origin: str) -> None:
    for answer in (
        open_house.public.get("/healthz", headers={"Origin": origin}),
        _preflight(open_house, "/datasets", Origin=origin),
    ):
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "Origin"  # a shared copy of this answer must not be shown to the right page


def test_answers_vary_for_who_sends_no_origin_too(open_house: Live) -> None:
    assert open_house.public.get("/healthz").headers["vary"] == "Origin"
    assert open_house.public.get("/docs").headers["vary"] == "Accept-Encoding, Origin"


def test_options_without_a_question_is_what_it_was(open_house: Live) -> None:
    assert open_house.public.request("OPTIONS", "/datasets").status_code == 405
    assert open_house.public.request("OPTIONS", "/datasets", headers={"Origin": PAGE}).status_code == 405


def test_all_pages(tmp_path: Path) -> None:
    with running(tmp_path, cors_origins="*") as live:
        answer = live.public.get("/healthz", headers={"Origin": "null"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "vary" not in answer.headers
        assert _preflight(live, "/datasets").headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("", set()),
        ("*", {"*"}),
        (
            "https://A.example.org:443 , http://b:80,http://b:8080,",
            {"https://a.example.org", "http://b", "http://b:8080"},
        ),
        ("http://[::1]:5173", {"http://[::1]:5173"}),
    ],
)
def test_origins_as_browsers_write_them(value: str, origins: set[str]) -> None:
    assert Settings(cors_origins=value).allowed_origins == origins


@pytest.mark.parametrize(
    "value",
    ["app.example.org", "https://app.example.org/", "https://app.example.org/x", "https://*.example.org", "*, https://a",
     "null", "ftp://a", "https://a:0", "https://a:99999", "https://", "https://u:p@a", "https://a https://b", "https://ä.de"],
)  # fmt: skip
def test_what_is_no_origin_is_refused_with_a_sentence(value: str) -> None:
    with pytest.raises(ValueError, match=r"LINOCUT_CORS_ORIGINS has .* which is no origin; it takes a list such as"):
        Settings(cors_origins=value)
