"""The fixtures of these tests: see tests/runs/workshop_fixtures.py."""

from tests.runs.workshop_fixtures import open_workshop, workshop  # noqa: F401
