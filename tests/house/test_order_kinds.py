"""One table says what each kind of order is, and nobody asks "a training, or else images" beside it."""

import ast
from pathlib import Path

from linocut.engine.carriage import CARRIAGES
from linocut.orders import KINDS, Order
from linocut.workers.deliveries import DELIVERIES

SOURCE = Path(__file__).parents[2] / "src" / "linocut"


def test_every_kind_has_its_carriage_and_its_delivery() -> None:
    assert CARRIAGES.keys() == KINDS.keys()
    assert DELIVERIES.keys() == KINDS.keys()


def test_every_order_there_is_is_a_kind() -> None:
    ours = {order for order in _below(Order) if order.__module__.startswith("linocut.")}
    assert ours == {kind.order for kind in KINDS.values()}
    assert {kind.name: str(kind.order.__struct_config__.tag) for kind in KINDS.values()} == {n: n for n in KINDS}


def _below(order: type[Order]) -> set[type[Order]]:
    return {below for child in order.__subclasses__() for below in (child, *_below(child))}


def test_nobody_asks_which_kind_an_order_is() -> None:
    asked = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if _asks(node):
                asked.append(f"{path.relative_to(SOURCE)}:{node.lineno}")  # type: ignore[attr-defined]
    assert asked == []


def _asks(node: ast.AST) -> bool:
    """``isinstance(x, TrainOrder)`` and the like, or ``row.kind == "generate"``."""
    names = {kind.order.__name__ for kind in KINDS.values()}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
        return any(isinstance(one, ast.Name) and one.id in names for one in ast.walk(node.args[1]))
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        kinds = any(isinstance(side, ast.Attribute | ast.Name) and _name(side).endswith("kind") for side in sides)
        return kinds and any(isinstance(side, ast.Constant) and side.value in KINDS for side in sides)
    return False


def _name(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id
