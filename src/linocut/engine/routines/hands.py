"""What a routine is given beside its order."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from linocut.bases import Base
from linocut.engine.adapters.apply import Adapter
from linocut.engine.door import Fetch
from linocut.engine.families.family import Family
from linocut.engine.speech.speaker import Speaker
from linocut.engine.tools.toolbox import Toolbox
from linocut.engine.training.together import ALONE, Together
from linocut.orders import AdapterRef, Event


@dataclass(frozen=True)
class Hands:
    """``family`` answers questions about names and shapes only; tensor work is yielded as units.

    ``fetch`` (a blob by its hash) and ``load_adapter`` take long: they belong into a ``Background`` unit. ``tools`` are
    used through ``tools.units.use_tool``. ``workspace`` is the order's own folder, ``emit`` says what happened.
    ``careful``: there is room for training only if its blocks are computed again in the backward pass.
    ``compares``: whether a run's previews are compared with its dataset. ``speaker``: the base's own language model,
    where captions are its to write. ``give_back``: lets go of the text tower, where it may be given back, until a text
    is to be read again. ``together``: the devices that learn a run.
    """

    key: str
    family: Family
    base: Base
    on: torch.device
    fetch: Fetch
    load_adapter: Callable[[AdapterRef], Adapter]
    tools: Toolbox
    workspace: Path
    emit: Callable[[Event], None]
    careful: bool = False
    compares: bool = False
    speaker: Speaker | None = None
    give_back: Callable[[], None] = lambda: None
    together: Together = ALONE
