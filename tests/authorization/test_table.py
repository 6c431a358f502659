"""Authorisation is a table: every route, every kind of caller, every kind of object (``table.txt``).

A route that is not in the table fails here, with the lines that would stand for it; so does every cell that is not as
the table says. Whoever puts lines into the table has read them: they are the promise.
"""

from pathlib import Path

import pytest
from tests.api.every import ALL, label
from tests.authorization.asking import rows_of
from tests.authorization.house import House, Told
from tests.authorization.world import KEYS

from linocut.api import console_files
from linocut.api.operation import Operation

TABLE = Path(__file__).with_name("table.txt")
Cells = dict[tuple[str, str], list[str]]


def read_table(text: str) -> dict[str, Cells]:
    """By route: by (parameter, object) the cells, in the order of the columns."""
    found: dict[str, Cells] = {}
    route = ""
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            assert line not in found, f"{line} stands twice in the table"
            route, found[line] = line, {}
            continue
        name, kind, *cells = line.split()
        assert len(cells) == len(KEYS), f"{route}, {name} {kind}: {len(cells)} cells, not {len(KEYS)}"
        found[route][name, kind] = cells
    return found


EXPECTED = read_table(TABLE.read_text())


@pytest.fixture(autouse=True)
def _no_console(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its pages are for everybody; whether they are built here is not asked."""
    monkeypatch.setattr(console_files, "FOLDER", tmp_path)


def test_every_route_is_in_the_table_and_no_other() -> None:
    assert {label(one) for one in ALL} - set(EXPECTED) == set(), "add a block for it: the next test prints it"
    assert set(EXPECTED) - {label(one) for one in ALL} == set(), "there is no such route any more"


@pytest.mark.parametrize("operation", ALL, ids=label)
def test_each_cell_is_as_the_table_says(house: House, operation: Operation) -> None:
    found: Cells = {}
    for row in rows_of(operation):
        found[row] = [_cell(house.cell(operation, caller, row)) for caller in KEYS]
    assert found == EXPECTED.get(label(operation)), f"It is so:\n{written(label(operation), found)}"


def written(route: str, cells: Cells) -> str:
    """The block of a route."""
    lines = [
        f"  {name:<16} {kind:<9} {'  '.join(f'{one:<4}' for one in row)}".rstrip()
        for (name, kind), row in cells.items()
    ]
    return "\n".join([route, *lines])


def _cell(told: Told) -> str:
    """The status; with an x where the answer is 200 and what was asked for was refused."""
    assert told.status < 500 or told.status in (501, 503), told.content
    return f"{told.status}x" if b'"success":false' in told.content else str(told.status)


OWN_HEADERS = ("x-request-id", "content-length")
TWINS = [(one, name) for one in ALL for name, kind in rows_of(one) if kind == "foreign"]


@pytest.mark.parametrize(
    ("operation", "name"), TWINS, ids=lambda one: label(one) if isinstance(one, Operation) else one
)
def test_what_is_anothers_and_what_never_was_cannot_be_told_apart(
    house: House, operation: Operation, name: str
) -> None:
    """Byte for byte, header for header; and the same statements are run to find out."""
    if label(operation) == "POST /manage/api/organization/add_members" and name == "members":
        return  # any user may be added: that is what it is for
    for caller in ("outsider", "colleague", "owner", "self", "scoped"):
        house.cell(operation, caller, (name, "absent"))  # what is only done once is done
        told, statements = [], []
        for kind in ("foreign", "absent"):
            sent = house.sent(operation, caller, (name, kind))
            one = house.cell(operation, caller, (name, kind))
            body = one.content.decode()
            for value in sent:  # a refusal may repeat what was asked for
                body = body.replace(value, "what was sent")
            told.append((one.status, {k: v for k, v in one.headers.items() if k not in OWN_HEADERS}, body))
            statements.append(one.statements)
        assert told[0] == told[1], caller
        assert statements[0] == statements[1], caller
        assert statements[0] or told[0][0] == 401, caller
