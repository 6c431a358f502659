"""The fixtures of these tests: see tests/training/workshop_fixtures.py."""

from tests.training.workshop_fixtures import house, open_workshop  # noqa: F401
