"""A route's file is where its address says: the module's path, parameters left out, begins the address."""

from linocut.api.operation import Operation
from linocut.api.routes import MODULES, OPERATIONS

ROUTES = "linocut.api.routes."


def _address_of(module: str) -> str:
    return "/" + module.removeprefix(ROUTES).replace(".", "/").replace("_", "-")


def _without_parameters(operation: Operation) -> str:
    parts = [part for part in operation.path.split("/") if part and not part.startswith("{")]
    return "/" + "/".join(parts).replace("_", "-")


def test_every_operation_stands_in_the_file_that_its_address_names() -> None:
    misplaced = [
        f"{operation.method} {operation.path} in {module.__name__}"
        for module in MODULES
        for operation in module.OPERATIONS
        if not _without_parameters(operation).startswith(_address_of(module.__name__))
    ]
    assert misplaced == []


def test_the_guard_sees_a_misplaced_route() -> None:
    share = next(operation for operation in OPERATIONS if operation.path.endswith("/share"))
    assert not _without_parameters(share).startswith(_address_of("linocut.api.routes.datasets"))
    assert _without_parameters(share).startswith(_address_of("linocut.api.routes.models.share"))


def test_no_address_has_two_operations_and_no_name_is_used_twice() -> None:
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
