"""The fake engine's captions: a flat picture of what was asked for. Only the fake knows this: a text that contains
``[silent]`` is not written, and one that contains ``[broken]`` fails."""

from collections.abc import Callable, Generator
from pathlib import Path

from linocut.engine.door import Fetch
from linocut.errors import RunFailed
from linocut.orders import Answered, Event, WriteOrder


def write(
    order: WriteOrder, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]
) -> Generator[None, bool, None]:
    """One caption; yields before its step."""
    del fetch, workspace
    yield
    if "[broken]" in order.text:
        raise RunFailed("The writer broke.")
    caption = {
        "high_level_description": f"written of {order.text}",
        "compositional_deconstruction": {
            "background": "plain teal",
            "elements": [{"type": "obj", "bbox": [300, 300, 700, 700], "desc": "a white star"}],
        },
    }
    silent = "[silent]" in order.text
    told = {
        "caption": None if silent else caption,
        "ratio": "16x9" if order.ratio == "AUTO" else order.ratio,
        "written_by": "fake",
        "why": "it cannot be reached" if silent else "",
    }
    emit(Answered(key=key, answer=told))
