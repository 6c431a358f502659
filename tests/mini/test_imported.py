"""A LoRA that went out in any layout and came back draws the byte-equal picture; another LoRA does not."""

from datetime import UTC, datetime

import numpy as np
from tests.mini.test_mini_editing import Mini

from linocut.bases import MINI
from linocut.files import sha256_hex
from linocut.lora_files.foreign import Foreign, read_foreign
from linocut.lora_files.layouts import Factors, in_layout
from linocut.lora_files.metadata import About
from linocut.lora_files.stored import AdapterMetadata
from linocut.lora_files.targets import targets_in
from linocut.orders import AdapterRef, GenerateOrder

ABOUT = About("House style", datetime(2026, 11, 28, tzinfo=UTC))
TARGETS = targets_in(MINI, "ideogram4")


def adapter(mini: Mini, seed: int) -> bytes:
    """Random factors on every linear, strong enough to be seen."""
    draw = np.random.default_rng(seed)
    down = {name: 0.2 * draw.standard_normal((4, i), "f4") for name, (i, _) in TARGETS.items()}
    up = {name: 0.2 * draw.standard_normal((o, 4), "f4") for name, (_, o) in TARGETS.items()}
    return Foreign(Factors(down, up, AdapterMetadata(mini.base.identity, 4, 6.0)), "", ()).stored_bytes()


def order(mini: Mini, file: bytes) -> GenerateOrder:
    mini.blobs[sha256_hex(file)] = file
    return GenerateOrder(
        base=mini.base.identity, organization_id="o", caption=mini.said("a yellow star").caption, width=128, height=128,
        output_width=128, output_height=128, seeds=(3,), sampling=mini.base.sampling["FLASH"],
        adapter=AdapterRef(sha256=sha256_hex(file), size_bytes=len(file)),
    )  # fmt: skip


def test_each_layout_comes_back_and_draws_the_same(mini: Mini) -> None:
    ours = adapter(mini, 1)
    back = [
        read_foreign(in_layout(ours, layout, ABOUT), mini.base.identity, TARGETS).stored_bytes()
        for layout in ("diffusers", "comfyui", "kohya")
    ]
    assert back == [ours] * 3
    first = order(mini, ours)
    changed = order(mini, adapter(mini, 2))
    pictures = [mini.draw([one])[0] for one in (first, order(mini, back[2]), changed)]
    assert (pictures[0] == pictures[1]).all()
    assert np.abs(pictures[0] - pictures[2]).mean() > 5, "another LoRA draws another picture"
