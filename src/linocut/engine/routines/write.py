"""The routine of a write order: a language model writes a caption."""

from functools import partial

from linocut.engine.routines.hands import Hands
from linocut.engine.tools.writer import ask_for_text
from linocut.engine.work import Background, Routine
from linocut.orders import Answered, WriteOrder


def write(order: WriteOrder, hands: Hands) -> Routine:
    """Ask the writer. Its failure is an answer too: the caption is None then, and ``why`` says why."""
    endpoint = hands.tools.endpoints.get("writer")
    if endpoint is None:
        hands.emit(Answered(key=hands.key, answer=unwritten("", "this worker knows none")))
        return
    asked = partial(
        ask_for_text, endpoint, text=order.text, caption=order.caption, ratio=order.ratio, knows=order.knows
    )
    said = yield Background(asked, "writer", apart=True)
    if said.value is None:
        hands.emit(Answered(key=hands.key, answer=unwritten(endpoint.model, said.why)))
        return
    caption, ratio = said.value
    told = {"caption": caption, "ratio": ratio, "written_by": f"endpoint: {endpoint.model}", "why": ""}
    hands.emit(Answered(key=hands.key, answer=told))


def unwritten(model: str, why: str) -> dict[str, object]:
    """What is answered when there is no caption."""
    return {"caption": None, "ratio": "", "written_by": model, "why": why}
