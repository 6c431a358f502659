"""No two files import each other, by whatever way round: also not for types only, and not inside a function."""

import ast
from pathlib import Path

import grimp
import pytest

SOURCE = Path(__file__).parents[2] / "src" / "linocut"
UNTIED = ("accounts", "api", "custom_models", "generation", "jobs", "runs")
"""Rooms without a knot. A room that has none belongs here."""

MOST_PARAMETERS = 6
"""What takes more is given one frozen object instead."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("linocut", cache_dir=None, exclude_type_checking_imports=False)


@pytest.mark.parametrize("room", UNTIED)
def test_a_room_has_no_knot(graph: grimp.ImportGraph, room: str) -> None:
    modules = {name for name in graph.modules if name.startswith(f"linocut.{room}.")}
    imports = {name: graph.find_modules_directly_imported_by(name) & modules for name in modules}
    while free := {name for name, imported in imports.items() if not imported}:
        imports = {name: imported - free for name, imported in imports.items() if name not in free}
    assert imports == {}, "what is left goes round in a circle, or stands on one"


@pytest.mark.parametrize("room", UNTIED)
def test_no_function_takes_seven_parameters(room: str) -> None:
    many = {
        f"{file.name}:{function.name}"
        for file in (SOURCE / room).rglob("*.py")
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and _parameters(function) > MOST_PARAMETERS
    }
    assert many == set()


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    taken = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len([one for one in taken if one.arg not in ("self", "cls")])
