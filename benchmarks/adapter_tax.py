"""What an adapter of its own for each item costs, family by family, on random networks of about 125 M parameters.

    python benchmarks/adapter_tax.py [--threads 1] [--rounds 5] [--family z_image]

One pass of the denoiser for four items of one size and text length, without guidance, in four ways:

- bare: the library's network, four items at once, no adapter;
- ours, none: our pass of the same four, no adapter;
- ours, four: each of the four with an adapter of its own, rank 16 on every linear that an adapter covers;
- peft: the library's network with the four adapters in peft, switched from item to item, four passes of one.

All in one process, in turn; each row is the median of the rounds' ratios to the bare pass of the same round, in CPU
time (with one thread, so that other work on the machine counts less). "bare again" is the bare pass a second time: it
tells how far from 1 a ratio must be to say anything. The limit by arithmetic is what the low-rank products add to the
linears' own.
"""

import argparse
import copy
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    Flux2Transformer2DModel,
    Ideogram4Pipeline,
    Ideogram4Transformer2DModel,
    QwenImageTransformer2DModel,
    UNet2DConditionModel,
    ZImageTransformer2DModel,
)
from peft import LoraConfig
from torch import Tensor

from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.flux2 import Flux2
from linocut.engine.families.ideogram4 import Ideogram4
from linocut.engine.families.items import Grid, Item, Text
from linocut.engine.families.parts.flux2_network import Flux2Network
from linocut.engine.families.parts.folder import linears
from linocut.engine.families.parts.grouped import GroupedNetwork
from linocut.engine.families.parts.ideogram4_network import Ideogram4Network
from linocut.engine.families.qwen_image import QwenImage
from linocut.engine.families.sdxl import Sdxl
from linocut.engine.families.z_image import ZImage
from linocut.lora_files.targets import LORA_ENDINGS

ITEMS, RANK, WORDS, SIDE = 4, 16, 32, 8
"""Items of a pass, the adapters' rank, text tokens, and rows and columns of image tokens."""

WIDTH = 1024
Bare = Callable[[list[Item]], Any]


class Rig:
    """One family: ours on a random network, and the library's own network beside it with equal weights."""

    def __init__(
        self, kind: type[Any], network: Any, shape: tuple[int, ...], grid: Grid, text: dict[str, Tensor]
    ) -> None:
        self.network = network.requires_grad_(False).train(False)
        self.plain = copy.deepcopy(self.network)
        self.family = object.__new__(kind)
        self.shape, self.grid, self.text = shape, grid, Text(WORDS, text)
        self.targets: dict[str, tuple[int, int]] = {}
        self.bare: Bare = lambda items: None

    def stand_on(self, name: str, attribute: str) -> "Rig":
        """Ours on the library's pass; the bare pass is the same code on plain linears."""
        grouped = GroupedNetwork(self.network, LORA_ENDINGS[name])
        other = object.__new__(type(self.family))
        for family, one in ((self.family, self.network), (other, self.plain)):
            setattr(family, attribute, one)
            family.__dict__.update(network=grouped, _blank=self.text, _empty=self.text, cfg_normalization=0.0)
        self.targets, self.bare = grouped.targets, other._forward
        return self

    def items(self, adapters: list[Adapter | None]) -> list[Item]:
        """Items of one size, each with its own noise and adapter."""
        draw = torch.Generator().manual_seed(1)
        return [
            Item(torch.randn(self.shape, generator=draw), self.grid, 0.3 + 0.1 * i, self.text, adapter, 1.0)
            for i, adapter in enumerate(adapters)
        ]


def ideogram4() -> Rig:
    network = Ideogram4Transformer2DModel(
        in_channels=128, num_layers=10, attention_head_dim=64, num_attention_heads=WIDTH // 64, intermediate_size=2752,
        adaln_dim=256, llm_features_dim=512, mrope_section=(12, 10, 10),
    )  # fmt: skip
    rig = Rig(Ideogram4, network, (SIDE * SIDE, 128), (SIDE, SIDE), {"features_TF": torch.randn(WORDS, 512)})
    rig.family.conditional = Ideogram4Network(rig.network, 1000.0)
    rig.targets = linears(rig.plain, LORA_ENDINGS["ideogram4"])
    positions, segments, roles = Ideogram4Pipeline._prepare_ids([WORDS], SIDE, SIDE, WORDS, torch.device("cpu"))

    def bare(items: list[Item]) -> Any:
        n = len(items)
        text = rig.text.tensors["features_TF"]
        return rig.plain(
            hidden_states=torch.stack([torch.cat([torch.zeros(WORDS, 128), item.latents]) for item in items]),
            timestep=torch.tensor([1 - item.sigma for item in items]),
            encoder_hidden_states=torch.cat([text, torch.zeros(SIDE * SIDE, 512)])[None].expand(n, -1, -1),
            position_ids=positions.expand(n, -1, -1), segment_ids=segments.expand(n, -1),
            indicator=roles.expand(n, -1), return_dict=False,
        )  # fmt: skip

    rig.bare = bare
    return rig


def flux2() -> Rig:
    network = Flux2Transformer2DModel(
        in_channels=128, num_layers=2, num_single_layers=5, attention_head_dim=64, num_attention_heads=WIDTH // 64,
        joint_attention_dim=512, axes_dims_rope=(16, 16, 16, 16), guidance_embeds=False,
    )  # fmt: skip
    rig = Rig(Flux2, network, (SIDE * SIDE, 128), (SIDE, SIDE), {"features_TF": torch.randn(WORDS, 512)})
    rig.family.__dict__.update(network=Flux2Network(rig.network, 1000.0), is_distilled=True, takes_negative_text=True)
    rig.targets = linears(rig.plain, LORA_ENDINGS["flux2"])
    one = torch.arange(1)
    text_ids = torch.cartesian_prod(one, one, one, torch.arange(WORDS))[None]
    image_ids = torch.cartesian_prod(one, torch.arange(SIDE), torch.arange(SIDE), one)[None]

    def bare(items: list[Item]) -> Any:
        n = len(items)
        return rig.plain(
            hidden_states=torch.stack([item.latents for item in items]),
            encoder_hidden_states=rig.text.tensors["features_TF"][None].expand(n, -1, -1),
            timestep=torch.tensor([item.sigma for item in items]),
            txt_ids=text_ids.expand(n, -1, -1), img_ids=image_ids.expand(n, -1, -1), return_dict=False,
        )  # fmt: skip

    rig.bare = bare
    return rig


def qwen_image() -> Rig:
    network = QwenImageTransformer2DModel(
        in_channels=64, out_channels=16, num_layers=3, attention_head_dim=128, num_attention_heads=WIDTH // 128,
        joint_attention_dim=512,
    )  # fmt: skip
    rig = Rig(QwenImage, network, (SIDE * SIDE, 64), (SIDE, SIDE), {"features_TF": torch.randn(WORDS, 512)})
    return rig.stand_on("qwen_image", "transformer")


def z_image() -> Rig:
    network = ZImageTransformer2DModel(
        in_channels=16, dim=WIDTH, n_layers=7, n_refiner_layers=1, n_heads=WIDTH // 128, n_kv_heads=WIDTH // 128,
        cap_feat_dim=512,
    )  # fmt: skip
    rig = Rig(ZImage, network, (SIDE * SIDE, 64), (SIDE, SIDE), {"features_TF": torch.randn(WORDS, 512)})
    return rig.stand_on("z_image", "transformer")


def sdxl() -> Rig:
    network = UNet2DConditionModel(
        sample_size=32, block_out_channels=(128, 256, 640), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4, 10), use_linear_projection=True, addition_embed_type="text_time",
        addition_time_embed_dim=256, transformer_layers_per_block=(1, 1, 3),
        projection_class_embeddings_input_dim=6 * 256 + 512, cross_attention_dim=512,
    )  # fmt: skip
    text = {"features_TF": torch.randn(77, 512), "pooled_P": torch.randn(512)}
    rig = Rig(Sdxl, network, (4, 2 * SIDE, 2 * SIDE), (2 * SIDE, 2 * SIDE), text).stand_on("sdxl", "unet")
    vae = type("Vae", (), {"config": type("Config", (), {"block_out_channels": (1, 1, 1, 1)})()})()
    table = torch.linspace(-3, 3, 1000).double().numpy()
    for family in (rig.family, rig.bare.__self__):  # type: ignore[attr-defined]
        family.__dict__.update(vae=vae, _log_sigmas=table, prediction="epsilon")
    return rig


RIGS: dict[str, Callable[[], Rig]] = {
    "ideogram4": ideogram4, "flux2": flux2, "qwen_image": qwen_image, "z_image": z_image, "sdxl": sdxl,
}  # fmt: skip


def adapter(targets: dict[str, tuple[int, int]], seed: int) -> Adapter:
    """Random factors on every target."""
    draw = torch.Generator().manual_seed(seed)
    return Adapter(
        {name: torch.randn(RANK, i, generator=draw) / 100 for name, (i, _) in targets.items()},
        {name: torch.randn(o, RANK, generator=draw) / 100 for name, (_, o) in targets.items()},
        1.0,
        str(seed),
    )


def arms(rig: Rig) -> dict[str, Callable[[], Any]]:
    """The ways to draw the four items' velocity."""
    own = rig.items([adapter(rig.targets, seed) for seed in range(ITEMS)])
    none = rig.items([None] * ITEMS)
    peft = copy.deepcopy(rig.plain)
    for index in range(ITEMS):
        peft.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=list(rig.targets)), f"a{index}")

    def switching() -> None:
        plain, owner = rig.plain, getattr(rig.bare, "__self__", rig)
        attribute = next(name for name, value in vars(owner).items() if value is plain)
        setattr(owner, attribute, peft)
        try:
            for index, item in enumerate(none):
                peft.set_adapter(f"a{index}")
                rig.bare([item])
        finally:
            setattr(owner, attribute, plain)

    return {
        "bare": lambda: rig.bare(none),
        "bare again": lambda: rig.bare(none),
        "ours, none": lambda: rig.family.velocity(none),
        "ours, four": lambda: rig.family.velocity(own),
        "peft, switched": switching,
    }


@torch.no_grad()
def measure(rig: Rig, rounds: int) -> tuple[float, dict[str, float]]:
    """(seconds of the bare pass, the median ratio of each way to it)."""
    ways = arms(rig)
    for way in ways.values():
        way()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        names = list(ways) if turn % 2 == 0 else list(reversed(ways))
        for name in names:
            began = time.process_time()
            ways[name]()
            taken[name].append(time.process_time() - began)
    ratios = {
        name: statistics.median(mine / bare for mine, bare in zip(seconds, taken["bare"], strict=True))
        for name, seconds in taken.items()
    }
    return statistics.median(taken["bare"]), ratios


def row(name: str, rounds: int) -> str:
    """One family's line of the table."""
    torch.manual_seed(0)
    rig = RIGS[name]()
    parameters = sum(p.numel() for p in rig.plain.parameters())
    weights = sum(i * o for i, o in rig.targets.values())
    limit = 1 + sum(RANK * (i + o) for i, o in rig.targets.values()) / weights
    seconds, found = measure(rig, rounds)
    print(name, {key: round(value, 3) for key, value in found.items()}, flush=True)
    return (
        f"| {name} | {parameters / 1e6:.0f} M, {len(rig.targets)} | {seconds * 1000:.0f} | {found['bare again']:.2f} | "
        f"{found['ours, none']:.2f} | {found['ours, four']:.2f} | {limit:.2f} | {found['peft, switched']:.2f} | "
        f"{found['peft, switched'] / found['ours, four']:.2f} |"
    )


def main() -> None:
    """Measure, print, and write the page beside this file."""
    options = argparse.ArgumentParser()
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--family", choices=list(RIGS))
    asked = options.parse_args()
    torch.set_num_threads(asked.threads)
    began = os.getloadavg()[0]
    rows = [row(name, asked.rounds) for name in ([asked.family] if asked.family else RIGS)]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    page = "\n".join([
        "# What an adapter of its own for each item costs",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip()}, {platform.machine()}, {os.cpu_count()} cores, "
        f"{asked.threads} torch thread(s), torch {torch.__version__}, CPU time, load {began:.1f} before and "
        f"{os.getloadavg()[0]:.1f} after, {asked.rounds} rounds. Script: `benchmarks/adapter_tax.py`, which says what "
        "each column is.",
        "",
        f"{ITEMS} items, each {SIDE} x {SIDE} image tokens ({2 * SIDE} x {2 * SIDE} latents for SDXL) and {WORDS} text "
        f"tokens (77), rank {RANK}, random networks of the real classes. Ratios to the bare pass; one that is no "
        'farther from 1 than "bare again" says nothing.',
        "",
        "| family | parameters, linears | bare, ms | bare again | ours, none | ours, one each | limit by arithmetic | "
        "peft, switched | peft / ours |",
        "|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
    ])  # fmt: skip
    print(page)
    if not asked.family:
        place = Path(__file__).with_suffix(".md")
        _, heading, notes = place.read_text().partition("\n## ")  # written by hand, and kept
        place.write_text(page + heading + notes)


if __name__ == "__main__":
    main()
