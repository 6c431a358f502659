"""Eight operations at once, mixed and each with a custom model of its own, beside eight alike with one model.

Mixed: three generates, three remixes, two inpaints, each with another adapter of rank 16. Alike: eight remixes with one
adapter. All eight are in the engine at once; the same steps, sizes and captions; from the first admission to the last
event, adapters read from their files each time. The median ratio of five alternating pairs, by the clock and by
processor time; at most 1.15 is allowed. Run by ``make bench``; writes mixed_operations.md beside this file.

A remix costs what it does beside a generate (editing.md): its picture is laid out and encoded. So the eight alike are
the operation that costs most, and what is left of a ratio is what mixing costs.
"""

import time
from pathlib import Path
from statistics import median

import msgspec
import torch
from editing import Orders, Seconds
from load import where

from linocut.engine.adapters.apply import Adapter
from linocut.engine.adapters.file import adapter_bytes
from linocut.files import sha256_hex
from linocut.lora_files.stored import AdapterMetadata
from linocut.orders import AdapterRef, GenerateOrder, Last

TOGETHER, RANK, PAIRS, MOST_RATIO = 8, 16, 5, 1.15


def adapters(orders: Orders) -> list[AdapterRef]:
    """As many random adapters as orders, stored."""
    made = []
    for seed in range(TOGETHER):
        random = torch.Generator().manual_seed(seed)
        shapes = orders.family.lora_targets()
        down = {name: torch.randn(RANK, into, generator=random) * 0.02 for name, (into, _) in shapes.items()}
        up = {name: torch.randn(out, RANK, generator=random) * 0.02 for name, (_, out) in shapes.items()}
        data = adapter_bytes(
            Adapter(down=down, up=up, scale=1.0, sha256=""),
            AdapterMetadata(base=orders.base.identity, rank=RANK, alpha=RANK),
        )
        orders.blobs[sha256_hex(data)] = data
        made.append(AdapterRef(sha256=sha256_hex(data), size_bytes=len(data)))
    return made


def seconds(orders: Orders, eight: list[GenerateOrder]) -> Seconds:
    """All of them, from the first admission to the last event."""
    began, spent = time.perf_counter(), time.process_time()
    for number, order in enumerate(eight):
        orders.engine.admit(f"o{number}", order, orders.blobs.__getitem__, Path())
    while orders.engine.busy():
        for event in orders.engine.step():
            if isinstance(event, Last) and not type(event).__name__.startswith("Generate"):
                raise SystemExit(f"an order failed: {event}")
    return time.perf_counter() - began, time.process_time() - spent


def main() -> None:
    orders = Orders()
    own = adapters(orders)
    speed = {"sampling": orders.base.sampling["TURBO"]}
    kinds = [msgspec.structs.replace(one, **speed) for one in (orders.generate, orders.remix, orders.inpaint)]
    mixed = [
        msgspec.structs.replace(kinds[number % 3], adapter=own[number], seeds=(number,)) for number in range(TOGETHER)
    ]
    alike = [msgspec.structs.replace(kinds[1], adapter=own[0], seeds=(number,)) for number in range(TOGETHER)]
    found = []
    for pair in range(PAIRS + 1):
        one, other = seconds(orders, alike), seconds(orders, mixed)
        if pair:  # the first warms up
            found.append((other[0] / one[0], other[1] / one[1]))
    clock, processor = (median(ratio[way] for ratio in found) for way in (0, 1))
    spread = " ".join(f"{ratio[0]:.2f}" for ratio in found)
    lines = [
        "# Eight operations at once, each with a model of its own", "",
        f"Mixed with eight adapters beside eight remixes with one: **{clock:.2f}** by the clock, {processor:.2f} by "
        f"processor time (at most {MOST_RATIO}); pairs by the clock: {spread}.", "",
        f"Mini, rank {RANK}, TURBO. {where('mixed_operations.py')}",
    ]  # fmt: skip
    (Path(__file__).with_suffix(".md")).write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
