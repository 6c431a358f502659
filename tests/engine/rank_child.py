"""A rank over the stand-in base: started by ``test_ranks.py`` in place of ``linocut.engine.ranks.child``."""

import sys
from typing import Any, cast

from tests.engine.stand_in_parts import InParts
from tests.engine.training_support import StandIn

from linocut.engine.ranks import child
from linocut.engine.ranks.messages import Open


def load(said: Open) -> Any:
    child.open_on(said.device, said.threads)
    if said.folder.endswith("missing"):
        raise FileNotFoundError(said.folder)
    return InParts() if said.family == "in parts" else StandIn()


if __name__ == "__main__":
    sys.exit(child.run(cast(child.Load, load)))
