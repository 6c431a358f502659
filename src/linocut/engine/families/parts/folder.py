"""Loading the parts of a base from its folder: local files only, safetensors only, frozen as they come."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from torch import device, dtype, nn

from linocut.bases import facts_of
from linocut.bases.reading import COPY_AGAIN, weights_of
from linocut.engine.families.parts.other_layouts import check_missing, is_other, is_packed, load_other
from linocut.engine.loading import Loading, loading_of
from linocut.engine.quantised import LIBRARIES, can_quantise, quantise
from linocut.engine.released import Released
from linocut.engine.visiting import visiting
from linocut.errors import InvalidRequest
from linocut.observe import adopt_libraries

SECOND_NETWORK = "unconditional_transformer"

NETWORKS = ("transformer", "unet")
"""Those that may be divided among devices."""

Module = TypeVar("Module", bound=nn.Module)


def load_tower(
    kind: type[Module],
    folder: Path,
    name: str,
    on: device,
    precision: dtype | Loading,
    inside: Callable[[Any], Any] = lambda tower: tower,
) -> Any:
    """The text tower ``name``, or what ``inside`` takes of it; where it is to be given back meanwhile, what loads it
    when it is asked for."""
    how = loading_of(on, precision)
    if how.tower_released and on.type != "meta":
        return Released(lambda: inside(load_module(kind, folder, name, on, how)))
    return inside(load_module(kind, folder, name, on, precision))


def load_module(kind: type[Module], folder: Path, name: str, on: device, precision: dtype | Loading) -> Module:
    """The part ``name`` of the base, built by the library's class ``kind``, frozen, on ``on``.

    ``precision``: a plain dtype, or a way of loading (``engine/loading.py``). The dtype goes to ``from_pretrained``,
    which leaves computed buffers (rotary frequencies) in float32; casting a loaded module would round them. On a GPU
    the library reads each file straight onto it. On the device ``meta`` the part has its shapes and no weights.
    """
    how = loading_of(on, precision)
    where = part_folder(folder, name)
    if on.type == "meta":
        return _shapes_of(kind, where, how.dtype)
    how.told(name)
    if how.divided and name in NETWORKS:
        on = torch.device("cpu")
    is_tower, is_coder = name.startswith("text_encoder"), name.startswith("vae")
    quantised = how.precision in LIBRARIES and not is_coder
    at_home = (how.tower_on_host and is_tower) or (how.second_on_host and name == SECOND_NETWORK)
    options: dict[str, Any] = {"dtype": how.dtype, "local_files_only": True, "use_safetensors": True}
    if variant := weights_of(folder, name).variant:
        options["variant"] = variant
    if is_packed(folder, name):
        if not can_quantise("nf4"):
            raise InvalidRequest(
                f"{folder.name} has its {name} packed in few bits, which takes bitsandbytes: pip install "
                "'linocut[quantised]'."
            )
        quantised = at_home = False  # it is as it is, and goes where it is computed with
        options["device_map"] = {"": on}
    if on.type == "cuda" and not (quantised or at_home):
        options["device_map"] = {"": on}
    if is_other(folder, name):
        beside = torch.device("cpu") if quantised or at_home else on
        module: Module = cast(Module, load_other(kind, folder, name, beside, how.dtype))
    else:
        module = _by_library(kind, folder, name, options)
    module = module.requires_grad_(False).train(False)
    if at_home:
        return cast(Module, visiting(module, on))
    if quantised:
        quantise(module, how.precision, on)
    return module.to(on)


def _by_library(kind: type[Module], folder: Path, name: str, options: dict[str, Any]) -> Module:
    """A part as the library loads it. ``InvalidRequest`` where its files are not what its class and config ask for:
    the library itself fills a text tower's missing tensors with random numbers."""
    loader: Any = kind
    is_tower = not hasattr(loader, "load_config")
    if is_tower:
        options = {**options, "ignore_mismatched_sizes": True}  # they are then told by name, and refused below
    try:
        module, told = loader.from_pretrained(str(folder / name), output_loading_info=True, **options)
    except NotImplementedError as absent:  # a missing tensor, met on the way to a GPU
        raise InvalidRequest(
            f"{folder.name} cannot be loaded: {name} has not all tensors that its config.json asks for. {COPY_AGAIN}"
        ) from absent
    except ValueError as wrong:
        said = " ".join(str(wrong).replace(str(folder), folder.name).partition(". ")[0].split()).rstrip(".")
        raise InvalidRequest(f"{folder.name} cannot be loaded: {name}: {said}. {COPY_AGAIN}") from wrong
    if mismatched := sorted(str(one[0]) for one in told["mismatched_keys"]):
        raise InvalidRequest(
            f"{folder.name} cannot be loaded: {name} has {mismatched[0]} in another shape than its config.json asks "
            f"for. {COPY_AGAIN}"
        )
    check_missing(folder, name, module, set(told["missing_keys"]))
    return cast(Module, module)


def _shapes_of(kind: type[Module], where: Path, precision: dtype) -> Module:
    """A part without weights, by its config alone."""
    maker: Any = kind
    with torch.device("meta"):
        if hasattr(maker, "load_config"):
            module = maker.from_config(maker.load_config(str(where), local_files_only=True))
        else:
            from transformers import AutoConfig

            config = AutoConfig.from_pretrained(str(where), local_files_only=True)
            module = maker.from_config(config) if maker.__name__.startswith("Auto") else maker(config)
    return cast(Module, nn.Module.to(module, precision).requires_grad_(False).train(False))


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
            f"{limit}. Shorten the prompt; of a json_prompt, send fewer elements or shorter descriptions."
        )


def float_tensor(values: list[float], on: device) -> torch.Tensor:
    """``values`` as a float32 tensor on ``on``."""
    return torch.tensor(values, dtype=torch.float32, device=on)


def stacked(values: Sequence[torch.Tensor], like: Any) -> torch.Tensor:
    """``values`` as one batch, on the device and in the precision of the network ``like``."""
    return torch.stack([value.to(like.device, like.dtype) for value in values])
