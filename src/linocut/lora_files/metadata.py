"""The notes in the header of a file that leaves: ModelSpec 1.0.1, and the ``ss_`` and ``sshs_`` keys of kohya's tools.

They name the model, its base and its sizes. Captions, file names, folders and people are not in them.
"""

from datetime import UTC, datetime

import msgspec

from linocut.lora_files.stored import AdapterMetadata

TRIGGER = "modelspec.trigger_phrase"

_FAMILIES = {
    "ideogram4": ("Ideogram-4", "ideogram4", "ideogram4"),
    "flux2": ("Flux.2-klein", "https://github.com/black-forest-labs/flux2", "flux2"),
    "flux2_dev": ("Flux.2-dev", "https://github.com/black-forest-labs/flux2", "flux2"),
    "qwen_image": ("Qwen-Image", "https://github.com/QwenLM/Qwen-Image", "qwen_image"),
    "qwen_image_edit": ("Qwen-Image-Edit", "https://github.com/QwenLM/Qwen-Image", "qwen_image"),
    "z_image": ("Z-Image", "https://github.com/Tongyi-MAI/Z-Image", "zimage"),
    "sdxl": ("stable-diffusion-xl-v1-base", "https://github.com/Stability-AI/generative-models", "sdxl_base_v1-0"),
}
"""By family: ModelSpec's architecture and the code whose names the authors' layouts have, and kohya's base version."""


class About(msgspec.Struct, frozen=True):
    """What is told of a custom model: its name, its version, when it was made, the side that its base draws best,
    the words that call it."""

    title: str
    created_at: datetime
    native_pixels: int = 0
    base_name: str = ""
    trigger: str = ""


def notes_of(layout: str, adapter: AdapterMetadata, about: About, tensors_sha256: str) -> dict[str, str]:
    """The notes. ``tensors_sha256``: of everything behind the header. Times are UTC."""
    architecture, code, version = _FAMILIES.get(adapter.family, (adapter.family, adapter.family, adapter.family))
    when = about.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    notes = {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": f"{architecture}/lora",
        "modelspec.implementation": "diffusers" if layout == "diffusers" else code,
        "modelspec.title": about.title,
        "modelspec.date": when,
        "modelspec.hash_sha256": f"0x{tensors_sha256}",
        "ss_base_model_version": version,
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(adapter.rank),
        "ss_network_alpha": f"{adapter.alpha:g}",
        "ss_output_name": about.title,
        "sshs_model_hash": tensors_sha256,
    }
    if about.native_pixels:
        notes["modelspec.resolution"] = f"{about.native_pixels}x{about.native_pixels}"
    if about.base_name:
        notes["ss_sd_model_name"] = about.base_name
    if about.trigger:
        notes[TRIGGER] = about.trigger
    return notes
