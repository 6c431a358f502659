"""A LoRA from anybody, matched to a base: recognised by its keys, taken whole or refused with the keys that do not fit.

Layouts: the library's (diffusers, old and new), peft's, ComfyUI's and the authors' names, kohya's (sd-scripts,
musubi-tuner), and mixtures of their prefixes and endings, as they are found in the world.

Shapes: R rank, I input and O output features of a linear.
"""

import json
from collections.abc import Mapping, Sequence
from math import isclose
from typing import Any, NamedTuple, NoReturn

import msgspec
import numpy as np

from linocut.errors import InvalidRequest
from linocut.lora_files.layouts import Array, Factors
from linocut.lora_files.names import Names, authors_names
from linocut.lora_files.stored import DOWN, OURS, UP, AdapterMetadata, header_metadata, prefix_of, safetensors_bytes
from linocut.lora_files.targets import Targets
from linocut.lora_files.tensors import Damaged, File, Tensor, read_file

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

NAMED = 5
"""So many keys are named in a refusal."""

MAX_RANK = 1024

_ROUNDING = 1e-6
"""Scales that differ by no more are the same: a tensor holds alpha in float32."""

_WRITERS = {
    "kohya": ("lora_unet_", "lora_transformer_", "lycoris_"),
    "peft": ("base_model.model.",),
    "comfyui": ("diffusion_model.", "model.diffusion_model."),
    "diffusers": ("transformer.", "unet."),
}
"""What the keys of a layout begin with."""


class Foreign(msgspec.Struct, frozen=True):
    """A LoRA that fits: one rank for all linears, every linear of the base.

    ``layout``: where the file comes from, for people. ``notes``: sentences about what was assumed or filled up.
    """

    factors: Factors
    layout: str
    notes: tuple[str, ...]

    def stored_bytes(self) -> bytes:
        """As a file of ours: the same as ``engine.adapters.file.adapter_bytes`` writes."""
        prefix = prefix_of(self.factors.metadata.family)
        tensors = {
            f"{prefix}{name}{suffix}": (tuple(value.shape), np.ascontiguousarray(value, "<f4").tobytes())
            for suffix, half in ((DOWN, self.factors.down), (UP, self.factors.up))
            for name, value in half.items()
        }
        return safetensors_bytes(tensors, header_metadata(self.factors.down, self.factors.metadata))


class _Pair(NamedTuple):
    """The two factors of one linear of the file, and what its part of the weight is multiplied with."""

    down_RI: Array
    up_OR: Array
    scale: float


def read_foreign(data: bytes, base: str, targets: Targets, *, alpha: float | None = None) -> Foreign:
    """``data``, a safetensors file from anybody, as an adapter on the base ``base`` (``family@hash``).

    ``targets``: the base's linears and their (I, O), as ``targets_in`` or ``Family.lora_targets`` tells them. ``alpha``
    is for a file that does not say its own (peft keeps it in another file); None: its rank, with a note.

    Linears that the file leaves out get zeros. Ranks that differ are filled up with zeros; scales that differ go into
    ``up``. Otherwise not a bit of a float32 factor changes. ``InvalidRequest`` for a file that is damaged, no LoRA of
    plain linears, or another base's: with the keys that do not fit.
    """
    family = base.partition("@")[0]
    try:
        file = read_file(data)
    except Damaged as wrong:
        raise InvalidRequest(f"The LoRA file cannot be read: {wrong}. Upload it again.", field="file") from wrong
    names = authors_names(family, targets)
    halves, alphas = _sorted_out(file, _known_by_every_name(names, targets))
    found, silent = _pairs(file, halves, alphas, alpha)
    split: dict[str, _Pair] = {}
    for module, pair in found.items():
        members = names.get(module, (module,))
        for name, part in zip(members, _split(pair, len(members)), strict=True):
            if name in split:
                _refuse(f"it holds the factors of {name} twice, under two names")
            split[name] = part
    _check_shapes(split, targets)
    factors = _alike(split, targets, base, _own_alpha(file))
    return Foreign(factors, _layout_of(file), tuple(_notes(split, targets, silent)))


def _known_by_every_name(names: Names, targets: Targets) -> dict[str, str]:
    """How a linear may be spelled -> its name, the authors' or the library's."""
    known: dict[str, str] = {}
    for name in (*targets, *names):
        for spelled in (name, name.replace(".", "_"), name.removesuffix(".0") if name.endswith("to_out.0") else name):
            known.setdefault(spelled, name)
    return known


def _sorted_out(file: File, known: Mapping[str, str]) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
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
            _refuse(f"it holds the {half} of {module} twice, under two names")
        into[module if half == "alpha" else half] = key
    if strangers:
        _refuse(
            f"{len(strangers)} of its {len(file.tensors)} keys fit no linear of this base: {_listed(strangers)}",
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


def _pairs(
    file: File, halves: Mapping[str, Mapping[str, str]], alphas: Mapping[str, str], given: float | None
) -> tuple[dict[str, _Pair], bool]:
    """Each linear's factors with their scale, and whether alpha is the rank because nobody says it."""
    ours, stated = _own(file), _stated_alphas(file)
    found: dict[str, _Pair] = {}
    silent = False
    lonely = sorted({*alphas, *halves} - {module for module, half in halves.items() if len(half) == 2})
    if lonely or not halves:
        _refuse(f"{_listed(lonely)} have only one of their two factors" if lonely else "it holds no LoRA factors")
    for module, keys in halves.items():
        down_RI, up_OR = _matrix(keys["down"], file.tensors), _matrix(keys["up"], file.tensors)
        rank = down_RI.shape[0]
        if up_OR.shape[1] != rank or not 1 <= rank <= MAX_RANK:
            _refuse(f"the factors of {module} have the ranks {rank} and {up_OR.shape[1]}, not one of 1 to {MAX_RANK}")
        if module in alphas:
            scale: float | None = _alpha(alphas[module], file.tensors) / rank
        elif ours is not None:  # whatever the layout: a linear that stands for three has three times the rank
            scale = ours.alpha / ours.rank
        else:
            value = stated.get(module, stated.get("", given))
            scale = None if value is None else value / rank
        silent |= scale is None
        found[module] = _Pair(down_RI, up_OR, 1.0 if scale is None else scale)
    return found, silent


def _matrix(key: str, tensors: Mapping[str, Tensor]) -> Array:
    try:
        values = tensors[key].values()
    except Damaged as wrong:
        _refuse(f"its tensor {key!r} {wrong}")
    while values.ndim > 2 and values.shape[-1] == 1:  # a linear that was trained as a convolution of one pixel
        values = values[..., 0]
    if values.ndim != 2 or not values.size:
        _refuse(f"its tensor {key!r} has the shape {list(values.shape)}, and a factor of a linear has two sides")
    return values


def _alpha(key: str, tensors: Mapping[str, Tensor]) -> float:
    try:
        values = tensors[key].values()
    except Damaged as wrong:
        _refuse(f"its tensor {key!r} {wrong}")
    if values.size != 1 or not float(values.reshape(-1)[0]) > 0:
        _refuse(f"its tensor {key!r} must be one number above 0")
    return float(values.reshape(-1)[0])


def _stated_alphas(file: File) -> dict[str, float]:
    """What the library's part of the header says of alpha, by linear; "" for all that are not named. ``InvalidRequest``
    for numbers that make no sense."""
    try:
        library = dict(json.loads(file.metadata.get("lora_adapter_metadata", "{}")))
    except (ValueError, TypeError, RecursionError):
        return {}
    stated: dict[str, Any] = {}
    for key, value in library.items():
        if key.rpartition(".")[2] == "lora_alpha":
            stated[""] = value
        elif key.rpartition(".")[2] == "alpha_pattern" and isinstance(value, dict):
            stated |= value
    for value in stated.values():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
            _refuse(f"its header states the alpha {value!r}, which must be a number above 0")
    return {name: float(value) for name, value in stated.items()}


def _own(file: File) -> AdapterMetadata | None:
    """Our own notes, if it is a file of ours in whatever layout."""
    try:
        ours = msgspec.json.decode(file.metadata.get(OURS, ""), type=AdapterMetadata)
    except (msgspec.DecodeError, RecursionError):
        return None
    return ours if ours.rank >= 1 and 0 < ours.alpha < 1e9 else None


def _own_alpha(file: File) -> float | None:
    ours = _own(file)
    return ours.alpha if ours else None


def _split(pair: _Pair, parts: int) -> Sequence[_Pair]:
    """The factors of linears that the file has as one. Blocks on a diagonal are taken apart again; else all parts look
    through the same ``down``."""
    if parts == 1:
        return [pair]
    rank, rows = pair.down_RI.shape[0], pair.up_OR.shape[0]
    if rows % parts:
        _refuse(f"a linear that stands for {parts} has {rows} outputs, which do not divide")
    ups = np.split(pair.up_OR, parts)
    if rank % parts == 0:
        each = rank // parts
        outside = [np.delete(up, np.s_[i * each : (i + 1) * each], axis=1) for i, up in enumerate(ups)]
        if not any(one.any() for one in outside):
            downs = np.split(pair.down_RI, parts)
            return [_Pair(downs[i], ups[i][:, i * each : (i + 1) * each], pair.scale) for i in range(parts)]
    return [_Pair(pair.down_RI, up, pair.scale) for up in ups]


def _check_shapes(found: Mapping[str, _Pair], targets: Targets) -> None:
    wrong = [
        f"{name} ({pair.down_RI.shape[1]} to {pair.up_OR.shape[0]}, not {targets[name][0]} to {targets[name][1]})"
        for name, pair in sorted(found.items())
        if (pair.down_RI.shape[1], pair.up_OR.shape[0]) != targets[name]
    ]
    if wrong:
        _refuse(
            f"{len(wrong)} of its {len(found)} linears have other sizes than this base's: {_listed(wrong)}",
            "It was trained on another base, perhaps another size of the same family.",
        )


def _alike(found: Mapping[str, _Pair], targets: Targets, base: str, own_alpha: float | None) -> Factors:
    """One rank and one alpha for all, as our files have."""
    rank = max(pair.down_RI.shape[0] for pair in found.values())
    scale = next(iter(found.values())).scale
    alike = all(isclose(pair.scale, scale, rel_tol=_ROUNDING) for pair in found.values())
    scale = scale if alike else 1.0
    alpha = scale * rank
    if own_alpha is not None and isclose(own_alpha, alpha, rel_tol=_ROUNDING):
        alpha = own_alpha
    down: dict[str, Array] = {}
    up: dict[str, Array] = {}
    for name, (features_in, features_out) in sorted(targets.items()):
        down[name], up[name] = np.zeros((rank, features_in), "<f4"), np.zeros((features_out, rank), "<f4")
        if pair := found.get(name):
            own = pair.down_RI.shape[0]
            down[name][:own] = pair.down_RI
            up[name][:, :own] = pair.up_OR if alike else pair.up_OR * np.float32(pair.scale)
    return Factors(down, up, AdapterMetadata(base, rank, alpha))


def _layout_of(file: File) -> str:
    """What wrote the file, as far as its keys tell."""
    for layout, beginnings in _WRITERS.items():
        if any(key.startswith(beginnings) for key in file.tensors):
            return layout
    return "plain"


def _notes(found: Mapping[str, _Pair], targets: Targets, silent: bool) -> list[str]:
    notes = []
    if silent:
        notes.append("The LoRA file does not say its alpha; it was taken to be the rank, so the LoRA counts in full.")
    if len(found) < len(targets):
        notes.append(f"The LoRA covers {len(found)} of the base's {len(targets)} linears; the others stay as they are.")
    return notes


def _listed(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    shown = ", ".join(name if len(name) <= 120 else f"{name[:117]}..." for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def _refuse(why: str, way_out: str = "Export it again, or use another one.") -> NoReturn:
    raise InvalidRequest(f"The LoRA file does not fit: {why}. {way_out}", field="file")
