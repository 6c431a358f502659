"""The fixture that several of these tests share: the embedded base, loaded once a module."""

from tests.mini.test_mini_editing import mini  # noqa: F401
