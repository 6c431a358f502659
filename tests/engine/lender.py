"""A device that is lent, over the stand-in base: started by ``test_lent_ranks.py`` in place of
``linocut.workers.lend``."""

import sys
from pathlib import Path
from typing import cast

import torch
from tests.engine.rank_child import load

from linocut import __version__
from linocut.engine.ranks.child import Load
from linocut.engine.ranks.greeting import Lent
from linocut.engine.ranks.lent import Here, lend
from linocut.observe import set_up_logs

BASE = "stand-in"


def lent(base: str = BASE, kind: str = "cpu", version: str = __version__) -> Lent:
    return Lent(base=base, kind=kind, name="another node", version=version)


if __name__ == "__main__":
    leader, secret, features = sys.argv[1:]
    set_up_logs()
    here = Here(Path("its own folder"), torch.device("cpu"), Path(features))
    lend(leader, secret, lent(), here, cast(Load, load))
