"""The two documents: the published contract, and the server's description of itself."""

import json
from pathlib import Path
from typing import Any

from linocut.api.discovery import OPERATIONS, not_built
from linocut.api.openapi import describe
from linocut.api.published import PUBLISHED

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
CONTRACT: Json = json.loads((ROOT / "contract" / "contract.json").read_text())
NOT_BUILT = [f"{operation.method} {operation.path}" for operation in not_built(PUBLISHED, OPERATIONS)]
OURS: Json = json.loads(json.dumps(describe(OPERATIONS)))


def operations(document: Json) -> dict[str, Json]:
    """``"POST /datasets"`` to its operation."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


THEIRS = operations(CONTRACT)
MINE = operations(OURS)
BUILT = sorted(set(THEIRS) - set(NOT_BUILT))
