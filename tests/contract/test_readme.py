"""The README's table of what is built and what is not, against the operations themselves."""

import re

from tests.contract.documents import BUILT, NOT_BUILT, ROOT, THEIRS

_NAME = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`]*)`")

_ALL_OF = re.compile(r"all of `(/[^`…]+)…`")


def _told() -> tuple[set[str], set[str]]:
    """The operations of the table's two columns: built, and not yet."""
    page = (ROOT / "README.md").read_text()
    table = page.partition("## What is built")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("|") and "---" not in line]
    built, later = ("".join(row[column] for row in rows[1:]) for column in (1, 2))
    whole = {name for prefix in _ALL_OF.findall(later) for name in THEIRS if name.partition(" ")[2].startswith(prefix)}
    return {" ".join(one) for one in _NAME.findall(built)}, {" ".join(one) for one in _NAME.findall(later)} | whole


def test_the_table_tells_what_is_built_and_what_is_not() -> None:
    built, later = _told()
    assert built == set(BUILT)
    assert later == set(NOT_BUILT)
