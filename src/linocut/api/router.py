"""From method and path to an operation: one look-up, exact 404s and 405s.

Written here because ``Allow`` must name every method of an address, a trailing slash must reach the same operation
without a redirect (which would lose a POST's body), and the table is made once.
"""

import re
from collections.abc import Iterable

from linocut.api.operation import Operation
from linocut.errors import MethodNotAllowed, NotFound

_PARAMETER = re.compile(r"\{(\w+)\}")


class Router:
    """All operations by address and method."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._fixed: dict[str, dict[str, Operation]] = {}
        patterns: dict[str, dict[str, Operation]] = {}
        for operation in operations:
            place = patterns if "{" in operation.path else self._fixed
            methods = place.setdefault(operation.path, {})
            for method in (operation.method, "HEAD") if _has_head(operation) else (operation.method,):
                if method in methods:
                    raise ValueError(f"{method} {operation.path} has two operations")
                methods[method] = operation
        self._patterns = [(_compile(path), methods) for path, methods in patterns.items()]

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """The operation and the values in its path. ``NotFound``; ``MethodNotAllowed`` (details: ``allow``)."""
        methods, values = self._at(path if len(path) == 1 else path.removesuffix("/"))
        operation = methods.get(method)
        if operation is None:
            allow = ", ".join(sorted(methods))
            raise MethodNotAllowed(f"This address does not take {method[:16]}; it takes {allow}.", allow=allow)
        return operation, values

    def _at(self, path: str) -> tuple[dict[str, Operation], dict[str, str]]:
        if found := self._fixed.get(path):
            return found, {}
        for pattern, methods in self._patterns:
            if match := pattern.fullmatch(path):
                # An id with a NUL is nobody's; PostgreSQL would not even look for it.
                return methods, {name: value.replace("\x00", "\ufffd") for name, value in match.groupdict().items()}
        raise NotFound("There is nothing at this address; /docs lists what there is.")


def _has_head(operation: Operation) -> bool:
    return operation.method == "GET" and operation.answers_head


def _compile(path: str) -> re.Pattern[str]:
    parts = _PARAMETER.split(path)  # text, name, text, name, text
    return re.compile("".join(re.escape(part) if i % 2 == 0 else f"(?P<{part}>[^/]+)" for i, part in enumerate(parts)))
