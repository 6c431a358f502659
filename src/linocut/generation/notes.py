"""What an answer says of an image that was not drawn just as it was asked for."""

from sqlalchemy import Connection

from linocut.captions import Worded, has_lettering, remarks, structured
from linocut.custom_models.service import learned_lettering
from linocut.generation.types import GenerateAsk
from linocut.sizes import size_text

Size = tuple[int, int]


def notes_on_json(ask: GenerateAsk) -> tuple[str, ...]:
    """What is not read of a structured prompt, sent as ``json_prompt`` or as the text; of an edit it is our own."""
    if ask.prompt is not None:
        sent = structured(ask.prompt)
        return remarks(sent, ask.rules.prompt_field) if sent else ()
    return remarks(ask.json_prompt) if ask.json_prompt and ask.over is None else ()


def notes_of(tx: Connection, custom_model_uri: str | None, said: Worded, native: Size, size: Size) -> tuple[str, ...]:
    """A sentence each, none where there is nothing to say: on the text, the custom model (a uri that was resolved for
    its caller) and the size (width and height in pixels, as drawn and as answered)."""
    notes = list(said.notes)
    if custom_model_uri and has_lettering(said.caption) and learned_lettering(tx, custom_model_uri) is False:
        notes.append("The custom model was trained on captions without lettering: words may be missing or wrong.")
    if native[0] * native[1] < size[0] * size[1]:
        notes.append(f"The base draws {size_text(*native)} pixels; the answer was enlarged to {size_text(*size)}.")
    return tuple(notes)
