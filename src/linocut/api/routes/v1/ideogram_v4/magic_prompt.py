"""/v1/ideogram-v4/magic-prompt."""

from starlette.responses import Response

from linocut.api.call import Call, answer
from linocut.api.once import once_held
from linocut.api.operation import Operation
from linocut.api.translate.prompts import answer_magic_prompt, ask_magic_prompt
from linocut.generation import service as generation
from linocut.wire import MagicPromptV4Request, MagicPromptV4Response


async def magic_prompt(call: Call) -> Response:
    """The structured prompt that generate would make of a text."""
    request = ask_magic_prompt((await call.fields()).values)

    async def write() -> MagicPromptV4Response:
        worded = call.runtime.worded
        return answer_magic_prompt(*generation.magic_prompt(request.text_prompt, request.aspect_ratio, worded))

    return answer(await once_held(call, write, MagicPromptV4Response))


OPERATIONS = (
    Operation(
        "POST", "/v1/ideogram-v4/magic-prompt", "post_magic_prompt_v4", "Write the structured prompt of a text",
        magic_prompt, "generate", body=MagicPromptV4Request, answer=MagicPromptV4Response,
        refusals=(400, 402, 413, 422, 429),
    ),
)  # fmt: skip
