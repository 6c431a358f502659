"""Who writes the caption of a text (magic prompt): the grammar, here and at once; or a language model, as a job of its
own before the drawing's."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from linocut.accounts.types import Caller
from linocut.captions import caption_text, normalise
from linocut.errors import InvalidRequest, Unsafe
from linocut.generation.admission import Request, admitted
from linocut.generation.charging import WRITING
from linocut.generation.service import AUTO_REWRITES_BELOW_WORDS
from linocut.generation.sizes import spoken_ratio
from linocut.generation.types import GenerateAsk, Means, Placed, Rules, Written
from linocut.ledger.types import Charge
from linocut.orders import WriteOrder
from linocut.safety.service import judge_prompt


@dataclass(frozen=True)
class WriteAsk:
    """``text`` to be written for a picture of the ``ratio`` ("16x9", or AUTO); ``caption`` of the picture that it is to
    change, "" for none. ``places`` as of the whole request, and ``first_of`` what it is sold as (None: the text is
    all of it); ``earlier``: the job of the request that holds both."""

    text: str
    ratio: str = "AUTO"
    caption: str = ""
    places: int = 1
    first_of: Charge | None = None
    earlier: str | None = None


def place(tx: Connection, caller: Caller, ask: WriteAsk, means: Means) -> Placed:
    """Queue it. Errors: those of ``admitted``."""
    order = WriteOrder(
        base=means.base.identity,
        organization_id=caller.organization_id,
        text=ask.text,
        caption=ask.caption,
        ratio=ask.ratio,
        knows=means.base.knows,
        places=ask.places,
    )
    is_stage = ask.first_of is not None
    request = Request(caller, ask.first_of or WRITING, is_stage=is_stage, earlier=ask.earlier)
    job_id = admitted(tx, order, request, means.settings)
    return Placed(job_id, "", 0, 0, (), (0, 0), (0, 0))


def is_written(ask: GenerateAsk) -> bool:
    """Whether a language model writes the caption of this request, where one is set: its magic prompt runs, and what it
    makes up is wanted (not by a custom model or over a picture, unless it says ON). A structured prompt is never
    rewritten."""
    if ask.prompt is None or ask.written is not None or ask.references or not ask.prompt.strip():
        return False
    if ask.prompt.lstrip().startswith("{"):
        return False
    if ask.over is not None and ask.over.operation not in ("remix", "inpaint"):
        return False
    if ask.magic_prompt == "ON":
        return True
    if ask.custom_model_uri is not None or ask.over is not None:
        return False
    short = len(ask.prompt.split()) < AUTO_REWRITES_BELOW_WORDS
    return ask.rules.always_rewrites or (ask.magic_prompt == "AUTO" and short)


def ratio_asked(ask: GenerateAsk) -> str:
    """The ratio that a caption is to be written for; AUTO where the writer may choose it."""
    if ask.resolution is not None:
        return f"{ask.resolution[0]}x{ask.resolution[1]}"
    if ask.aspect_ratio is not None:
        return ask.aspect_ratio
    if ask.over is not None or not ask.rules.text_chooses_ratio:
        return "1x1" if ask.over is None else f"{ask.over.picture.width}x{ask.over.picture.height}"
    return spoken_ratio(ask.prompt or "", ask.rules.ratios) or "AUTO"


def written_of(told: dict[str, Any], asked_ratio: str, rules: Rules, means: Means) -> Written:
    """What the job of the writer came to. Without a caption, or with one that the safety rules refuse, the grammar
    writes, and a note says why."""
    why, caption = str(told["why"]), told["caption"]
    if caption is not None:
        try:
            judge_prompt(caption_text(normalise(caption)), means.settings.safety_rules)
        except (Unsafe, InvalidRequest):
            caption, why = None, "its caption was refused by the safety rules"
    if caption is None:
        model = str(told["written_by"])
        return Written(None, "grammar", notes=(fallen_back(model, why),))
    ratio = str(told["ratio"]) if asked_ratio == "AUTO" else asked_ratio
    by = str(told["written_by"])
    return Written(caption, by, ratio if ratio in rules.ratios else "", (_ended(by, why),) if why else ())


def _ended(model: str, why: str) -> str:
    """The note on a caption that is shorter than the model meant it to be."""
    return f"The caption was written by {model}, and {why}: it may say less than it was going to."


def fallen_back(model: str, why: str) -> str:
    """The note on a caption that the grammar wrote because the writer did not."""
    return f"The writer{f' {model}' if model else ''} was asked, and {why}; the grammar wrote the caption instead."
