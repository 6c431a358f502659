"""/v1/ideogram-v4/magic-prompt."""

from linocut.api.call import Call
from linocut.api.operation import Operation, Works
from linocut.api.translate.prompts import answer_magic_prompt
from linocut.api.translate.versions import V4
from linocut.generation import service as generation
from linocut.wire import MagicPromptV4Request, MagicPromptV4Response


async def magic_prompt(call: Call, ask: MagicPromptV4Request) -> MagicPromptV4Response:
    """The structured prompt that generate would make of a text."""
    return answer_magic_prompt(*generation.magic_prompt(ask.text_prompt, ask.aspect_ratio, V4, call.runtime))


POST = Operation(
    "post_magic_prompt_v4", "Write the structured prompt of a text", "generate", Works(magic_prompt),
    body=MagicPromptV4Request, answer=MagicPromptV4Response, refusals=(402, 422, 429),
)  # fmt: skip
