"""A leader of two devices, as a process that can really be killed. Started by ``test_ranks.py``: says its rank, and
each step that is done."""

import sys
from pathlib import Path

import torch
from tests.engine.test_ranks import BLOBS, ORDER, opening
from tests.engine.training_support import StandIn, drive

from linocut.engine.ranks.leader import Ranks
from linocut.engine.training.run import train
from linocut.engine.training.together import Together
from linocut.observe import set_up_logs
from linocut.orders import Event, TrainProgress


def main() -> None:
    torch.set_num_threads(1)
    set_up_logs()  # to stderr: what is said on stdout is read
    ranks = Ranks(opening())

    def tell(event: Event) -> None:
        if isinstance(event, TrainProgress):
            print(f"{ranks.members[0].pid} {event.step}", flush=True)

    family, place = StandIn(), Path(sys.argv[1])
    drive(train(ORDER, "run", family, BLOBS.__getitem__, place, tell, together=Together(ranks)), family)
    ranks.close()


if __name__ == "__main__":
    main()
