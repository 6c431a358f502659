"""The README's table of what is built, against the operations themselves."""

import re

from tests.contract.documents import BUILT, NOT_BUILT, ROOT


def test_the_table_counts_what_is_built() -> None:
    page = (ROOT / "README.md").read_text()
    table = page.partition("## What is built")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("|") and "---" not in line]
    assert sum(int(row[1]) for row in rows[1:]) == len(BUILT)
    assert re.findall(r"All (\d+) operations", table) == [str(len(BUILT))]
    assert [name for name in NOT_BUILT if name not in table] == [], "the README says that all are built"
