"""/v1/ideogram-v4/magic-prompt."""

from linocut.api.call import Call
from linocut.api.operation import Operation, Works
from linocut.api.translate.prompts import answer_magic_prompt
from linocut.api.translate.versions import V4
from linocut.api.writing import write
from linocut.captions import remarks, structured
from linocut.generation import service as generation
from linocut.generation.sizes import spoken_ratio
from linocut.generation.writing import WriteAsk
from linocut.wire import MagicPromptV4Request, MagicPromptV4Response


async def magic_prompt(call: Call, ask: MagicPromptV4Request) -> MagicPromptV4Response:
    """The structured prompt that generate would make of a text."""
    text, ratio = ask.text_prompt, ask.aspect_ratio
    written = None
    if call.runtime.settings.writer != "grammar" and not text.lstrip().startswith("{"):
        generation.check_magic(text, V4, call.runtime)
        spoken = spoken_ratio(text, V4.ratios) or "AUTO" if ratio == "AUTO" else ratio
        written = await write(call, WriteAsk(text, spoken), V4)
    said, chosen = generation.magic_prompt(text, ratio, V4, call.runtime, written)
    sent = structured(text)
    unread = remarks(sent, "text_prompt") if sent else ()
    return answer_magic_prompt(said, chosen, written, (*call.left_out, *unread))


POST = Operation(
    "post_magic_prompt_v4", "Write the structured prompt of a text", "generate", Works(magic_prompt),
    body=MagicPromptV4Request, answer=MagicPromptV4Response, refusals=(402, 422, 429),
)  # fmt: skip
