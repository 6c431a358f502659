"""The dashboard and the alerts ask for what /metrics really gives: each metric, each label, by PromQL's grammar."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from tests.api.live import running
from tests.deploy.reading import DEPLOY, program

DASHBOARD = DEPLOY / "grafana" / "linocut.json"
RULES = DEPLOY / "prometheus" / "linocut.rules.yml"
OF_PROMETHEUS = {"job", "instance", "le"}
"""Labels that Prometheus itself adds, and the one of a histogram's buckets."""


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text())["panels"])


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [*asked, *(rule["expr"] for rule in alerts())]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, set[str]]]:
    """What a live server gives: by metric, its labels and their values."""
    found: dict[str, dict[str, set[str]]] = {"up": {}}
    with running(tmp_path_factory.mktemp("watched")) as live:
        live.public.get("/healthz")
        live.public.get("/nothing")
        page = live.public.get("/metrics").text
    for line in page.splitlines():
        if not line.startswith("#"):
            name, labels = re.fullmatch(r"(\w+)(?:\{(.*)\})? \S+", line).groups()  # type: ignore[union-attr]
            metric = found.setdefault(name, {})
            for label, value in re.findall(r'(\w+)="([^"]*)"', labels or ""):
                metric.setdefault(label, set()).add(value)
    return found


def parts(node: Any) -> Iterator[Any]:
    """An expression and all that it is made of."""
    yield node
    for name in ("lhs", "rhs", "expr", "vector_selector"):
        if (below := getattr(node, name, None)) is not None:
            yield from parts(below)
    for below in getattr(node, "args", None) or ():
        yield from parts(below)


def asked(expression: str) -> list[tuple[str, list[tuple[str, str]], set[str]]]:
    """(metric, its matchers, the labels that results are grouped by) of each selector."""
    tree = promql_parser.parse(expression.replace("$__rate_interval", "5m"))
    every = list(parts(tree))
    grouped = {label for one in every if (by := getattr(one, "modifier", None)) for label in getattr(by, "labels", ())}
    selectors = [one for one in every if isinstance(one, promql_parser.VectorSelector)]
    return [(one.name, [(m.name, m.value) for m in one.matchers.matchers], grouped) for one in selectors]


@pytest.mark.parametrize("expression", expressions())
def test_what_is_asked_for_is_given(expression: str, given: dict[str, dict[str, set[str]]]) -> None:
    selectors = asked(expression)
    assert selectors, "it asks for nothing"
    for metric, matchers, grouped in selectors:
        assert metric in given, f"{metric} is not in /metrics"
        assert grouped <= set(given[metric]) | OF_PROMETHEUS, f"{metric} has no label {grouped}"
        for label, value in matchers:
            assert label in given[metric] or label in OF_PROMETHEUS, f"{metric} has no label {label}"
            if label not in OF_PROMETHEUS:
                assert value in given[metric][label], f"{metric} never has {label}={value}"


def test_the_check_notices_what_is_not_there(given: dict[str, dict[str, set[str]]]) -> None:
    for wrong in (
        "linocut_nothing > 0",
        'linocut_workers{state="servin"} == 0',
        "max by (model) (linocut_workers)",
        "linocut_jobs{colour='red'}",
    ):
        with pytest.raises(AssertionError):
            test_what_is_asked_for_is_given(wrong, given)
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        asked("max by (linocut_workers")


def test_every_metric_is_looked_at(given: dict[str, dict[str, set[str]]]) -> None:
    """What is counted and shown nowhere is dead weight; ``linocut_ready`` names the jobs in the dashboard's list."""
    used = {metric for expression in expressions() for metric, _, _ in asked(expression)}
    assert set(given) - used == {"linocut_ready"}
    assert "label_values(linocut_ready, job)" in DASHBOARD.read_text()


def test_every_alert_says_what_to_do() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(set(names)) == len(names)
    for rule in alerts():
        assert rule["labels"]["severity"] in ("critical", "warning")
        for text in (rule["annotations"]["summary"], rule["annotations"]["description"]):
            assert text.strip().endswith("."), rule["alert"]
    told = (DEPLOY.parent / "docs" / "from-a-laptop-to-a-cluster.md").read_text()
    assert [name for name in names if f"`{name}`" not in told] == []


def test_every_panel_is_placed_and_explained() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, f"{panel['title']} lies over another"
        assert max(x for x, _ in cells) < 24
        assert panel["description"].endswith("."), panel["title"]
        taken |= cells


def test_prometheus_takes_the_rules_and_they_fire(tmp_path: Path) -> None:
    """By Prometheus's own tool: made-up minutes in which workers go, jobs wait and the store fails."""
    promtool = program("promtool")
    if promtool is None:
        pytest.skip("NOT RUN: there is no promtool (apt-get install prometheus)")
    folder = DEPLOY / "prometheus"
    for command in (["check", "rules", "linocut.rules.yml"], ["check", "config", "prometheus.yml"]):
        done = subprocess.run([promtool, *command], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [promtool, "test", "rules", "linocut.rules.test.yml"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    spoilt = (folder / "linocut.rules.yml").read_text().replace('{state="serving"}) == 0', '{state="serving"}) == 9')
    (tmp_path / "linocut.rules.yml").write_text(spoilt)
    (tmp_path / "test.yml").write_text((folder / "linocut.rules.test.yml").read_text())
    worse = subprocess.run([promtool, "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True)
    assert worse.returncode != 0, "rules that never fire go unnoticed"
