"""Contact sheets and the table of measures of a run, on held-out captions and on plain prompts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import PreTrainedTokenizerFast

from linocut.prompting import expand
from pretrain import captions, tokenizer
from pretrain.config import TransformerConfig
from pretrain.draw import Painter
from pretrain.measures import held_out, score
from pretrain.net import Mini
from pretrain.sampling import draw
from pretrain.train import averaged, load_vae

PROMPTS = (
    "a red circle on a blue background", "a yellow star on navy", "a green tree on white", "a brown mug on cream",
    "a pink heart on black", "a white house on red", "an orange fish on sky blue", "a purple flower on mint",
    "the letter A in white on red", "the letter K in green on yellow", "the word TEA in white on red",
    "HOT in black on gold", "JAM in navy on pink", "the word SUN in orange on cream",
    "a red circle with the word TEA on beige", "a leaf, text ICE, on teal", "two yellow stars on purple",
    "a black cat and a white bird on orange", "three blue boats on cream",
    "a gray house and a green tree on light blue", "a coral square above the word NEW on charcoal",
    "pink and white striped background with a teal fish", "white dots on red with a black heart",
    "a purple to orange gradient with a white sun", "navy and gold checks with a white cup",
    "a red car on beige with a navy border", "an outlined orange triangle on black",
    "a tilted lime square on maroon", "a small red heart in the top left corner on cream",
    "a blue diamond at the bottom right on yellow", "a silver ring on black", "a mushroom",
)  # fmt: skip


def measure(work: Path, fonts: Path, out: Path, config: TransformerConfig, count: int = 48, steps: int = 24) -> None:
    """Print and write the table; leave a sheet (truth above picture) for each kind."""
    torch.set_num_threads(1)
    painter, words = Painter(fonts), tokenizer.build()
    model, vae = averaged(work, config), load_vae(work)
    table = {}
    for kind in ("one", "letter", "word", "many"):
        truth = held_out(kind, count, painter)
        scenes = [scene for _, scene in truth]
        asked = [captions.serialise(captions.full(scene)) for scene in scenes]
        made = np.concatenate([draw(model, vae, words, asked[i : i + 16], i, steps=steps) for i in range(0, count, 16)])
        real = np.stack([pixels for pixels, _ in truth])
        table[kind] = {"mini": score(made, scenes, painter), "truth": score(real, scenes, painter)}
        rows = [np.concatenate(list(group[i : i + 12]), 1) for i in (0, 12) for group in (real, made)]
        Image.fromarray(np.concatenate(rows)).save(out / f"{kind}.png")
        print(kind, json.dumps(table[kind]), flush=True)
    (out / "measures.json").write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    made = np.concatenate([_plain(model, vae, words, PROMPTS[i : i + 8], steps) for i in range(0, len(PROMPTS), 8)])
    rows = [np.concatenate(list(made[i : i + 8]), 1) for i in range(0, len(PROMPTS), 8)]
    Image.fromarray(np.concatenate(rows)).quantize(256).save(out / "mini_sheet.png", optimize=True)


def _plain(model: Mini, vae: Any, words: PreTrainedTokenizerFast, prompts: tuple[str, ...], steps: int) -> np.ndarray:
    """Plain prompts through the expander, seed 1."""
    return draw(model, vae, words, [captions.serialise(expand(p, (1, 1), 1)) for p in prompts], 1, steps=steps)
