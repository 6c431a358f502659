"""What of a base fits on a device, before anything is loaded. Pure: sizes in; a plan with figures out, or a refusal.

A plan names the precision of the weights, where the text tower lives (or that a training gives it back), in how many
tiles a picture is decoded, how many images share a pass, and whether training computes its blocks again in the backward
pass. At any moment the device holds what is resident, and one pass.
"""

from collections.abc import Iterator
from itertools import product
from typing import Literal

import msgspec

from linocut.bases.sizes import BaseSizes, Part
from linocut.errors import TooLarge

Precision = Literal["bf16", "fp32", "fp8", "nf4"]
TowerPlace = Literal["device", "host", "released"]
Purpose = Literal["both", "serving", "training"]

GIB = 1 << 30
CONTEXT_BYTES = 600_000_000
"""What a GPU's own libraries hold of it, kernels and their workspaces. An estimate; it has not been measured here."""

RANK_COPIES = 2
"""Of an adapter on each further device that learns: weights and gradients (decision 0037)."""
BLOCKS_TOGETHER = 2
"""Of a divided network, in full at one time: the block at work, and the next one on its way."""

STATE_COPIES, HOST_STATE_COPIES = 5, 14
"""Of an adapter, in float32, while a step is taken: weights, gradients, two moments, the average. Where the device is
the host's memory, a checkpoint on its way to the disk lies there too (``engine/memory.py``)."""

IMAGES = (4, 2, 1)
TILES = (1, 2, 4)
TILE_OVERLAP = 1.5
"""A tile and its margin against its share of the picture."""


class Passes(msgspec.Struct, frozen=True):
    """What one forward pass holds at its worst, in bytes, at the base's native size and in ``value_bytes`` wide values:
    a text of full length, one image's guided step, a picture decoded whole, one sample's training step with all
    activations kept, and with blocks computed again; a picture encoded. What each picture that is looked at adds:
    ``reference`` to a guided step, ``seen`` to reading a text."""

    value_bytes: int
    text: int
    denoise: int
    decode: int
    train: int
    train_again: int
    encode: int = 0
    reference: int = 0
    seen: int = 0


class Wishes(msgspec.Struct, frozen=True):
    """What is to be done with it. ``precisions``: those that can be had here, the best first; ``tower`` None: where it
    fits. ``beside``: bytes for the cache of adapters, and for tools. ``lora_values``: of one adapter of the base's own
    rank. ``on_host``: the device's memory is the machine's. ``devices``: how many learn together; ``divided``: each
    keeps a part of the denoising network. ``references``: how many pictures the base looks at while it draws one, at
    most."""

    purpose: Purpose
    precisions: tuple[Precision, ...]
    tower: TowerPlace | None
    beside: int
    lora_values: int
    on_host: bool
    devices: int = 1
    divided: bool = False
    references: int = 0

    @property
    def parts(self) -> int:
        """Into how many parts the denoising network is divided."""
        return self.devices if self.divided else 1


class Row(msgspec.Struct, frozen=True):
    """One line of a plan: what, and its bytes on the device."""

    what: str
    bytes: int


class Plan(msgspec.Struct, frozen=True):
    """How a base is loaded and run. ``rows``: what is resident; ``passes``: the worst of each kind of pass, one of
    which runs at a time. ``second_on_host``: a second denoising network, which training needs for its previews
    only, lives on the host and visits the device block by block. ``references``: how many pictures may be looked at
    while one is drawn, ``of_references`` that the base takes."""

    purpose: Purpose
    precision: Precision
    tower: TowerPlace
    second_on_host: bool
    recompute: bool
    tiles: int
    images: int
    rows: tuple[Row, ...]
    passes: tuple[Row, ...]
    device_bytes: int
    references: int = 0
    of_references: int = 0

    @property
    def resident_bytes(self) -> int:
        """What is there all the time."""
        return sum(row.bytes for row in self.rows)

    @property
    def weights_bytes(self) -> int:
        """The networks alone."""
        return sum(row.bytes for row in self.rows if row.what.startswith(WEIGHTS))

    @property
    def pass_bytes(self) -> int:
        """The worst pass."""
        return max(row.bytes for row in self.passes)

    @property
    def bytes(self) -> int:
        """The peak."""
        return self.resident_bytes + self.pass_bytes

    @property
    def spare_bytes(self) -> int:
        """What is left of the device at the peak."""
        return self.device_bytes - self.bytes


WEIGHTS = "weights: "


def part_bytes(part: Part, precision: Precision, *, keeps_half: bool = False) -> int:
    """The bytes of a network's weights. Quantised are the linears inside its blocks: fp8 with a float32 scale a row,
    nf4 with one for 64 values and its table of 16. ``keeps_half``: the part is never quantised."""
    if precision == "fp32":
        return 4 * part.values
    if precision == "bf16" or keeps_half:
        return 2 * part.values
    if precision == "fp8":
        return part.linear + 4 * part.rows + 2 * part.rest
    return part.linear // 2 + 4 * (part.linear // 64) + 64 * part.linears + 2 * part.rest


def plan_for(name: str, sizes: BaseSizes, passes: Passes, device_bytes: int, wishes: Wishes) -> Plan:
    """The best plan that fits: the widest precision, then the tower on the device, then the quickest passes.

    ``TooLarge`` where none does, with what it would take at least, and what would fit instead.
    """
    smallest: Plan | None = None
    for plan in _candidates(sizes, passes, device_bytes, wishes):
        if plan.bytes <= device_bytes:
            return plan
        if smallest is None or plan.bytes < smallest.bytes:
            smallest = plan
    assert smallest is not None, "a wish names at least one precision"
    raise TooLarge(_refusal(name, smallest, sizes, passes, wishes))


def told(plan: Plan, name: str) -> str:
    """A plan in lines, for a person."""
    rows = [
        *plan.rows,
        Row(f"one pass at its worst ({max(plan.passes, key=lambda row: row.bytes).what})", plan.pass_bytes),
    ]
    lines = [f"{name}: {plan.precision}, {_purpose(plan.purpose)}, {_how(plan)}"]
    lines += [f"  {_gib(row.bytes):>10}  {row.what}" for row in rows]
    lines.append(f"  {_gib(plan.bytes):>10}  in all, of {_gib(plan.device_bytes)} on this device")
    return "\n".join(lines)


def _candidates(sizes: BaseSizes, passes: Passes, device_bytes: int, wishes: Wishes) -> Iterator[Plan]:
    towers: tuple[TowerPlace, ...] = (wishes.tower,) if wishes.tower else ("device", "host")
    if wishes.on_host:  # there is no other place: it is there, or given back while nobody reads
        may = wishes.purpose == "training" and wishes.tower is None
        towers = ("device", "released") if may else ("released",) if wishes.tower == "released" else ("device",)
    second: tuple[bool, ...] = (False, True) if wishes.purpose == "training" and len(sizes.networks) > 1 else (False,)
    if wishes.on_host:
        second = (False,)
    again = (False,) if wishes.purpose == "serving" else (False, True)
    # A training looks at nothing, and a base that was made to look keeps one picture.
    looked = range(wishes.references, 0, -1) if wishes.references and wishes.purpose != "training" else (0,)
    for precision, tower, away, count, recompute, tiles, images in product(
        wishes.precisions, towers, second, looked, again, TILES, IMAGES
    ):
        rows = _rows(sizes, precision, tower, away, wishes)
        peaks = _peaks(sizes, passes, (precision, tower, away), (recompute, tiles, images, count), wishes)
        yield Plan(
            wishes.purpose, precision, tower, away, recompute, tiles, images, rows, peaks, device_bytes, count,
            looked[0],
        )  # fmt: skip


def _rows(
    sizes: BaseSizes, precision: Precision, tower: TowerPlace, second_on_host: bool, wishes: Wishes
) -> tuple[Row, ...]:
    networks = sizes.networks[:1] if second_on_host else sizes.networks
    several = f", {len(networks)} of them" if len(networks) > 1 else ""
    part_of = f", one part of {wishes.parts}" if wishes.divided else ""
    network = sum(part_bytes(part, precision) for part in networks) // wishes.parts
    found = [Row(f"{WEIGHTS}denoising network{several}{part_of}", network)]
    if tower == "device":
        found.append(Row(f"{WEIGHTS}text tower", sum(part_bytes(part, precision) for part in sizes.towers)))
    coders = sum(part_bytes(part, precision, keeps_half=True) for part in sizes.autoencoders)
    found.append(Row(f"{WEIGHTS}autoencoder", coders))
    if not wishes.on_host:
        found.append(Row("the GPU's own libraries", CONTEXT_BYTES))
    if wishes.beside:
        found.append(Row("adapters and tools", wishes.beside))
    if wishes.purpose != "serving":
        copies = HOST_STATE_COPIES if wishes.on_host else STATE_COPIES
        found.append(Row("the state of a training", 4 * copies * wishes.lora_values))
        if wishes.devices > 1 and wishes.on_host:  # they are processes in the same memory
            each = network + coders + 4 * RANK_COPIES * wishes.lora_values
            found.append(
                Row(f"{wishes.devices - 1} more that learn, their weights and adapters", (wishes.devices - 1) * each)
            )
        elif wishes.devices > 1:
            found.append(Row("a gradient of another device", 4 * wishes.lora_values))
    return tuple(found)


def _peaks(
    sizes: BaseSizes,
    passes: Passes,
    lives: tuple[Precision, TowerPlace, bool],
    how: tuple[bool, int, int, int],
    wishes: Wishes,
) -> tuple[Row, ...]:
    (precision, tower, second_on_host), (recompute, tiles, images, count) = lives, how
    wider = 4 if precision == "fp32" else 2
    scale = wider / passes.value_bytes
    # A quantised linear is widened for its matmul, one at a time.
    widened = 2 * max(part.widest for part in sizes.networks) if precision in ("fp8", "nf4") else 0
    visits = 2 * max((part.block for part in sizes.towers), default=0) if tower != "device" else 0
    if tower == "released" and wishes.on_host:
        visits = sum(part_bytes(part, precision) for part in sizes.towers)
    visit = 2 * sizes.networks[-1].block if second_on_host else 0
    together = BLOCKS_TOGETHER * wider * max(part.block for part in sizes.networks) if wishes.divided else 0
    drawn = round(passes.denoise * images * scale)
    decoded = passes.decode if tiles == 1 else passes.decode * TILE_OVERLAP / tiles**2
    read = passes.text + passes.seen * count
    found = [
        Row("reading a text" + _with(count if passes.seen else 0), round(read * scale) + visits),
        Row("encoding a picture", round(passes.encode * scale)),
        Row("decoding a picture", round(decoded * scale)),
        Row("drawing" if images == 1 else f"drawing {images} images", drawn + widened + visit + together),
    ]
    if count:
        beside = round((passes.denoise + passes.reference * count) * scale)
        found.append(Row("drawing an image" + _with(count), beside + widened + visit + together))
    if wishes.purpose != "serving":
        step = round((passes.train_again if recompute else passes.train) * scale) + widened + together
        at_once = wishes.devices if wishes.on_host else 1
        found.append(Row("a training step" if at_once == 1 else f"{at_once} training steps at once", at_once * step))
    return tuple(found)


def _with(references: int) -> str:
    if not references:
        return ""
    return f" with {references} reference {_pictures(references)}"


def _fewer(plan: Plan) -> str:
    if plan.references == plan.of_references:
        return ""
    narrower = {"bf16": "fp8", "fp8": "nf4"}.get(plan.precision)
    more = f"; LINOCUT_PRECISION={narrower} leaves more" if narrower else ""
    return f" (it takes {plan.of_references}, for which there is no room{more})"


def _pictures(count: int) -> str:
    return "picture" if count == 1 else "pictures"


def _refusal(name: str, smallest: Plan, sizes: BaseSizes, passes: Passes, wishes: Wishes) -> str:
    rows = "; ".join(f"{row.what} {_gib(row.bytes)}" for row in smallest.rows)
    said = (
        f"{name} does not fit on this device: {_purpose(smallest.purpose)} in {smallest.precision} takes "
        f"{_gib(smallest.bytes)} at least ({rows}; one pass {_gib(smallest.pass_bytes)}), and "
        f"{_gib(smallest.device_bytes)} are there."
    )
    ways = _ways_out(sizes, passes, smallest.device_bytes, wishes)
    if not ways:
        return f"{said} Nothing of it fits here; take a smaller base (linocut bases list)."
    return f"{said} What would fit: {'; '.join(ways)}."


def _ways_out(sizes: BaseSizes, passes: Passes, device_bytes: int, wishes: Wishes) -> list[str]:
    """What would fit instead, for each purpose the widest precision, with the settings that ask for it."""
    purposes: tuple[Purpose, ...] = ("both", "serving", "training") if wishes.purpose == "both" else (wishes.purpose,)
    precisions: tuple[Precision, ...] = wishes.precisions if wishes.on_host else ("bf16", "fp8", "nf4")
    found = []
    for purpose in purposes:
        for precision in precisions:
            other = msgspec.structs.replace(wishes, precisions=(precision,), purpose=purpose, tower=None)
            size = min(plan.bytes for plan in _candidates(sizes, passes, device_bytes, other))
            if size <= device_bytes:
                extra = "" if precision in wishes.precisions or precision == "bf16" else _EXTRA
                how = f"LINOCUT_PRECISION={precision} LINOCUT_PURPOSE={purpose}"
                found.append(f"{_purpose(purpose)} in {precision} ({_gib(size)}): {how}{extra}")
                break
    return found


_EXTRA = ", after pip install 'linocut[quantised]'"


def _purpose(purpose: str) -> str:
    return {"both": "to serve and train", "serving": "to serve alone", "training": "to train alone"}[purpose]


def _how(plan: Plan) -> str:
    images = "image" if plan.images == 1 else "images"
    tower = "given back once the captions are read" if plan.tower == "released" else f"on the {plan.tower}"
    said = [f"text tower {tower}", f"{plan.images} {images} a pass"]
    if plan.references:
        said.append(f"{plan.references} reference {_pictures(plan.references)} at once{_fewer(plan)}")
    if plan.second_on_host:
        said.append("the second network on the host")
    if plan.tiles > 1:
        said.append(f"decoded in {plan.tiles}x{plan.tiles} tiles")
    if plan.purpose != "serving":
        said.append("training recomputes its blocks" if plan.recompute else "training keeps its activations")
    return ", ".join(said)


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB" if size >= GIB / 10 else f"{size / (1 << 20):.1f} MiB"
