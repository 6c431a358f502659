"""What a pass holds at its worst, found without weights: the family's own code, run on the device ``meta``.

Every storage that an operation makes is counted as long as it is alive, backward passes too. Attention is one operation
there, as the kernels are that devices have for it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from linocut.bases import Base, Sampling
from linocut.bases.plan import Passes
from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.family import Family, load_family
from linocut.engine.families.items import Item, Look, Reference, Size, Text
from linocut.engine.pass_memory import _tensors, _weak
from linocut.sizes import native_size

META = torch.device("meta")
GUIDED = 2.0
PLANNED_TOKENS = 512
"""A long caption; a base that reads longer ones takes a little more for them."""


class Peak(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The bytes of the storages that operations make inside, at the moment at which they are the most: ``bytes``."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0
        self._made: dict[int, tuple[Any, int]] = {}
        self._held = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One operation: what it makes is counted, but for what lies in the storage of one of its arguments."""
        given = {tensor.untyped_storage()._cdata for tensor in _tensors([*args, *(kwargs or {}).values()])}
        result = func(*args, **(kwargs or {}))
        for tensor in _tensors(result):
            storage = tensor.untyped_storage()
            if storage._cdata not in given and storage._cdata not in self._made:
                self._made[storage._cdata] = _weak(storage), storage.nbytes()
                self._held += storage.nbytes()
        if self._held > self.bytes:
            self._made = {key: kept for key, kept in self._made.items() if not kept[0].expired()}
            self._held = sum(size for _, size in self._made.values())
            self.bytes = max(self.bytes, self._held)
        return result


class _Attention(torch.autograd.Function):
    """Attention in one piece: its output, and what its backward pass keeps."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        output = query.new_empty(*query.shape[:-1], value.shape[-1])
        ctx.save_for_backward(query, key, value, output, query.new_empty(query.shape[:-1], dtype=torch.float32))
        return output

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value, *_ = ctx.saved_tensors
        return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)


def _whole_attention(query: Tensor, key: Tensor, value: Tensor, *_options: Any, **_named: Any) -> Any:
    attention: Any = _Attention
    return attention.apply(query, key, value)


def measured_passes(base: Base, folder: Path, dtype: torch.dtype) -> Passes:
    """The passes of the base in ``folder`` in ``dtype``, at its native size, without its weights."""
    family = load_family(base.family, folder, META, dtype)
    return passes_of(family, base, META, dtype)


def passes_of(family: Family, base: Base, on: torch.device, dtype: torch.dtype) -> Passes:
    """The same of a family that is loaded on ``on``; on another device than ``meta`` the passes are really run."""
    works = native_passes(family, base, on)
    return Passes(
        value_bytes=dtype.itemsize,
        text=text_bytes(family, min(base.max_text_tokens, PLANNED_TOKENS), dtype),
        **{name: peak_of(work, on) for name, work in works.items()},
        train=peak_of(lambda: learn(family, base, on, again=False), on),
        **_of_references(family, base, on, dtype),
    )


def _of_references(family: Family, base: Base, on: torch.device, dtype: torch.dtype) -> dict[str, int]:
    """What a picture that is looked at adds, where any is: a share of what the most of them add."""
    if not base.takes_references:
        return {}
    most, seen = base.max_references, looked_at(family, base).text
    bare, beside = (peak_of(lambda count=count: guided(family, base, on, count), on) for count in (0, most))  # type: ignore[misc]
    added = {"reference": (beside - bare) // most}
    return added if seen is None else {**added, "seen": picture_bytes(family, seen, dtype)}


def native_passes(family: Family, base: Base, on: torch.device) -> dict[str, Callable[[], object]]:
    """The passes at the base's native size, to be run: a guided step, encoding and decoding a picture, a training step
    that recomputes."""
    width, height = _native(base)
    grid = family.grid(width, height)
    latents = torch.zeros(family.latent_shape(grid), device=on)
    pixels = torch.zeros(height, width, 3, dtype=torch.uint8, device=on)
    return {
        "denoise": lambda: guided(family, base, on, 0),
        "encode": lambda: family.encode_images([pixels]),
        "decode": lambda: family.decode([latents], [grid]),
        "train_again": lambda: learn(family, base, on, again=True),
    }


def guided(family: Any, base: Base, on: torch.device, references: int) -> object:
    """A guided step of one image at the base's native size that looks at so many pictures."""
    width, height = _native(base)
    grid = family.grid(width, height)
    latents = torch.zeros(family.latent_shape(grid), device=on)
    words = min(base.max_text_tokens, PLANNED_TOKENS)
    seen: tuple[Reference, ...] = ()
    if references:
        look = looked_at(family, base)
        words += references * (seen_tokens(look.text) if look.text else 0)
        shown = family.grid(*look.network)
        seen = tuple(Reference(torch.zeros(family.latent_shape(shown), device=on), shown) for _ in range(references))
    text = text_like(family, words, on)
    guidance = max(speed.guidance for speed in base.sampling.values())
    sigma = family.plan(Sampling(steps=1, guidance=GUIDED), width, height).steps[0].sigma
    # Where the guidance runs the network again on an empty text, that one is as long here: nothing is read for it.
    negative = text if family.takes_negative_text and not hasattr(family, "unconditional") else None
    if on.type == "meta" and not hasattr(family, "towers"):
        vars(family).update(_blank=text, _empty=text)  # what a family reads once by its tower, which reads nothing here
    return family.velocity([Item(latents, grid, sigma, text, None, guidance, negative, seen)])


def looked_at(family: Family, base: Base) -> Look:
    """At which size a picture is looked at that is as large as the base draws, or larger."""
    width, height = _native(base)
    return family.look(4 * width, 4 * height)


def _native(base: Base) -> tuple[int, int]:
    return native_size(base.native_pixels, base.native_pixels, base.native_pixels, base.size_multiple)


def learn(family: Family, base: Base, on: torch.device, *, again: bool) -> None:
    """One sample forward and backward through an adapter of the base's own rank."""
    side = native_size(base.training_pixels, base.training_pixels, base.training_pixels, base.size_multiple)
    grid = family.grid(*side)
    sample = torch.zeros(family.latent_shape(grid), device=on)
    text = text_like(family, min(base.max_text_tokens, PLANNED_TOKENS), on)
    adapter = blank_adapter(family, base.training.lora_rank, on)
    with torch.enable_grad():
        [velocity] = family.velocity_for_training([sample], grid, [0.5], [text], adapter, recompute=again)
        torch.autograd.backward(velocity.square().mean())


def peak_of(work: Callable[[], object], on: torch.device) -> int:
    """The most bytes that ``work`` holds beside what was there before."""
    with _attention_on(on), Peak() as peak, torch.no_grad():
        work()
    found: int = peak.bytes
    return found


@contextmanager
def _attention_on(on: torch.device) -> Iterator[None]:
    if on.type != "meta":
        yield
        return
    functional: Any = torch.nn.functional
    autocast, attention = torch.autocast, functional.scaled_dot_product_attention
    torch.autocast = _no_autocast  # type: ignore[assignment, misc]
    functional.scaled_dot_product_attention = _whole_attention
    try:
        yield
    finally:
        torch.autocast = autocast  # type: ignore[misc]
        functional.scaled_dot_product_attention = attention


def _no_autocast(*_options: Any, **_named: Any) -> Any:
    """The device knows none; what uses it here only turns it off."""
    return nullcontext()


def weights_of(family: Any) -> int:
    """The bytes of all weights that a loaded family holds."""
    seen: dict[int, int] = {}
    for value in vars(family).values():
        inside = list(vars(value).values()) if hasattr(value, "__dict__") else []
        for one in value if isinstance(value, list) else [value, *inside]:
            if isinstance(one, torch.nn.Module):
                seen |= {id(tensor): tensor.nbytes for tensor in one.parameters()}
    return sum(seen.values())


def text_like(family: Any, tokens: int, on: torch.device) -> Text:
    """A text of ``tokens`` tokens that means nothing, of the shape that the family's network reads."""
    if hasattr(family, "towers"):  # CLIP pools as well; its towers are small
        found: Text = family.encode_text([""])[0]
        return found
    features = torch.zeros(tokens, _text_width(family), device=on)
    return Text(tokens, {"features_TF": features})


def _text_width(family: Any) -> int:
    network = _network_of(family)
    for name in ("llm_features_dim", "joint_attention_dim", "cap_feat_dim", "cross_attention_dim"):
        if isinstance(width := getattr(network.config, name, None), int):
            return width
    raise ValueError(f"the network of {type(family).__name__} does not say how wide its texts are")


def _network_of(family: Any) -> Any:
    for name in ("transformer", "unet"):
        if (found := getattr(family, name, None)) is not None:
            return found
    return (getattr(family, "conditional", None) or family.network).transformer


def text_bytes(family: Any, tokens: int, dtype: torch.dtype) -> int:
    """About what the text tower holds while it reads ``tokens`` tokens: every layer's states, which are asked for, and
    one layer's own. A head is not asked."""
    held = 0
    for tower in getattr(family, "towers", None) or [family.text_encoder]:
        config = getattr(tower.config, "text_config", None) or tower.config
        wide = getattr(config, "intermediate_size", 4 * config.hidden_size)
        states = (config.num_hidden_layers + 8) * config.hidden_size + 3 * wide
        held = max(held, tokens * states * dtype.itemsize)
    return held


VISION_PATCH, MERGED = 14, 2
"""The side in pixels of what Qwen's vision towers take for a patch, and how many patches a side become a token."""


def seen_tokens(size: Size) -> int:
    """The tokens that stand for a picture of that size in a text."""
    return size[0] * size[1] // (VISION_PATCH * MERGED) ** 2


def picture_bytes(family: Any, size: Size, dtype: torch.dtype) -> int:
    """About what a picture of ``size`` adds to reading a text: to the states of the language model, or while the vision
    tower looks at it, whichever is more."""
    tokens, config = seen_tokens(size), family.text_encoder.config.vision_config
    values = 12 * config.hidden_size + 3 * config.intermediate_size
    return max(text_bytes(family, tokens, dtype), tokens * MERGED**2 * int(values) * dtype.itemsize)


def blank_adapter(family: Family, rank: int, on: torch.device) -> Adapter:
    """An adapter of zeros that gradients flow to."""
    targets = family.lora_targets()

    def zeros(*shape: int) -> Tensor:
        return torch.zeros(*shape, device=on, requires_grad=True)

    return Adapter(
        {name: zeros(rank, i) for name, (i, _) in targets.items()},
        {name: zeros(o, rank) for name, (_, o) in targets.items()},
        1.0,
        "",
    )
