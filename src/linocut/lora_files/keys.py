"""How the world spells the keys of a LoRA file: prefixes, endings, and which linear of a base a key means."""

from collections.abc import Mapping

from linocut.lora_files.names import Names
from linocut.lora_files.refusal import listed, refuse
from linocut.lora_files.targets import Targets
from linocut.lora_files.tensors import File

PREFIXES = (
    "base_model.model.transformer.",
    "base_model.model.unet.",
    "base_model.model.",
    "model.diffusion_model.",
    "diffusion_model.",
    "conditional_transformer.",
    "transformer.",
    "unet.",
    "lora_transformer_",
    "lora_unet_",
    "lycoris_",
)
"""What keys begin with, the longer one first. Some files have none of them."""

DOWNS = (
    ".lora_A.default.weight",
    ".lora_A.weight",
    ".lora_A",
    ".lora_down.weight",
    ".lora.down.weight",
    ".lora_linear_layer.down.weight",
    "_lora.down.weight",
)
UPS = tuple(one.replace("_A", "_B").replace("down", "up") for one in DOWNS)
"""What the keys of the two factors end with; each of ``DOWNS`` has its own of ``UPS``."""

_WRITERS = {
    "kohya": ("lora_unet_", "lora_transformer_", "lycoris_"),
    "peft": ("base_model.model.",),
    "comfyui": ("diffusion_model.", "model.diffusion_model."),
    "diffusers": ("transformer.", "unet."),
}
"""What the keys of a layout begin with."""


def known_by_every_name(names: Names, targets: Targets) -> dict[str, str]:
    """How a linear may be spelled -> its name, the authors' or the library's."""
    known: dict[str, str] = {}
    for name in (*targets, *names):
        for spelled in (name, name.replace(".", "_"), name.removesuffix(".0") if name.endswith("to_out.0") else name):
            known.setdefault(spelled, name)
    return known


def sorted_out(file: File, known: Mapping[str, str]) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Each linear's keys ({"down": key, "up": key}), and the key of its alpha."""
    halves: dict[str, dict[str, str]] = {}
    alphas: dict[str, str] = {}
    strangers: list[str] = []
    for key in file.tensors:
        spelled, half = _ending(key)
        module = known.get(spelled) if half else None
        if module is None:
            strangers.append(key)
            continue
        into = alphas if half == "alpha" else halves.setdefault(module, {})
        if (module if half == "alpha" else half) in into:
            refuse(f"it holds the {half} of {module} twice, under two names")
        into[module if half == "alpha" else half] = key
    if strangers:
        refuse(
            f"{len(strangers)} of its {len(file.tensors)} keys fit no linear of this base: {listed(strangers)}",
            "Only LoRAs of the base's own attention and MLP linears can be taken, without parts for text encoders, "
            "convolutions, DoRA, LoHa or LoKr.",
        )
    return halves, alphas


def _ending(key: str) -> tuple[str, str]:
    """(the linear as the file spells it, down or up or alpha, or "" for what is none of them)."""
    prefix = next((one for one in PREFIXES if key.startswith(one)), "")
    bare = key[len(prefix) :].replace(".processor.", ".")
    for half, endings in (("down", DOWNS), ("up", UPS), ("alpha", (".alpha",))):
        for ending in endings:
            if bare.endswith(ending):
                return bare[: -len(ending)], half
    return bare, ""


def layout_of(file: File) -> str:
    """What wrote the file, as far as its keys tell."""
    for layout, beginnings in _WRITERS.items():
        if any(key.startswith(beginnings) for key in file.tensors):
            return layout
    return "plain"
