"""What a request is sold as: its tool, its name in usage and invoices, and the prices that may apply. Pure."""

from linocut.generation.types import GenerateAsk
from linocut.ledger.types import Charge, Tool

EDIT = "edit"
"""What ``POST /v1/edit`` is sold as."""

_TOOLS: dict[str, Tool] = {"generate": "GENERATE", "remix": "REMIX"}
_MODELS = {"v4": "V_4_0", "v3": "V_3_0", "legacy-2": "V_2_1", "legacy-2a": "V_2_1", "legacy-1": "V_1_1"}
"""The published names of the models that the versions of the API ask for."""

DESCRIPTION = Charge("DESCRIBE", "Describe", ("describe",), 1)
CUTOUT = Charge("OTHER", "Remove background", ("remove-background",), 1)
LAYERS = Charge("OTHER", "Layerize text", ("layerize-text",), 1)
UPSCALE = Charge("UPSCALE", "Upscale", ("upscale",), 1)
"""All of them by the picture that was sent."""
WRITING = Charge("OTHER", "Magic prompt", (), 1)
"""Free, as published."""


def charge_of(ask: GenerateAsk) -> Charge:
    """By the image that is answered, at its speed. Of a custom model and a character the higher price applies."""
    item = ask.priced_as or ask.rules.item
    if item == EDIT:
        return Charge("EDIT", "Edit by instruction", (EDIT,), ask.num_images)
    operation = "generate" if ask.over is None else ask.over.operation
    kind, items = "", [item]
    if ask.cut_free and ask.over is None:
        kind, items = f", transparent x{ask.cut_free}", [f"v3-transparent-x{ask.cut_free}"]
    if ask.look.character_reference is not None:
        kind, items = f"{kind}, character", [*items, "v3-character"]
    if ask.custom_model_uri is not None:
        kind, items = f"{kind}, custom model", [*items, f"{ask.rules.item}-custom-model"]
    name = f"{item.replace('legacy-', 'v')} {operation}{kind}, {ask.rendering_speed}"
    return Charge(
        _TOOLS.get(operation, "EDIT"), name[0].upper() + name[1:], tuple(items), ask.num_images, ask.rendering_speed,
        _MODELS.get(item),
    )  # fmt: skip
