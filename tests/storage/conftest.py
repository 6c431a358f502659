"""The stores of these tests: see tests/storage/store_fixtures.py."""

from tests.storage.store_fixtures import (  # noqa: F401
    pytest_collection_modifyitems,
    pytest_generate_tests,
    pytest_terminal_summary,
    store,
    store_url,
    swift,
)
