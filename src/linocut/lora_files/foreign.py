"""A LoRA from anybody, matched to a base: recognised by its keys, taken whole or refused with the keys that do not fit.

Layouts: the library's (diffusers, old and new), peft's, ComfyUI's and the authors' names, kohya's (sd-scripts,
musubi-tuner), and mixtures of their prefixes and endings, as they are found in the world.

Shapes: R rank, I input and O output features of a linear.
"""

import re
from collections.abc import Mapping

import msgspec
import numpy as np

from linocut.errors import InvalidRequest
from linocut.lora_files.fitting import check_shapes, check_size, made_alike
from linocut.lora_files.keys import known_by_every_name, layout_of, sorted_out
from linocut.lora_files.layouts import Factors
from linocut.lora_files.metadata import TRIGGER
from linocut.lora_files.names import authors_names
from linocut.lora_files.pairs import Pair, own_notes, pairs_in, taken_apart
from linocut.lora_files.refusal import refuse
from linocut.lora_files.stored import DOWN, UP, AdapterMetadata, header_metadata, prefix_of, safetensors_bytes
from linocut.lora_files.targets import Targets
from linocut.lora_files.tensors import Damaged, File, OtherFormat, read_file

LONGEST_TRIGGER = 200


class Foreign(msgspec.Struct, frozen=True):
    """A LoRA that fits: one rank for all linears, every linear of the base.

    ``layout``: where the file comes from, for people. ``notes``: sentences about what was assumed or filled up.
    ``trigger``: the words that call it, as its header says; "" for none.
    """

    factors: Factors
    layout: str
    notes: tuple[str, ...]
    trigger: str = ""

    def stored_bytes(self) -> bytes:
        """As a file of ours: the same as ``engine.adapters.file.adapter_bytes`` writes."""
        prefix = prefix_of(self.factors.metadata.family)
        tensors = {
            f"{prefix}{name}{suffix}": (tuple(value.shape), np.ascontiguousarray(value, "<f4").tobytes())
            for suffix, half in ((DOWN, self.factors.down), (UP, self.factors.up))
            for name, value in half.items()
        }
        return safetensors_bytes(tensors, header_metadata(self.factors.down, self.factors.metadata))


def read_foreign(
    data: bytes | memoryview,
    base: str,
    targets: Targets,
    *,
    alpha: float | None = None,
    most_bytes: int | None = None,
) -> Foreign:
    """``data``, a safetensors file from anybody, as an adapter on the base ``base`` (``family@hash``).

    ``targets``: the base's linears and their (I, O), as ``targets_in`` or ``Family.lora_targets`` tells them. ``alpha``
    is for a file that does not say its own (peft keeps it in another file); None: its rank, with a note.
    ``most_bytes``: how large it may be as a file of ours, looked at before anything of that size is made.

    Linears that the file leaves out get zeros. Ranks that differ are filled up with zeros; scales that differ go into
    ``up``. Otherwise not a bit of a float32 factor changes. ``InvalidRequest`` for a file that is damaged, no LoRA of
    plain linears, or another base's: with the keys that do not fit.
    """
    family = base.partition("@")[0]
    try:
        file = read_file(data)
    except OtherFormat as other:
        way_out = "Save it as safetensors with the program that made it, or use another file."
        if bytes(data[:23]) == b"version https://git-lfs":
            way_out = "Fetch the file itself (git lfs pull) and send that."
        raise InvalidRequest(f"The LoRA file cannot be read: {other}. {way_out}", field="file") from other
    except Damaged as wrong:
        if (start := bytes(data[:8])).isascii() and 0 not in start and len(start) == 8:  # text, and no header's length
            sentence = "The LoRA file is no safetensors file: choose the one that its program saved as .safetensors."
            raise InvalidRequest(sentence, field="file") from wrong
        raise InvalidRequest(f"The LoRA file cannot be read: {wrong}. Upload it again.", field="file") from wrong
    names = authors_names(family, targets)
    halves, alphas = sorted_out(file, known_by_every_name(names, targets))
    found, mute = pairs_in(file, halves, alphas, alpha)
    split: dict[str, Pair] = {}
    for module, pair in found.items():
        members = names.get(module, (module,))
        for name, part in zip(members, taken_apart(pair, len(members)), strict=True):
            if name in split:
                refuse(f"it holds the factors of {name} twice, under two names")
            split[name] = part
    check_shapes(split, targets)
    check_size(split, targets, most_bytes)
    own = own_notes(file)
    factors = made_alike(split, targets, base, own.alpha if own else None)
    notes = (*_of_alpha(alpha, mute), *_of_linears(split, targets), *_of_its_base(own, base))
    return Foreign(factors, layout_of(file), notes, _trigger(file))


def _trigger(file: File) -> str:
    """ModelSpec's trigger phrase, where it is one: a short text on one line."""
    said = file.metadata.get(TRIGGER, "").strip()
    return said if said.isprintable() and len(said) <= LONGEST_TRIGGER else ""


def _of_alpha(given: float | None, mute: bool) -> list[str]:
    if mute and given is None:
        return ["The LoRA file does not say its alpha; it was taken to be the rank, so the LoRA counts in full."]
    if given is not None and not mute:
        return [f"The LoRA file says its own alpha, so the alpha {given:g} that was sent has no effect."]
    return []


def _of_linears(found: Mapping[str, Pair], targets: Targets) -> list[str]:
    if len(found) == len(targets):
        return []
    return [f"The LoRA covers {len(found)} of the base's {len(targets)} linears; the others stay as they are."]


def _of_its_base(ours: AdapterMetadata | None, base: str) -> list[str]:
    """What a file of ours says of its base, where that is another one whose linears are the same."""
    if ours is None or ours.base == base:
        return []
    theirs = ours.base if re.fullmatch(r"[a-z0-9_]{1,32}@[0-9a-f]{8,64}", ours.base) else "another base"
    return [f"The LoRA was trained on {theirs}, and this server draws with {base}; it may draw less well here."]
