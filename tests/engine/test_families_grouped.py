"""Families on the library's own forward pass: they draw what its pipelines draw, and each item has its own adapter."""

from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from diffusers import EulerDiscreteScheduler
from tests.engine.engine_orders import generate_order, no_blobs, run_to_the_end
from tests.engine.family_support import CAPTION, STEPS, Tiny, random_adapter, start
from tests.engine.grouped_support import BUILD, load_into, make, our_latents, stock, stock_latents
from tests.engine.training_support import drive
from tests.marks import long_but
from torch import Tensor

from linocut.bases import Sampling, load_base
from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.items import Item, Text
from linocut.engine.families.parts.grouped import GroupedLinear
from linocut.engine.families.parts.latents import packed, unpacked
from linocut.engine.noise import start_noise
from linocut.engine.resident import engine_over
from linocut.engine.routines.draw import draw_latents
from linocut.engine.work import Routine
from linocut.errors import InvalidRequest
from linocut.lora_files.targets import LORA_ENDINGS
from linocut.orders import GenerateFinished, ImageDrawn

CPU = torch.device("cpu")
SIZES = [(64, 64), (96, 48)]
NEGATIVE = "blurred, grey"


@pytest.fixture(scope="module", params=list(BUILD))
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return make(request.param, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def untouched(tiny: Tiny) -> Any:
    """The library's pipeline, for tests that leave it as it is."""
    return stock(tiny)


GUIDED = [(3.0, None), (3.0, NEGATIVE), (1.0, None)]
ASKED = [(size, *guided) for size in SIZES for guided in GUIDED]


@pytest.mark.parametrize(("size", "guidance", "negative"), long_but([ASKED[0], ASKED[2], ASKED[4]], ASKED))
def test_the_base_draws_the_librarys_latents(
    tiny: Tiny, untouched: Any, size: tuple[int, int], guidance: float, negative: str | None
) -> None:
    noise = start(tiny.family, *size, seed=1)
    ours = our_latents(tiny, noise, size, guidance, negative)
    theirs = stock_latents(tiny, untouched, noise, size, guidance, negative)
    assert (theirs - noise).abs().mean() > 0.1, "the network must move the latents for the test to mean something"
    assert (ours - theirs).abs().max() <= 1e-4


def test_the_guidance_and_the_negative_text_count(tiny: Tiny) -> None:
    noise = start(tiny.family, 64, 64, seed=1)
    drawn = [our_latents(tiny, noise, (64, 64), *how) for how in ((3.0, None), (3.0, NEGATIVE), (1.0, None))]
    for one in range(3):
        assert (drawn[one] - drawn[one - 1]).abs().max() > 2e-3


@pytest.mark.parametrize("options", [{"prediction": "v_prediction"}, {"zeros": False}])
def test_other_kinds_of_sdxl_are_the_librarys_too(tmp_path: Path, options: dict[str, Any]) -> None:
    tiny, size = make("sdxl", tmp_path, **options), (48, 64)
    noise = start(tiny.family, *size, seed=2)
    theirs = stock_latents(tiny, stock(tiny), noise, size, 3.0, None)
    assert (our_latents(tiny, noise, size, 3.0) - theirs).abs().max() <= 1e-4


@pytest.mark.parametrize("options", [{"dynamic": True}, {"shift": 1.0}])
def test_other_schedules_of_z_image_are_the_librarys_too(tmp_path: Path, options: dict[str, Any]) -> None:
    tiny, size = make("z_image", tmp_path, **options), (48, 64)
    noise = start(tiny.family, *size, seed=2)
    theirs = stock_latents(tiny, stock(tiny), noise, size, 3.0)
    assert (our_latents(tiny, noise, size, 3.0) - theirs).abs().max() <= 1e-4


@pytest.mark.parametrize("options", [{"cfg_normalization": 1.0}, {"cfg_truncation": 0.3}])
def test_the_guidance_of_z_image_may_be_bounded_as_in_the_library(tmp_path: Path, options: dict[str, float]) -> None:
    tiny, size = make("z_image", tmp_path, **options), (48, 64)
    noise = start(tiny.family, *size, seed=2)
    bounded = stock_latents(tiny, stock(tiny), noise, size, 3.0, **options)
    free = stock_latents(tiny, stock(tiny), noise, size, 3.0)
    assert (bounded - free).abs().max() > 1e-2
    assert (our_latents(tiny, noise, size, 3.0) - bounded).abs().max() <= 1e-4


def test_mu_shifts_z_images_static_schedule_as_it_would_a_dynamic_one(tmp_path: Path) -> None:
    family = make("z_image", tmp_path, shift=3.0).family
    shifted = family.plan(Sampling(4, 1.0, mu=0.5), 64, 64).sigmas
    by_hand = [3.0 * exp(0.5) * s / (1.0 + (3.0 * exp(0.5) - 1.0) * s) for s in (1.0, 0.75, 0.5, 0.25)]
    assert shifted == pytest.approx([*by_hand, 0.0], abs=1e-6)
    assert shifted[1] > family.plan(Sampling(4, 1.0), 64, 64).sigmas[1]


def test_sdxl_that_would_be_drawn_wrong_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="must predict epsilon or v_prediction"):
        make("sdxl", tmp_path, prediction="sample")


def test_an_adapter_draws_the_librarys_latents(tiny: Tiny) -> None:
    """And changes them: an adapter that reaches no linear would be equal as well."""
    adapter = random_adapter(tiny.family, seed=2)
    pipeline = stock(tiny)
    load_into(pipeline, "unet" if tiny.name == "sdxl" else "transformer", adapter)
    for size in SIZES:
        noise = start(tiny.family, *size, seed=3)
        plain = our_latents(tiny, noise, size, 3.0)
        ours = our_latents(tiny, noise, size, 3.0, adapter=adapter)
        theirs = stock_latents(tiny, pipeline, noise, size, 3.0, None)
        assert (ours - plain).abs().mean() > 0.05
        assert (ours - theirs).abs().max() <= 1e-4 * max(1.0, float(theirs.abs().max()))


def mixed(tiny: Tiny) -> list[Item]:
    """Sizes, noise levels, texts, adapters and guidance all differ; several share a size, two an adapter object."""
    family = tiny.family
    texts = family.encode_text([CAPTION, "a teapot", "a fox beside a red teapot"])
    adapters = [random_adapter(family, seed) for seed in (1, 2)]

    def item(size: tuple[int, int], s: float, text: Text | None, adapter: Adapter | None, guidance: float) -> Item:
        return Item(start(family, *size, seed=round(100 * s)), family.grid(*size), s, text, adapter, guidance)

    return [
        item((64, 64), 0.9, texts[0], adapters[0], 3.0),
        item((96, 48), 0.31, texts[1], None, 1.0),
        replace(item((64, 64), 0.5, texts[2], adapters[1], 4.5), negative=texts[1]),
        item((64, 64), 0.2, None, None, 2.0),
        item((96, 48), 0.05, texts[0], adapters[0], 3.0),
        item((64, 64), 0.7, texts[0], adapters[0], 1.0),
    ]


@pytest.fixture(scope="module")
def company(tiny: Tiny) -> tuple[list[Item], list[Tensor]]:
    """The mixed batch, and what comes of it."""
    items = mixed(tiny)
    return items, tiny.family.velocity(items)


def test_an_item_in_a_mixed_batch_is_the_item_alone(tiny: Tiny, company: tuple[list[Item], list[Tensor]]) -> None:
    items, together = company
    for item, in_company in zip(items, together, strict=True):
        [alone] = tiny.family.velocity([item])
        assert alone.dtype == torch.float32
        assert alone.shape == item.latents.shape
        assert torch.equal(alone, tiny.family.velocity([item])[0]), "alone it is bit-equal to itself alone"
        assert (alone - in_company).abs().max() <= 1e-4 * max(1.0, float(alone.abs().max()))


@pytest.mark.parametrize("change", ["adapter", "no adapter", "text", "negative", "latents", "sigma", "guidance"])
def test_changing_one_item_leaves_the_others_alone(
    tiny: Tiny, company: tuple[list[Item], list[Tensor]], change: str
) -> None:
    items, before = company
    [other_text] = tiny.family.encode_text(["x" * len(CAPTION)])
    changed = {
        "adapter": {"adapter": random_adapter(tiny.family, 9)},
        "no adapter": {"adapter": None},
        "text": {"text": other_text},
        "negative": {"negative": other_text},
        "latents": {"latents": items[0].latents.flip(0)},
        "sigma": {"sigma": 0.65},
        "guidance": {"guidance": 6.0},
    }[change]
    after = tiny.family.velocity([replace(items[0], **changed), *items[1:]])
    assert (before[0] - after[0]).abs().max() > 1e-3
    for was, now in zip(before[1:], after[1:], strict=True):
        assert (was - now).abs().max() <= 1e-5 * max(1.0, float(was.abs().max()))


def test_pictures_and_their_latents_are_the_librarys(tiny: Tiny, untouched: Any) -> None:
    """At a size that is not square, so that rows and columns cannot be swapped."""
    pipeline = untouched
    picture_HWC = (torch.rand(48, 96, 3, generator=torch.Generator().manual_seed(7)) * 255).to(torch.uint8)
    [ours] = tiny.family.encode_images([picture_HWC])
    pixels = picture_HWC.permute(2, 0, 1)[None].float() / 127.5 - 1
    film = pixels[:, :, None] if tiny.name == "qwen_image" else pixels
    with torch.no_grad():
        theirs = pipeline.vae.encode(film).latent_dist.mode()
    if tiny.name == "qwen_image":
        mean, std = (torch.tensor(getattr(pipeline.vae.config, f"latents_{which}")) for which in ("mean", "std"))
        theirs = (theirs - mean.view(1, -1, 1, 1, 1)) / std.view(1, -1, 1, 1, 1)
        theirs = pipeline._pack_latents(theirs, 1, 4, 6, 12)[0]
    elif tiny.name == "z_image":
        theirs = packed((theirs[0] - 0.12) * 0.36, (3, 6), channel_first=False)
    else:
        theirs = theirs[0] * 0.13
    assert (ours - theirs).abs().max() <= 1e-5
    noise = start(tiny.family, 96, 48, seed=4)
    latents = unpacked(noise, (3, 6), channel_first=False) if tiny.name == "z_image" else noise
    asked = {"prompt": CAPTION, "width": 96, "height": 48, "num_inference_steps": STEPS, "latents": latents[None]}
    guided: dict[str, Any] = {"guidance_scale": 2.0 if tiny.name == "z_image" else 3.0}
    if tiny.name == "qwen_image":
        guided = {"true_cfg_scale": 3.0, "negative_prompt": " "}
    stock_HWC = torch.from_numpy(pipeline(**asked, **guided, output_type="np").images[0] * 255).round()
    [ours_HWC] = tiny.family.decode([our_latents(tiny, noise, (96, 48), 3.0)], [tiny.family.grid(96, 48)])
    assert ours_HWC.dtype == torch.uint8
    assert ours_HWC.shape == (48, 96, 3)
    assert stock_HWC.std() > 2, "a flat picture would prove nothing"
    assert (ours_HWC.float() - stock_HWC).abs().max() <= 1


def test_the_engine_draws_on_it_as_its_routine_does(tiny: Tiny) -> None:
    """From the order to the picture: two images of one order, and another order beside it."""
    base = load_base(tiny.folder)
    engine = engine_over(base, tiny.family, CPU, 1 << 20)
    order = generate_order(base=base.identity, caption=CAPTION, width=64, height=48, output_width=64, output_height=48)
    engine.admit("a", order, no_blobs, Path())
    engine.admit("b", msgspec.structs.replace(order, seeds=(9,), width=48, height=64), no_blobs, Path())
    events = run_to_the_end(engine)
    assert len([event for event in events if isinstance(event, ImageDrawn)]) == 3
    assert len([event for event in events if isinstance(event, GenerateFinished)]) == 2
    latents: list[Tensor] = []

    def routine() -> Routine:
        latents.extend(
            (
                yield from draw_latents(
                    tiny.family, caption=CAPTION, seeds=(7,), width=64, height=48, sampling=order.sampling, adapter=None
                )
            )
        )

    drive(routine(), tiny.family)
    noise = start_noise(7, tiny.family.latent_shape(tiny.family.grid(64, 48)))
    plan = tiny.family.plan(order.sampling, 64, 48)
    assert plan.sigmas == sorted(plan.sigmas, reverse=True)
    assert plan.sigmas[-1] == 0.0
    assert (latents[0] - noise * plan.start_scale).abs().mean() > 0.05
    wanted = our_latents(tiny, noise, (64, 48), order.sampling.guidance, steps=order.sampling.steps)
    assert torch.equal(latents[0], wanted)


def test_nothing_of_a_network_can_be_fused_any_more(tiny: Tiny) -> None:
    """Fusing copies weights into a new linear, which would draw without the adapters and say nothing."""
    network = getattr(tiny.family, "unet" if tiny.name == "sdxl" else "transformer")
    attentions = [module for module in network.modules() if hasattr(module, "fuse_projections")]
    assert len(attentions) >= 2
    for attention in attentions:
        with pytest.raises(AttributeError, match="weight"):
            attention.fuse_projections()


def test_only_linears_of_the_allow_list_are_grouped(tiny: Tiny) -> None:
    """Embedders may see the tokens of all items in one row, where no share fits."""
    network = getattr(tiny.family, "unet" if tiny.name == "sdxl" else "transformer")
    grouped = {name for name, module in network.named_modules() if isinstance(module, GroupedLinear)}
    assert grouped == tiny.family.lora_targets().keys()
    assert all(name.endswith(LORA_ENDINGS[tiny.name]) for name in grouped)
    assert not any("embed" in name or "norm" in name or "mod" in name.split(".") for name in grouped)
    if tiny.name == "z_image":
        blocks = {name.partition(".")[0] for name in grouped}
        assert (len(grouped), blocks) == (28, {"layers", "noise_refiner", "context_refiner"})


# Training


def loss_of(velocities: list[Tensor], targets: list[Tensor]) -> Tensor:
    return torch.stack([(v - t).square().mean() for v, t in zip(velocities, targets, strict=True)]).mean()


def learning(adapter: Adapter) -> Adapter:
    for factor in (*adapter.down.values(), *adapter.up.values()):
        factor.requires_grad_()
    return adapter


def gradients(tiny: Tiny, adapter: Adapter, *, recompute: bool) -> dict[str, Tensor]:
    """Of two samples of one grid at two levels, one without its text."""
    family = tiny.family
    texts = [family.encode_text([CAPTION])[0], None]
    latents = [start(family, 64, 48, seed) for seed in (5, 6)]
    for factor in (*adapter.down.values(), *adapter.up.values()):
        factor.grad = None
    found = family.velocity_for_training(latents, family.grid(64, 48), [0.3, 0.8], texts, adapter, recompute=recompute)
    loss_of(found, [torch.zeros_like(x) for x in latents]).backward()
    return {
        f"{half} {name}": factor.grad.clone()
        for half, factors in (("down", adapter.down), ("up", adapter.up))
        for name, factor in factors.items()
        if factor.grad is not None
    }


def test_gradients_reach_the_adapter_and_recomputing_changes_no_bit(tiny: Tiny) -> None:
    adapter = learning(random_adapter(tiny.family, seed=3))
    kept = gradients(tiny, adapter, recompute=False)
    again = gradients(tiny, adapter, recompute=True)
    unused = {"attn.to_add_out", "txt_mlp.net.0.proj", "txt_mlp.net.2"} if tiny.name == "qwen_image" else set()
    silent = {name for name in adapter.down if f"down {name}" not in kept}
    assert silent == {f"transformer_blocks.1.{name}" for name in unused}, "the last block's text goes nowhere"
    assert kept.keys() == again.keys()
    for name, gradient in kept.items():
        assert torch.equal(gradient, again[name])
        assert gradient.abs().max() > 0 or name.endswith("transformer_blocks.1.attn.add_q_proj")


def test_gradients_are_pefts(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """In float64, where no rounding hides a mistake: our forward pass around our network, then around peft's."""
    adapter = random_adapter(tiny.family, seed=4)
    attribute, theirs = ("unet", "unet") if tiny.name == "sdxl" else ("transformer", "transformer")
    ours = getattr(tiny.family, attribute)
    pipeline = stock(tiny)
    load_into(pipeline, theirs, adapter)
    peft = getattr(pipeline, theirs).double().requires_grad_(False)
    factors = {name: parameter for name, parameter in peft.named_parameters() if "lora_" in name}
    for factor in factors.values():
        factor.requires_grad_()
    wide = learning(
        Adapter(
            {name: factor.double() for name, factor in adapter.down.items()},
            {name: factor.double() * adapter.scale for name, factor in adapter.up.items()},
            1.0,
            "",
        )
    )
    ours.double()
    try:
        found = gradients(tiny, wide, recompute=False)
        monkeypatch.setattr(tiny.family, attribute, peft)
        gradients(tiny, Adapter({}, {}, 1.0, ""), recompute=False)
    finally:
        ours.float()
    for name in adapter.down:
        for half, suffix in (("down", "lora_A"), ("up", "lora_B")):
            wanted = factors[f"{name}.{suffix}.default_0.weight"].grad
            if wanted is None:
                assert f"{half} {name}" not in found
            else:
                assert (found[f"{half} {name}"] - wanted).abs().max() <= 1e-5 * float(wanted.abs().max())


def test_sdxls_noise_levels_find_their_timesteps(tmp_path: Path) -> None:
    tiny = make("sdxl", tmp_path)
    family: Any = tiny.family
    scheduler = EulerDiscreteScheduler.from_config(family.scheduler_config)
    scheduler.set_timesteps(7)
    levels = [step.sigma for step in family.plan(Sampling(7, 1.0), 64, 64).steps]
    assert [family._timestep(level) for level in levels] == scheduler.timesteps.tolist()
    assert family._timestep(0.0005) == 0
