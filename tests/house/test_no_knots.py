"""No two files of the engine, the orders or the workers import each other, directly or around a corner."""

from graphlib import TopologicalSorter
from pathlib import Path

import grimp

ROOMS = ("linocut.engine", "linocut.orders", "linocut.workers")
SOURCE = Path(__file__).parents[2] / "src" / "linocut"


def test_imports_run_in_no_circle() -> None:
    """``CycleError`` names the files of a circle."""
    graph = grimp.build_graph("linocut", cache_dir=None)
    mine = {module for module in graph.modules if module.startswith(ROOMS)}
    imports = {module: graph.find_modules_directly_imported_by(module) & mine for module in mine}
    order = list(TopologicalSorter(imports).static_order())
    assert order.index("linocut.engine.families.items") < order.index("linocut.engine.work")


def test_no_import_of_the_engine_is_hidden_from_the_running_program() -> None:
    hidden = [path.name for path in SOURCE.joinpath("engine").rglob("*.py") if "TYPE_CHECKING" in path.read_text()]
    assert hidden == []
