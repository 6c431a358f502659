"""The small disk of these tests: see tests/faults/tiny_disk.py."""

from tests.faults.tiny_disk import disk, pytest_collection_modifyitems, pytest_terminal_summary  # noqa: F401
