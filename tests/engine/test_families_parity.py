"""Our forward passes draw what the library's own pipelines draw: the proof that nothing of an architecture is lost."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tests.engine.family_support import (
    ALPHA,
    CAPTION,
    METADATA,
    RANK,
    TOKENS,
    Tiny,
    complaints,
    draw_ours,
    draw_stock,
    random_adapter,
)
from tests.engine.family_support import start as noise
from tests.engine.family_support import tiny as make

from linocut.bases import Sampling
from linocut.engine.adapters.file import load_adapter, save_adapter
from linocut.engine.families.items import Reference
from linocut.engine.families.parts.schedule import logit_normal_sigmas, resolution_mu
from linocut.engine.units import Denoise
from linocut.errors import InvalidRequest

SIZES = [(64, 64), (96, 48), (32, 80)]


@pytest.fixture(scope="module", params=["ideogram4", "flux2"])
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return make(request.param, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def untouched(tiny: Tiny) -> Any:
    """The library's pipeline, for tests that leave it as it is."""
    return tiny.stock()


@pytest.mark.parametrize("size", SIZES)
def test_the_base_draws_the_librarys_latents(tiny: Tiny, untouched: Any, size: tuple[int, int]) -> None:
    start_NC = noise(tiny.family, *size, seed=1)
    ours_NC = draw_ours(tiny, start_NC, size, None, guidance=3.0)
    stock_NC = draw_stock(tiny, untouched, start_NC, size, guidance=3.0)
    assert (stock_NC - start_NC).abs().mean() > 0.1, "the network must move the latents for the test to mean something"
    assert (ours_NC - stock_NC).abs().max() <= 1e-4


def test_an_adapter_draws_the_librarys_latents_and_loads_there_without_a_word(tiny: Tiny, tmp_path: Path) -> None:
    adapter = random_adapter(tiny.family, seed=2)
    path = tmp_path / "fox.safetensors"
    save_adapter(path, adapter, METADATA)
    stored, _ = load_adapter(path, targets=tiny.family.lora_targets(), base=METADATA.base)
    pipeline = tiny.stock()
    with complaints() as heard:
        pipeline.load_lora_weights(str(path))
    assert heard == []
    (config,) = pipeline.transformer.peft_config.values()
    assert (config.r, config.lora_alpha) == (RANK, ALPHA)
    for size in SIZES[:2]:
        start_NC = noise(tiny.family, *size, seed=3)
        plain_NC = draw_ours(tiny, start_NC, size, None, guidance=3.0)
        ours_NC = draw_ours(tiny, start_NC, size, stored, guidance=3.0)
        stock_NC = draw_stock(tiny, pipeline, start_NC, size, guidance=3.0)
        assert (ours_NC - plain_NC).abs().mean() > 0.05, "the adapter must change the picture"
        assert (ours_NC - stock_NC).abs().max() <= 1e-4


def test_guidance_one_is_the_conditional_branch_alone(tiny: Tiny, untouched: Any) -> None:
    size = (64, 48)
    start_NC = noise(tiny.family, *size, seed=4)
    ours_NC = draw_ours(tiny, start_NC, size, None, guidance=1.0)
    stock_NC = draw_stock(tiny, untouched, start_NC, size, guidance=1.0)
    guided_NC = draw_ours(tiny, start_NC, size, None, guidance=3.0)
    assert (ours_NC - stock_NC).abs().max() <= 1e-4
    assert (ours_NC - guided_NC).abs().mean() > 0.01


def test_references_are_looked_at_as_in_the_library(tmp_path: Path) -> None:
    """Two pictures of other sizes than the image's, in their order, in both branches."""
    tiny, size = make("flux2", tmp_path), (64, 48)
    draw = torch.Generator().manual_seed(9)
    pictures = [(torch.rand(*shape, 3, generator=draw) * 255).to(torch.uint8) for shape in ((64, 96), (80, 64))]
    pipeline = tiny.stock()
    start_NC = noise(tiny.family, *size, seed=4)
    last: list[torch.Tensor] = []

    def keep(_: object, __: int, ___: object, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        last[:] = [state["latents"]]
        return {}

    pipeline(
        prompt=CAPTION, image=[Image.fromarray(picture.numpy()) for picture in pictures], width=size[0], height=size[1],
        num_inference_steps=4, guidance_scale=3.0, max_sequence_length=TOKENS, output_type="latent",
        latents=start_NC.T.reshape(1, -1, *tiny.family.grid(*size)), callback_on_step_end=keep,
    )  # fmt: skip
    latents = tiny.family.encode_images(pictures)
    references = tuple(
        Reference(x, tiny.family.grid(picture.shape[1], picture.shape[0]))
        for x, picture in zip(latents, pictures, strict=True)
    )
    ours_NC = draw_ours(tiny, start_NC, size, None, guidance=3.0, references=references)
    assert (ours_NC - last[0][0]).abs().max() <= 1e-4
    for other in ((), references[:1], references[::-1]):
        without_NC = draw_ours(tiny, start_NC, size, None, guidance=3.0, references=other)
        assert (ours_NC - without_NC).abs().max() > 2e-3, "every reference counts, and their order does"


def test_a_negative_text_takes_the_empty_ones_place(tmp_path: Path) -> None:
    tiny = make("flux2", tmp_path)
    start_NC, grid = noise(tiny.family, 64, 48, seed=4), tiny.family.grid(64, 48)
    text, empty, negative = tiny.family.encode_text([CAPTION, "", "blurred"])
    unit = Denoise(start_NC, grid, 0.7, text, None, 3.0)
    (plain_NC,) = tiny.family.velocity([unit])
    (with_empty_NC,) = tiny.family.velocity([replace(unit, negative=empty)])
    (away_NC,) = tiny.family.velocity([replace(unit, negative=negative)])
    assert torch.equal(plain_NC, with_empty_NC)
    (towards_NC,) = tiny.family.velocity([replace(unit, guidance=1.0)])
    (from_NC,) = tiny.family.velocity([replace(unit, text=negative, guidance=1.0)])
    assert (away_NC - (from_NC + 3.0 * (towards_NC - from_NC))).abs().max() <= 1e-5
    assert (away_NC - plain_NC).abs().mean() > 1e-3


def test_ideogram_4_pushes_away_from_halfway_to_a_negative_text(tmp_path: Path) -> None:
    """The formula of ``docs/decisions/0018``, out of the two networks' own answers: c + (g - 1) (c - (u + n) / 2)."""
    tiny = make("ideogram4", tmp_path)
    start_NC, grid = noise(tiny.family, 64, 48, seed=4), tiny.family.grid(64, 48)
    text, negative, other = tiny.family.encode_text([CAPTION, "blurred", "a red house"])
    adapter = random_adapter(tiny.family, seed=2)
    unit = Denoise(start_NC, grid, 0.7, text, adapter, 1.0)
    (c_NC,) = tiny.family.velocity([unit])
    (n_NC,) = tiny.family.velocity([replace(unit, text=negative, adapter=None)])
    (twice_NC,) = tiny.family.velocity([replace(unit, guidance=2.0)])
    u_NC = 2.0 * c_NC - twice_NC
    for guidance in (1.5, 3.0, 7.0):
        wanted_NC = c_NC + (guidance - 1.0) * (c_NC - (u_NC + n_NC) / 2.0)
        (found_NC,) = tiny.family.velocity([replace(unit, guidance=guidance, negative=negative)])
        (plain_NC,) = tiny.family.velocity([replace(unit, guidance=guidance)])
        assert (found_NC - wanted_NC).abs().max() <= 1e-4
        assert (found_NC - plain_NC).abs().mean() > 0.01
    (another_NC,) = tiny.family.velocity([replace(unit, guidance=7.0, negative=other)])
    assert (another_NC - found_NC).abs().mean() > 0.01, "what the negative text says counts"


def test_without_guidance_a_negative_text_changes_nothing_and_costs_nothing(tmp_path: Path) -> None:
    tiny = make("ideogram4", tmp_path)
    start_NC, grid = noise(tiny.family, 64, 48, seed=4), tiny.family.grid(64, 48)
    text, negative = tiny.family.encode_text([CAPTION, "blurred"])
    unit = Denoise(start_NC, grid, 0.7, text, None, 1.0)
    passes = passes_of(tiny)
    assert torch.equal(*(tiny.family.velocity([one])[0] for one in (unit, replace(unit, negative=negative))))
    assert passes == [(1, 0), (1, 0)]


def test_only_the_items_with_a_negative_text_take_an_extra_pass(tmp_path: Path) -> None:
    """Items of all kinds in one batch: as each alone, and the packed pass holds no token too many."""
    tiny = make("ideogram4", tmp_path)
    start_NC, grid = noise(tiny.family, 64, 48, seed=4), tiny.family.grid(64, 48)
    text, negative = tiny.family.encode_text([CAPTION, "blurred"])
    plain = Denoise(start_NC, grid, 0.7, text, random_adapter(tiny.family, 3), 3.0)
    units = [plain, replace(plain, negative=negative), replace(plain, guidance=1.0), replace(plain, sigma=0.2)]
    alone = [tiny.family.velocity([unit])[0] for unit in units]
    passes = passes_of(tiny)
    together = tiny.family.velocity(units)
    assert passes == [(5, 0), (0, 3)]
    for one_NC, other_NC in zip(alone, together, strict=True):
        assert (one_NC - other_NC).abs().max() <= 1e-4


def passes_of(tiny: Tiny) -> list[tuple[int, int]]:
    """From now on: how many pieces each pass of the (conditional, unconditional) network holds."""
    family: Any = tiny.family
    seen: list[tuple[int, int]] = []
    for place, network in enumerate((family.conditional, family.unconditional)):

        def watched(pieces: Any, *, original: Any = network.velocity, place: int = place, **rest: Any) -> Any:
            seen.append((len(pieces), 0) if place == 0 else (0, len(pieces)))
            return original(pieces, **rest)

        network.velocity = watched
    return seen


def test_what_a_base_has_no_place_for_is_refused_with_a_sentence(tmp_path: Path) -> None:
    for name, unused in (("ideogram4", "other pictures"), ("flux2", "negative_prompt")):
        tiny = make(name, tmp_path, **({"distilled": True} if name == "flux2" else {}))
        start_NC, grid = noise(tiny.family, 64, 48, seed=4), tiny.family.grid(64, 48)
        (text,) = tiny.family.encode_text([CAPTION])
        unit = Denoise(start_NC, grid, 0.7, text, None, 3.0)
        asked = {"negative": text} if name == "flux2" else {"references": (Reference(start_NC, grid),)}
        with pytest.raises(InvalidRequest, match=unused):
            tiny.family.velocity([unit, replace(unit, **asked)])


def test_a_distilled_klein_ignores_guidance_as_the_library_does(tmp_path: Path) -> None:
    tiny, size = make("flux2", tmp_path, distilled=True), (48, 64)
    start_NC = noise(tiny.family, *size, seed=5)
    ours_NC = draw_ours(tiny, start_NC, size, None, guidance=5.0)
    stock_NC = draw_stock(tiny, tiny.stock(), start_NC, size, guidance=5.0)
    assert (ours_NC - stock_NC).abs().max() <= 1e-4
    assert torch.equal(ours_NC, draw_ours(tiny, start_NC, size, None, guidance=1.0))


def test_pictures_are_the_librarys(tiny: Tiny, untouched: Any) -> None:
    """The whole way to pixels, at a size that is not square, so that rows and columns cannot be swapped."""
    size = (96, 48)
    start_NC = noise(tiny.family, *size, seed=6)
    pipeline = untouched
    latents_NC = draw_stock(tiny, pipeline, start_NC, size, guidance=3.0)
    (ours_HWC,) = tiny.family.decode([latents_NC], [tiny.family.grid(*size)])
    asked = {"prompt": CAPTION, "width": 96, "height": 48, "num_inference_steps": 4, "max_sequence_length": TOKENS}
    if tiny.name == "ideogram4":
        asked |= {"guidance_scale": 3.0, "guidance_schedule": None, "latents": start_NC[None]}
    else:
        asked |= {"guidance_scale": 3.0, "latents": start_NC.T.reshape(1, -1, *tiny.family.grid(*size))}
    stock_HWC = torch.from_numpy(pipeline(**asked, output_type="np").images[0] * 255).round()
    assert ours_HWC.dtype == torch.uint8
    assert ours_HWC.shape == (48, 96, 3)
    assert stock_HWC.std() > 5, "a flat picture would prove nothing"
    assert (ours_HWC.float() - stock_HWC).abs().max() <= 1


def test_latents_of_pictures_are_the_librarys_and_come_back(tiny: Tiny, untouched: Any) -> None:
    """encode is the library's own encode: its mode, its normalisation, its order; and decode undoes it."""
    picture_HWC = (torch.rand(48, 96, 3, generator=torch.Generator().manual_seed(7)) * 255).to(torch.uint8)
    (ours_NC,) = tiny.family.encode_images([picture_HWC])
    assert torch.equal(ours_NC, tiny.family.encode_images([picture_HWC])[0]), "the mode, not a sample"
    pipeline = untouched
    vae, pixels_1CHW = pipeline.vae, picture_HWC.permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.no_grad():
        latents_1Khw = vae.encode(pixels_1CHW).latent_dist.mode()
        through_1CHW = vae.decode(latents_1Khw).sample
    if tiny.name == "flux2":
        stock_1Crc = pipeline._encode_vae_image(pixels_1CHW, generator=None)
        assert (ours_NC - pipeline._pack_latents(stock_1Crc)[0]).abs().max() <= 1e-5
    (back_HWC,) = tiny.family.decode([ours_NC], [tiny.family.grid(96, 48)])
    through_HWC = ((through_1CHW[0] / 2 + 0.5).clamp(0, 1) * 255).round().permute(1, 2, 0)
    assert through_HWC.std() > 5
    assert (back_HWC.float() - through_HWC).abs().max() <= 1


@pytest.mark.long
def test_text_features_are_the_librarys_at_real_length(tmp_path: Path) -> None:
    tiny = make("ideogram4", tmp_path)
    (ours,) = tiny.family.encode_text([CAPTION])
    length = ours.tensors["features_TF"].shape[0]
    padded_1SF, *_ = tiny.stock().encode_prompt(CAPTION, 4, 4, max_sequence_length=64, device="cpu")
    stock_TF = padded_1SF[0, 64 - length : 64]
    assert ours.tokens == length
    assert padded_1SF[0, : 64 - length].abs().max() == 0
    assert (ours.tensors["features_TF"] - stock_TF).abs().max() <= 1e-5 * stock_TF.abs().max()
    assert torch.equal(
        ours.tensors["features_TF"], tiny.family.encode_text([CAPTION, "other"])[0].tensors["features_TF"]
    )


def test_kleins_text_features_are_the_librarys_with_the_padding_it_looks_at(tmp_path: Path) -> None:
    tiny = make("flux2", tmp_path)
    (ours,) = tiny.family.encode_text([CAPTION])
    stock_1TF, _ = tiny.stock().encode_prompt(CAPTION, max_sequence_length=TOKENS)
    assert torch.equal(ours.tensors["features_TF"], stock_1TF[0])


@pytest.mark.parametrize(("steps", "mu", "std"), [(1, 0.0, 1.0), (12, 0.4, 1.5), (48, -1.0, 1.75)])
def test_the_schedule_is_ideograms(steps: int, mu: float, std: float) -> None:
    from diffusers.pipelines.ideogram4.pipeline_ideogram4 import _logit_normal_sigmas, _resolution_aware_mu

    assert logit_normal_sigmas(steps, mu, std) == pytest.approx(_logit_normal_sigmas(steps, mu, std).tolist(), abs=1e-6)
    assert resolution_mu(mu, 1024, 768) == pytest.approx(_resolution_aware_mu(768, 1024, mu))


def test_schedules_fall_from_noise_to_nothing(tiny: Tiny) -> None:
    sigmas = tiny.family.plan(Sampling(6, 1.0, 0.3, 1.2), 64, 96).sigmas
    assert len(sigmas) == 7
    assert sigmas == sorted(sigmas, reverse=True)
    assert sigmas[0] > 0.999
    assert sigmas[-1] == 0.0


def test_the_mean_is_the_effective_one(tmp_path: Path) -> None:
    """The size shifts Ideogram 4's schedule no further than the mean already says."""
    family, speed = make("ideogram4", tmp_path).family, Sampling(8, 1.0, 0.5, 1.0)
    assert family.plan(speed, 64, 64) == family.plan(speed, 1024, 1024)


def test_velocity_points_to_the_noise(tiny: Tiny) -> None:
    """One whole step down from sigma 1 subtracts noise - data: training and drawing share one sign."""
    start_NC, grid = noise(tiny.family, 64, 64, seed=8), tiny.family.grid(64, 64)
    (text,) = tiny.family.encode_text([CAPTION])
    (drawn_NC,) = tiny.family.velocity([Denoise(start_NC, grid, 0.7, text, None, 1.0)])
    (trained_NC,) = tiny.family.velocity_for_training([start_NC], grid, [0.7], [text], None)
    assert torch.equal(drawn_NC, trained_NC)
