"""Finds the operations: the folder ``routes/`` is the URL tree, and nothing is registered anywhere.

How a file's place says its address:

- ``routes/v1/ideogram_v3/generate.py`` is ``/v1/ideogram-v3/generate``: under ``v1`` an underscore is a hyphen,
  elsewhere it is itself (``routes/datasets/_dataset_id/upload_assets.py``).
- A name that begins with an underscore is a path parameter: ``routes/models/_model_id/cancel.py`` is
  ``/models/{model_id}/cancel``.
- A word of Python's own has an underscore at its end, which is not part of the address: ``async_``.
- Two underscores are a dot: ``routes/openapi__json.py`` is ``/openapi.json``.
- A folder's own address is its ``__init__.py``: ``routes/models/__init__.py`` is ``/models``.

In the file each operation is a constant that is called as its method is: ``POST = Operation(...)``.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import ModuleType
from typing import get_args

from linocut.api import routes
from linocut.api.call import Call
from linocut.api.operation import Method, Operation, Reads
from linocut.errors import NotBuilt

TAGS = ("datasets", "models", "generate", "manage", "images", "server")
"""In the order of the reference; other tags come after them."""

_HYPHENATED = "v1"


def operations_in(package: ModuleType) -> tuple[Operation, ...]:
    """Every operation of a package of routes, each with its method and address, in the order of the reference."""
    modules = [package]
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        modules.append(importlib.import_module(found.name))
    placed = [
        replace(operation, method=method, path=address_of(module.__name__.removeprefix(package.__name__)))
        for module in modules
        for method in get_args(Method)
        if isinstance(operation := getattr(module, method, None), Operation)
    ]
    return tuple(sorted(placed, key=lambda one: (*_rank(one.tag), one.path)))


def address_of(place: str) -> str:
    """The address of a module, named from the package of routes: ``.models._model_id.cancel``."""
    names = [name for name in place.split(".") if name]
    hyphenated = names[:1] == [_HYPHENATED]
    return "/" + "/".join(_part(name, hyphenated=hyphenated) for name in names)


def not_built(published: Iterable[str], built: Sequence[Operation]) -> tuple[Operation, ...]:
    """An operation for each published one (``POST /edit``) that is not built: it answers so, once the key is good."""
    there = {f"{operation.method} {operation.path}" for operation in built}
    return tuple(_unbuilt(*name.split(" ")) for name in published if name not in there)


def _part(name: str, *, hyphenated: bool) -> str:
    if name.startswith("_") and not name.startswith("__"):
        parameter, dot, suffix = name[1:].partition("__")
        return f"{{{parameter}}}" + (f".{suffix}" if dot else "")
    dotted = name.removesuffix("_").replace("__", ".")
    return dotted.replace("_", "-") if hyphenated else dotted


def _rank(tag: str) -> tuple[int, str]:
    return (TAGS.index(tag) if tag in TAGS else len(TAGS), tag)


def _unbuilt(method: str, path: str) -> Operation:
    def refuse(_call: Call, _tx: object) -> None:
        raise NotBuilt(
            f"{method} {path} is published, but this server cannot do it yet; /docs lists what it does and what not."
        )

    return Operation(
        "not_built",
        "Published, and not built yet",
        "not built",
        Reads(refuse),
        is_built=False,
        method=method,  # type: ignore[arg-type]  # a published one
        path=path,
    )


OPERATIONS = operations_in(routes)
