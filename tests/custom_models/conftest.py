"""The fixtures of these tests: see tests/runs/workshop_fixtures.py."""

from tests.runs.workshop_fixtures import house, open_workshop  # noqa: F401
