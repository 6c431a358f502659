"""Loading the parts of a base from its folder: local files only, safetensors only, frozen as they come."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import device, dtype, nn

from linocut.bases import facts_of
from linocut.errors import InvalidRequest
from linocut.observe import adopt_libraries

Module = TypeVar("Module", bound=nn.Module)


def load_module(kind: type[Module], folder: Path, name: str, on: device, precision: dtype) -> Module:
    """The part ``name`` of the base, built by the library's class ``kind``, in ``precision``, frozen, on ``on``.

    The dtype goes to ``from_pretrained``, which leaves computed buffers (rotary frequencies) in float32; casting a
    loaded module would round them.
    """
    loader: Any = kind
    module: Module = loader.from_pretrained(
        str(part_folder(folder, name)), dtype=precision, local_files_only=True, use_safetensors=True
    )
    return module.requires_grad_(False).train(False).to(on)


def part_folder(folder: Path, name: str) -> Path:
    """The sub-folder ``name`` of a base. ``InvalidRequest`` when it is missing."""
    found = folder / name
    if not found.is_dir():
        raise InvalidRequest(
            f"{folder.name} is no whole base: its folder {name} is missing. Copy the base again, with all its parts."
        )
    return found


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """The JSON object in the file ``name`` of a base's folder. ``InvalidRequest`` when it is missing or damaged."""
    if name == "linocut.json":
        return facts_of(folder)
    try:
        facts = json.loads((folder / name).read_text())
    except (OSError, ValueError) as cause:
        raise InvalidRequest(
            f"{folder.name} is no whole base: its file {name} is missing or damaged. Copy the base again."
        ) from cause
    return dict(facts)


def no_progress_bars() -> None:
    """Silence the libraries' progress bars, which would otherwise write to the engine's stderr at each load."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    adopt_libraries()  # both have put handlers of their own up


def linears(transformer: nn.Module, endings: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Linears of ``transformer`` whose name ends in one of ``endings`` -> (in, out) features, in the module's order."""
    return {
        name: (module.in_features, module.out_features)
        for name, module in transformer.named_modules()
        if isinstance(module, nn.Linear) and name.endswith(endings)
    }


def check_tokens(count: int, limit: int) -> None:
    """``InvalidRequest`` when a caption of ``count`` tokens is over the base's ``limit``: it would be cut silently."""
    if count > limit:
        raise InvalidRequest(
            f"The prompt is {count} tokens long for the text encoder, its chat frame included; this base takes at most "
            f"{limit}. Shorten the prompt."
        )


def float_tensor(values: list[float], on: device) -> torch.Tensor:
    """``values`` as a float32 tensor on ``on``."""
    return torch.tensor(values, dtype=torch.float32, device=on)


def stacked(values: Sequence[torch.Tensor], like: Any) -> torch.Tensor:
    """``values`` as one batch, on the device and in the precision of the network ``like``."""
    return torch.stack([value.to(like.device, like.dtype) for value in values])
