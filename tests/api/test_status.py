"""The status page and its JSON: what is found is told, quickly, to everybody, and nothing else is."""

import asyncio
import json
import tempfile
from typing import Any

import pytest
from tests.api.every import tell
from tests.api.live import Live

from linocut.api import board
from linocut.api.app import create_app
from linocut.api.edge import Edge
from linocut.cli.main import main
from linocut.db.database import Database
from linocut.errors import Busy, Unavailable
from linocut.storage.store import Store

COMPONENT = {
    "id", "name", "status", "created_at", "updated_at", "position", "description", "showcase", "start_date", "group_id",
    "page_id", "group", "only_show_if_degraded",
}  # fmt: skip
INCIDENT = {
    "id", "name", "status", "created_at", "updated_at", "monitoring_at", "resolved_at", "impact", "shortlink",
    "started_at", "page_id", "incident_updates", "components",
}  # fmt: skip


@pytest.fixture
def app(live: Live) -> Edge:
    """An application that has looked at nothing yet."""
    return create_app(live.runtime)


def read(app: Edge, name: str = "summary") -> Any:
    told = tell(app, "GET", f"/api/v2/{name}.json", {})
    assert told.status == 200
    return json.loads(told.content)


def statuses(app: Edge) -> dict[str, str]:
    return {one["id"]: one["status"] for one in read(app)["components"]}


def command(live: Live, *words: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(["incidents", *words, "--data", str(live.settings.data), "--json"])
    assert left.value.code == 0


def test_all_is_well_where_a_worker_is_ready(live: Live, app: Edge) -> None:
    with live.working():
        summary, status = read(app), read(app, "status")
    assert status["status"] == {"indicator": "none", "description": "All Systems Operational"}
    assert set(status) == {"page", "status"}
    assert set(summary) == {"page", "components", "incidents", "scheduled_maintenances", "status"}
    assert set(status["page"]) == {"id", "name", "url", "time_zone", "updated_at"}
    assert [one["name"] for one in summary["components"]] == ["API", "Workers", "Database", "Object store", "Webhooks"]
    assert all(set(one) == COMPONENT and one["status"] == "operational" for one in summary["components"])
    assert [one["position"] for one in summary["components"]] == [1, 2, 3, 4, 5]
    assert (summary["incidents"], summary["scheduled_maintenances"]) == ([], [])


def test_without_a_worker_nothing_is_drawn(live: Live, app: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board.roster, "everybody", lambda tx: [])  # those of other tests
    found = statuses(app)
    assert found.pop("workers") == "major_outage"
    assert set(found.values()) == {"operational"}
    assert read(app, "status")["status"] == {"indicator": "critical", "description": "Major Service Outage"}
    assert "No worker" in read(app)["components"][1]["description"]


def test_a_store_that_fails_and_a_database_that_is_away_are_told(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> Any:
        raise Unavailable("The bucket secret-bucket refuses.")

    monkeypatch.setattr(Store, "listing", fails)
    app = create_app(live.runtime)
    assert statuses(app)["store"] == "major_outage"
    assert "secret-bucket" not in str(read(app))

    async def away(*_: object, **__: object) -> Any:
        raise Busy("The database cannot be reached.")

    monkeypatch.setattr(Database, "run_read", away)
    app = create_app(live.runtime)
    found = statuses(app)
    assert (found["api"], found["database"]) == ("operational", "major_outage")
    assert tell(app, "GET", "/status", {}).status == 200


def test_a_part_that_is_slow_or_silent_is_told(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "SLOW_SECONDS", -1.0)
    assert statuses(create_app(live.runtime))["store"] == "degraded_performance"
    monkeypatch.setattr(board, "PATIENCE_SECONDS", 0.05)

    async def hangs(*_: object, **__: object) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(Database, "run_read", hangs)
    found = {one["id"]: one for one in read(create_app(live.runtime))["components"]}
    assert found["database"]["status"] == "major_outage"
    assert found["database"]["description"].endswith("It does not answer.")


def test_however_many_ask_it_is_looked_once(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    monkeypatch.setattr(Store, "listing", lambda self: looked.append(1) or iter(()))
    app = create_app(live.runtime)
    for _ in range(20):
        read(app)
    assert len(looked) == 1
    monkeypatch.setattr(board, "GOOD_FOR_SECONDS", -1.0)
    read(app)
    assert len(looked) == 2


def test_an_incident_of_the_administrator_is_on_the_page_until_it_is_resolved(
    live: Live, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "GOOD_FOR_SECONDS", -1.0)
    app = create_app(live.runtime)
    sly = "Images <script>alert(1)</script> are slow <!-- at -->"
    command(live, "add", sly, "--body", "We <b>look</b>.", "--impact", "minor", "--part", "webhooks")
    incident_id = json.loads(capsys.readouterr().out)["incident_id"]
    command(live, "update", incident_id, "--status", "monitoring", "--body", "It gets better.")
    summary = read(app)
    assert [set(one) for one in summary["incidents"]] == [INCIDENT]
    one = summary["incidents"][0]
    assert (one["name"], one["status"], one["impact"], one["resolved_at"]) == (sly, "monitoring", "minor", None)
    assert one["monitoring_at"] is not None
    assert [each["body"] for each in one["incident_updates"]] == ["It gets better.", "We <b>look</b>."]
    assert [part["id"] for part in one["components"]] == ["webhooks"]
    assert statuses(app)["webhooks"] == "degraded_performance"
    page = tell(app, "GET", "/status", {}).content.decode()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "We &lt;b&gt;look&lt;/b&gt;." in page
    command(live, "resolve", incident_id)
    assert read(app)["incidents"] == []
    assert statuses(app)["webhooks"] == "operational"
    past = tell(app, "GET", "/status", {}).content.decode().partition("<h2>Before</h2>")[2]
    assert "This incident is resolved." in past
    command(live, "list")
    assert incident_id in capsys.readouterr().out


def test_the_page_is_for_everybody_and_runs_nothing(live: Live, app: Edge) -> None:
    told = tell(app, "GET", "/status", {})
    assert (told.status, told.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = told.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    page = told.content.decode()
    for inline in ("style=", "<style", "<script", "onclick"):
        assert inline not in page
    assert 'href="status.css"' in page
    assert tell(app, "GET", "/status.css", {}).headers["content-type"] == "text/css; charset=utf-8"
    for secret in (str(live.settings.data), "sqlite", tempfile.gettempdir(), "mini"):
        assert secret not in page + json.dumps(read(app))


def test_healthz_touches_nothing(app: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where everything is away."""

    def touched(*_: object, **__: object) -> Any:
        raise AssertionError("healthz touched something")

    for method in ("run_read", "run_long_read", "run_write", "read", "transaction", "is_damaged"):
        monkeypatch.setattr(Database, method, touched)
    for method in ("get", "has", "put", "listing"):
        monkeypatch.setattr(Store, method, touched)
    told = tell(app, "GET", "/healthz", {})
    assert (told.status, told.content) == (200, b'{"status":"ok"}')
