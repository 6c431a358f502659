"""LoRAs from other programs: matched to the base's linears, or refused with the keys that do not fit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.lora_files.lora_support import TARGETS, by_hand, deltas, factors, metadata

from linocut.errors import InvalidRequest
from linocut.lora_files.foreign import Foreign, read_foreign

BASE = metadata("z_image").base
TARGET = TARGETS["z_image"]
NAME = "layers.0.attention.to_q"
A, B = f"{NAME}.lora_A.weight", f"{NAME}.lora_B.weight"
QKV = "layers.0.attention.qkv"


def read(data: bytes, family: str = "z_image", **options: Any) -> Foreign:
    return read_foreign(data, metadata(family).base, TARGETS[family], **options)


def written(family: str, key: Callable[[str, str], str], **changes: Any) -> dict[str, Any]:
    """Every factor of the family under the names that ``key`` makes of (linear, A or B)."""
    mine = factors(family)
    return {key(n, "A"): v for n, v in mine.down.items()} | {key(n, "B"): v for n, v in mine.up.items()} | changes


SIDES = {"A": "down", "B": "up"}
SPELLINGS: dict[str, tuple[str, Callable[[str, str], str]]] = {
    "diffusers": ("diffusers", lambda n, half: f"transformer.{n}.lora_{half}.weight"),
    "peft": ("peft", lambda n, half: f"base_model.model.{n}.lora_{half}.weight"),
    "peft, named": ("peft", lambda n, half: f"base_model.model.transformer.{n}.lora_{half}.default.weight"),
    "trainers' dots": ("comfyui", lambda n, half: f"diffusion_model.{n}.lora_{half}.weight"),
    "kohya": ("kohya", lambda n, half: f"lora_unet_{n.replace('.', '_')}.lora_{SIDES[half]}.weight"),
    "bare": ("plain", lambda n, half: f"{n}.lora.{SIDES[half]}.weight"),
}  # fmt: skip


@pytest.mark.parametrize("family", list(TARGETS))
@pytest.mark.parametrize("spelling", list(SPELLINGS))
def test_each_spelling_is_known_for_each_family(family: str, spelling: str) -> None:
    layout, key = SPELLINGS[spelling]
    found = read(by_hand(written(family, key)), family)
    mine = factors(family)
    assert found.layout == layout
    assert (found.factors.metadata.rank, found.factors.metadata.alpha) == (4, 4.0)
    assert all(np.array_equal(found.factors.down[name], mine.down[name]) for name in mine.down)
    assert all(np.array_equal(found.factors.up[name], mine.up[name]) for name in mine.up)
    assert found.notes == (
        "The LoRA file does not say its alpha; it was taken to be the rank, so the LoRA counts in full.",
    )


def test_the_old_names_of_a_unets_attention_are_known() -> None:
    mine = factors("sdxl")
    name = "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0"
    key = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora"
    found = read(by_hand({f"{key}.down.weight": mine.down[name], f"{key}.up.weight": mine.up[name]}), "sdxl")
    assert np.array_equal(found.factors.up[name], mine.up[name])
    assert not any(up.any() for other, up in found.factors.up.items() if other != name)


def test_alpha_of_its_own_tensor_of_the_header_or_of_the_caller() -> None:
    _, key = SPELLINGS["diffusers"]
    tensors = written("z_image", key)
    mine = deltas(factors("z_image", alpha=4.0))
    notes = {"lora_adapter_metadata": '{"transformer.r": 4, "transformer.lora_alpha": 8}'}
    for found, scale in (
        (read(by_hand({**tensors, **{f"transformer.{n}.alpha": np.float32([2]) for n in TARGET}})), 0.5),
        (read(by_hand(tensors, notes)), 2.0),
        (read(by_hand(tensors), alpha=6.0), 1.5),
    ):
        assert found.factors.metadata.alpha == 4.0 * scale
        assert found.notes == ()
        assert all(np.allclose(d, scale * mine[n], atol=1e-5) for n, d in deltas(found.factors).items())


def test_alphas_and_ranks_that_differ_are_made_alike_and_draw_the_same() -> None:
    draw = np.random.default_rng(1)
    other = "layers.11.feed_forward.w2"
    a, b = draw.standard_normal((2, 6), "f4"), draw.standard_normal((6, 2), "f4")
    c, d = draw.standard_normal((5, 8), "f4"), draw.standard_normal((6, 5), "f4")
    found = read(by_hand({
        f"{NAME}.lora_A.weight": a, f"{NAME}.lora_B.weight": b, f"{NAME}.alpha": np.float32([1]),
        f"{other}.lora_A.weight": c, f"{other}.lora_B.weight": d, f"{other}.alpha": np.float32([10]),
    }))  # fmt: skip
    assert (found.factors.metadata.rank, found.factors.metadata.alpha) == (5, 5.0)
    made = deltas(found.factors)
    assert np.allclose(made[NAME], 0.5 * b @ a, atol=1e-5)
    assert np.allclose(made[other], 2.0 * d @ c, atol=1e-5)
    assert found.notes == (f"The LoRA covers 2 of the base's {len(TARGET)} linears; the others stay as they are.",)
    assert found.factors.down.keys() == TARGET.keys(), "a file of ours covers every linear"


def test_a_fused_linear_with_one_down_is_split_into_three() -> None:
    draw = np.random.default_rng(1)
    a, b = draw.standard_normal((3, 6), "f4"), draw.standard_normal((18, 3), "f4")
    key = "diffusion_model.layers.0.attention.qkv"
    made = deltas(read(by_hand({f"{key}.lora_A.weight": a, f"{key}.lora_B.weight": b})).factors)
    for index, one in enumerate("qkv"):
        assert np.allclose(made[f"layers.0.attention.to_{one}"], (b @ a)[6 * index : 6 * index + 6], atol=1e-5)


@pytest.mark.parametrize(("dtype", "rounding"), [("F16", 1e-3), ("BF16", 1e-2), ("F64", 0.0)])
def test_half_and_double_precision_are_read(dtype: str, rounding: float) -> None:
    _, key = SPELLINGS["diffusers"]
    kept = {"F16": lambda v: v.astype("<f2"), "BF16": lambda v: (v.view("<u4") >> 16).astype("<u2"),
            "F64": lambda v: v.astype("<f8")}[dtype]  # fmt: skip
    found = read(by_hand({name: (dtype, kept(value)) for name, value in written("z_image", key).items()}))
    mine = factors("z_image")
    assert max(np.abs(found.factors.up[n] / mine.up[n] - 1).max() for n in TARGET) <= rounding


def pair(name: str = NAME, **changes: Any) -> dict[str, Any]:
    mine = factors("z_image")
    return {f"{name}.lora_A.weight": mine.down[NAME], f"{name}.lora_B.weight": mine.up[NAME], **changes}


NAN = factors("z_image").up[NAME].copy()
NAN[0, 0] = np.nan
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "another base's keys": (
        pair("double_blocks.0.img_attn.qkv"),
        "2 of its 2 keys fit no linear of this base: double_blocks.0.img_attn.qkv.lora_A.weight",
    ),
    "a text encoder's": (
        pair() | pair("lora_te1_text_model_encoder_layers_0_mlp_fc1"),
        "2 of its 4 keys .* lora_te1_text_model.*without parts for text encoders",
    ),
    "a DoRA": (pair(**{f"{NAME}.dora_scale": np.ones(6, "f4")}), "1 of its 3 keys .*dora_scale"),
    "a LoKr": ({f"{NAME}.lokr_w1": np.ones((2, 2), "f4")}, "lokr_w1"),
    "many keys": ({f"x{n}.lora_A.weight": np.ones((1, 1), "f4") for n in range(9)}, "and 4 more"),
    "half a pair": ({A: np.ones((4, 6), "f4")}, "have only one of their two factors"),
    "an alpha alone": (pair(**{"layers.11.attention.to_q.alpha": np.float32([1])}), "only one of their two"),
    "other sizes": (
        pair(**{A: np.ones((4, 7), "f4")}),
        r"other sizes than this base's: layers.0.attention.to_q \(7 to 6, not 6 to 6\)",
    ),
    "two ranks": (pair(**{A: np.ones((3, 6), "f4")}), "the ranks 3 and 4"),
    "rank 0": (pair(**{A: np.ones((0, 6), "f4")}), "two sides"),
    "a rank without end": ({A: np.ones((1025, 6), "f4"), B: np.ones((6, 1025), "f4")}, "the ranks 1025 and 1025"),
    "three sides": (pair(**{A: np.ones((4, 6, 3), "f4")}), "two sides"),
    "not a number": (pair(**{B: NAN}), "no finite numbers"),
    "infinite once it is float32": (pair(**{B: np.full((6, 4), 1e300)}), "no finite numbers"),
    "whole numbers": (
        pair(**{B: ("I32", np.ones((6, 4), "<i4"))}),
        "the type I32; factors are F64, F32, F16, BF16",
    ),
    "eight bits": (pair(**{B: ("F8_E4M3", np.ones((6, 4), "u1"))}), "the type F8_E4M3"),
    "alpha 0": (pair(**{f"{NAME}.alpha": np.float32([0])}), "one number above 0"),
    "an alpha beyond reason": (pair(**{f"{NAME}.alpha": np.float32([1e10])}), "below a billion"),
    "infinite once alpha is in it": (
        pair(**{B: np.full((6, 4), 3e38, "f4"), f"{NAME}.alpha": np.float32([400])})
        | pair("layers.0.attention.to_k", **{"layers.0.attention.to_k.alpha": np.float32([1])}),
        "times alpha, are no finite numbers",
    ),
    "alpha of two": (pair(**{f"{NAME}.alpha": np.float32([1, 2])}), "one number above 0"),
    "twice under two names": (pair() | pair(f"transformer.{NAME}"), "twice, under two names"),
    "fused and apart": (
        pair() | pair(QKV, **{f"{QKV}.lora_B.weight": np.ones((18, 4), "f4")}),
        "to_q twice, under two names",
    ),
    "nothing": ({}, "no LoRA factors"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_what_does_not_fit_is_refused_with_a_sentence(case: str) -> None:
    tensors, sentence = BAD[case]
    with pytest.raises(InvalidRequest, match=sentence) as refused:
        read(by_hand(tensors))
    assert refused.value.details["field"] == "file"
    assert len(refused.value.message) < 1200


def test_nothing_of_a_strange_header_reaches_the_notes() -> None:
    found = read(
        by_hand(pair(), {"ss_tag_frequency": "secret words", "linocut": "[1, 2", "lora_adapter_metadata": "{"})
    )
    assert "secret" not in str(found.notes) + found.stored_bytes()[:2000].decode("latin-1")


def test_a_small_file_that_stands_for_a_large_one_is_refused_before_it_is_made() -> None:
    """Rank 1024 on one linear would be rank 1024 on all of them."""
    wide = by_hand({A: np.ones((1024, 6), "f4"), B: np.ones((6, 1024), "f4")})
    needed = 4 * 1024 * sum(i + o for i, o in TARGET.values())
    assert read(wide, most_bytes=needed).factors.metadata.rank == 1024
    with pytest.raises(InvalidRequest, match=f"rank 1024 on all {len(TARGET)} linears .*LINOCUT_MAX_LORA_MIB"):
        read(wide, most_bytes=needed - 1)


def test_an_alpha_that_is_sent_counts_where_the_file_is_mute_and_nowhere_else() -> None:
    mute, own = by_hand(pair()), by_hand(pair(**{f"{NAME}.alpha": np.float32([8])}))
    assert "does not say its alpha" in read(mute).notes[0]
    sent = read(mute, alpha=2)
    assert sent.factors.metadata.alpha == 2
    assert "alpha" not in " ".join(sent.notes)
    both = read(own, alpha=2)
    assert both.factors.metadata.alpha == 8
    assert both.notes[0] == "The LoRA file says its own alpha, so the alpha 2 that was sent has no effect."


def test_a_file_of_ours_from_another_base_says_so() -> None:
    said = '{"base": "z_image@fedcba9876543210", "rank": 4, "alpha": 6.0}'
    assert "trained on z_image@fedcba9876543210, and this server" in read(by_hand(pair(), {"linocut": said})).notes[-1]
    sly = '{"base": "z\\u001b[31m@ secret words", "rank": 4, "alpha": 6.0}'
    assert "trained on another base, and" in read(by_hand(pair(), {"linocut": sly})).notes[-1]
    own = f'{{"base": "{BASE}", "rank": 4, "alpha": 6.0}}'
    assert "trained on" not in " ".join(read(by_hand(pair(), {"linocut": own})).notes)


def test_a_name_of_the_file_does_not_steer_a_terminal() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(by_hand({"\x1b[2J\r\nERROR forged.lora_A.weight": np.ones((1, 1), "f4")}))
    assert refused.value.message.isprintable()
    assert "?[2J??ERROR forged" in refused.value.message


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Fetch the file itself (git lfs pull)"),
        (b"not a LoRA, but a letter", "is no safetensors file: choose the one that its program saved as .safetensors."),
        (b"\xff" * 8 + b'{"a": 1}', "its header claims"),
    ],
)
def test_a_file_of_another_kind_is_told_with_the_way_out(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(data)
    assert sentence in refused.value.message
