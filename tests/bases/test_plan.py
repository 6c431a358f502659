"""What fits where, by arithmetic: published sizes, and the neighbours on which it does not."""

import msgspec
import pytest

from linocut.bases.known import catalogue
from linocut.bases.plan import GIB, Passes, Plan, Precision, Purpose, Wishes, part_bytes, plan_for, told
from linocut.bases.published import published
from linocut.bases.sizes import BaseSizes, Part, can_be_quantised
from linocut.bases.types import FAMILIES, TAKE_REFERENCES
from linocut.errors import TooLarge

BESIDE = (512 + 256) * (1 << 20)
"""The settings' own cache of adapters and room for tools."""
ALL: tuple[Precision, ...] = ("bf16", "fp8", "nf4")


def plan(name: str, gib: float, purpose: Purpose, precisions: tuple[Precision, ...] = ALL) -> Plan:
    found = published()[name]
    known = catalogue()[name]
    references = known.max_references if known.family in TAKE_REFERENCES else 0
    wishes = Wishes(purpose, precisions, None, BESIDE, found.lora_values, on_host=False, references=references)
    return plan_for(name, found.sizes, found.passes, round(gib * GIB), wishes)


FITS: list[tuple[str, float, Purpose, tuple[Precision, ...], Precision]] = [
    ("ideogram-4", 16, "training", ("nf4",), "nf4"),
    ("ideogram-4", 24, "training", ("fp8",), "fp8"),
    ("ideogram-4", 24, "serving", ALL, "fp8"),
    ("ideogram-4", 32, "both", ALL, "fp8"),
    ("ideogram-4", 80, "both", ALL, "bf16"),
    ("z-image-turbo", 12, "both", ALL, "fp8"),
    ("z-image", 12, "both", ALL, "fp8"),
    ("z-image-turbo", 12, "serving", ALL, "fp8"),
    ("z-image-turbo", 24, "both", ALL, "bf16"),
    ("sdxl", 12, "both", ALL, "bf16"),
    ("sdxl", 12, "serving", ALL, "bf16"),
    ("flux2-klein-4b", 16, "both", ALL, "bf16"),
    ("qwen-image", 80, "both", ALL, "bf16"),
    ("qwen-image-edit-2509", 24, "serving", ALL, "fp8"),
    ("qwen-image-edit", 48, "both", ALL, "bf16"),
    ("flux2-dev", 80, "both", ALL, "bf16"),
    ("flux2-dev", 32, "both", ALL, "nf4"),
]


@pytest.mark.parametrize(("name", "gib", "purpose", "precisions", "precision"), FITS)
def test_what_fits(
    name: str, gib: float, purpose: Purpose, precisions: tuple[Precision, ...], precision: Precision
) -> None:
    found = plan(name, gib, purpose, precisions)
    assert found.precision == precision, told(found, name)
    assert found.bytes <= gib * GIB
    assert found.bytes == sum(row.bytes for row in found.rows) + max(row.bytes for row in found.passes)
    assert found.precision in told(found, name)


REFUSED: list[tuple[str, float, Purpose, tuple[Precision, ...]]] = [
    ("ideogram-4", 8, "training", ("nf4",)),
    ("ideogram-4", 12, "training", ("fp8",)),
    ("ideogram-4", 24, "both", ("bf16",)),
    ("z-image", 6, "both", ("fp8",)),
    ("sdxl", 4, "both", ALL),
    ("qwen-image", 16, "both", ("bf16", "fp8")),
    ("flux2-dev", 24, "both", ALL),
]


@pytest.mark.parametrize(("name", "gib", "purpose", "precisions"), REFUSED)
def test_what_does_not_fit_is_refused_with_figures(
    name: str, gib: float, purpose: Purpose, precisions: tuple[Precision, ...]
) -> None:
    with pytest.raises(TooLarge) as refused:
        plan(name, gib, purpose, precisions)
    message = refused.value.message
    assert f"{gib:.1f} GiB are there" in message
    assert "GiB at least (" in message
    assert "What would fit: " in message or "take a smaller base" in message


def test_a_refusal_says_what_would_fit_instead() -> None:
    with pytest.raises(TooLarge) as refused:
        plan("ideogram-4", 24, "both", ("bf16",))
    message = refused.value.message
    assert "LINOCUT_PRECISION=fp8 LINOCUT_PURPOSE=" in message
    assert "pip install 'linocut[quantised]'" in message
    precision, purpose = message.rpartition("LINOCUT_PRECISION=")[2].partition(",")[0].split(" LINOCUT_PURPOSE=")
    assert plan("ideogram-4", 24, purpose.rstrip("."), (precision,)).bytes <= 24 * GIB  # type: ignore[arg-type]
    with pytest.raises(TooLarge, match="take a smaller base"):
        plan("ideogram-4", 2, "both")


def test_more_room_is_used_for_precision_first_then_for_speed() -> None:
    order = {"nf4": 0, "fp8": 1, "bf16": 2}
    ranks = []
    for gib in range(10, 200, 5):
        try:
            found = plan("ideogram-4", gib, "both")
        except TooLarge:
            assert ranks == [], "what fits in less fits in more"
            continue
        ranks.append((order[found.precision], found.tower == "device", not found.recompute, -found.tiles, found.images))
    assert ranks == sorted(ranks)
    assert ranks[-1] == (2, True, True, -1, 4)


def test_weights_by_precision() -> None:
    part = Part("transformer", linear=64_000, rows=100, linears=2, rest=1000, widest=32_000, block=32_000)
    assert part_bytes(part, "fp32") == 4 * 65_000
    assert part_bytes(part, "bf16") == 2 * 65_000
    assert part_bytes(part, "fp8") == 64_000 + 4 * 100 + 2 * 1000
    assert part_bytes(part, "nf4") == 32_000 + 4 * 1000 + 64 * 2 + 2 * 1000
    assert part_bytes(part, "nf4", keeps_half=True) == 2 * 65_000


def test_what_is_quantised_lies_in_a_block_and_is_no_sliver() -> None:
    assert can_be_quantised("layers.0.attention.to_q.weight", (64, 64))
    assert can_be_quantised("model.layers.10.mlp.up_proj.weight", (128, 16))
    assert not can_be_quantised("embed_tokens.weight", (1000, 64))
    assert not can_be_quantised("layers.0.norm.weight", (64,))
    assert not can_be_quantised("down_blocks.0.resnets.0.conv1.weight", (64, 64, 3, 3))
    assert not can_be_quantised("layers.0.to_q.weight", (64, 20))


def test_the_state_of_a_training_and_the_tower_count() -> None:
    part = Part("transformer", 1 << 30, 1 << 16, 100, 0, 1 << 24, 1 << 25)
    tower = msgspec.structs.replace(part, name="text_encoder")
    sizes = BaseSizes((part,), (tower,), ())
    passes = Passes(2, 1 << 20, 1 << 28, 1 << 28, 1 << 33, 1 << 29)
    wishes = Wishes("both", ("bf16",), None, 0, 10_000_000, on_host=False)
    roomy = plan_for("x", sizes, passes, 100 * GIB, wishes)
    serving = plan_for("x", sizes, passes, 100 * GIB, msgspec.structs.replace(wishes, purpose="serving"))
    assert roomy.resident_bytes - serving.resident_bytes == 4 * 5 * 10_000_000
    assert (roomy.tower, roomy.recompute, roomy.images) == ("device", False, 4)
    tight = plan_for("x", sizes, passes, roomy.resident_bytes + (1 << 30), wishes)
    assert (tight.tower, tight.recompute) == ("device", True), "blocks are computed again before the tower moves"
    tighter = plan_for("x", sizes, passes, serving.resident_bytes - (1 << 30), wishes)
    assert tighter.tower == "host"
    assert [row.what for row in tighter.rows if "tower" in row.what] == []
    forced = plan_for("x", sizes, passes, 100 * GIB, msgspec.structs.replace(wishes, tower="host"))
    assert forced.tower == "host"
    on_the_host = msgspec.structs.replace(wishes, precisions=("fp32",), on_host=True)
    on_host = plan_for("x", sizes, passes, 100 * GIB, on_the_host)
    assert on_host.weights_bytes == 2 * roomy.weights_bytes
    assert on_host.pass_bytes == 2 * roomy.pass_bytes


def test_published_sizes_are_the_published_billions() -> None:
    for name, found in published().items():
        values = sum(part.values for part in found.sizes.parts)
        assert values / 1e9 == pytest.approx(catalogue()[name].billions, rel=0.04), name
    assert set(published()) == {one.name for one in catalogue().values() if one.family in FAMILIES}
    assert [name for name, found in published().items() if found.is_packed] == ["ideogram-4-nf4"]


LOOKS = BaseSizes((Part("transformer", 1 << 30, 1 << 16, 100, 0, 1 << 24, 1 << 25),), (), ())
HELD = Passes(2, 1 << 20, 1 << 28, 1 << 28, 1 << 30, 1 << 29, 1 << 28, reference=1 << 28, seen=1 << 20)


def looking(gib: float, purpose: Purpose = "serving", references: int = 11) -> Plan:
    wishes = Wishes(purpose, ("bf16",), None, 0, 10_000_000, on_host=True, references=references)
    return plan_for("x", LOOKS, HELD, round(gib * GIB), wishes)


def test_pictures_that_are_looked_at_are_counted_and_said() -> None:
    roomy = looking(100)
    assert (roomy.references, roomy.pass_bytes) == (11, (1 << 28) * 12)
    said = told(roomy, "x")
    assert "11 reference pictures at once" in said
    assert "one pass at its worst (drawing an image with 11 reference pictures)" in said
    assert [row.bytes for row in roomy.passes if row.what == "reading a text with 11 reference pictures"] == [12 << 20]
    none = looking(100, references=0)
    assert none.pass_bytes == 4 << 28
    assert "reference" not in told(none, "x")


def test_fewer_pictures_are_looked_at_where_there_is_no_room_for_more_and_one_is_the_least() -> None:
    resident = looking(100).resident_bytes / GIB
    for spare, wanted in ((3.0, 11), (2.99, 10), (1.0, 3), (0.99, 2), (0.5, 1)):
        found = looking(resident + spare)
        assert found.references == wanted, spare
        assert f"{wanted} reference picture" in told(found, "x")
        assert ("takes 11, for which there is no room; LINOCUT_PRECISION=fp8" in told(found, "x")) == (wanted < 11)
    with pytest.raises(TooLarge, match=r"one pass 0\.5 GiB"):
        looking(resident + 0.49)


def test_a_training_looks_at_nothing() -> None:
    alone = looking(100, "training")
    assert alone.references == 0
    assert not [row for row in alone.passes if "reference" in row.what]


def test_what_takes_pictures_counts_them_in_the_published_figures() -> None:
    for name, found in published().items():
        known = catalogue()[name]
        assert (found.passes.reference > 0) == (known.family in TAKE_REFERENCES), name
        assert (found.passes.seen > 0) == (known.family == "qwen_image_edit"), name
        assert found.passes.encode > 0, name
    assert plan("flux2-klein-9b", 80, "serving").references == 11
    assert plan("qwen-image-edit", 80, "serving").references == 1, "it looks at one"


def for_several(name: str, gib: float, devices: int, *, divided: bool, on_host: bool = False) -> Plan:
    found = published()[name]
    precisions: tuple[Precision, ...] = ("fp32",) if on_host else ("bf16",)
    wishes = Wishes("training", precisions, None, BESIDE, found.lora_values, on_host, devices, divided)
    return plan_for(name, found.sizes, found.passes, round(gib * GIB), wishes)


@pytest.mark.parametrize(
    ("name", "gib", "devices"), [("qwen-image", 32, 2), ("qwen-image", 24, 4), ("flux2-dev", 48, 2)]
)
def test_a_base_in_parts_fits_where_it_fits_on_no_device(name: str, gib: float, devices: int) -> None:
    """Each device has its part of the network; the whole is refused there, and so is a part of one less."""
    found = for_several(name, gib, devices, divided=True)
    network = sum(part_bytes(part, "bf16") for part in published()[name].sizes.networks)
    assert found.rows[0].bytes == network // devices
    assert f"one part of {devices}" in told(found, name)
    for fewer, divided in ((1, False), (devices, False), (devices // 2, True)):
        with pytest.raises(TooLarge):
            for_several(name, gib, fewer, divided=divided)


def test_what_several_devices_take() -> None:
    """A GPU that leads has room for one gradient more; processes in one memory have it all once more each."""
    found, values = published()["z-image"], published()["z-image"].lora_values
    one, two = (for_several("z-image", 80, n, divided=False) for n in (1, 2))
    assert two.resident_bytes - one.resident_bytes == 4 * values
    one, three = (for_several("z-image", 500, n, divided=False, on_host=True) for n in (1, 3))
    sizes = [*found.sizes.networks, *found.sizes.autoencoders]
    each = part_bytes(sizes[0], "fp32") + part_bytes(sizes[-1], "fp32", keeps_half=True) + 4 * 2 * values
    assert len(sizes) == 2
    assert three.resident_bytes - one.resident_bytes == 2 * each
    assert max(row.bytes for row in three.passes if "at once" in row.what) == 3 * max(
        row.bytes for row in one.passes if row.what == "a training step"
    )
