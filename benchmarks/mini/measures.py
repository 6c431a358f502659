"""The embedded base against what was asked of it: goal, reached, and the same measure on the true drawings.

    python benchmarks/mini/measures.py --fonts FOLDER [--count 48] [--threads 1] [--write]

Captions are held out (seeds that training never used; no word below stands in its word list), pictures are drawn by
the library's own pipeline from the shipped folder in fp32 at DEFAULT. How each measure is taken stands in
``pretrain.measures``; ``tests/mini/test_measures.py`` proves the thresholds on drawn truth and on noise.
``--fonts`` is the folder that the font packages of mini/README.md were installed into.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import statistics
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from diffusers import Ideogram4Pipeline

from linocut.bases import MINI, Base, load_base
from linocut.prompting.lexicon import COLOURS, FACES, hex_to_rgb
from pretrain import captions, tokenizer, vae
from pretrain.draw import Painter
from pretrain.measures import held_out, ink, read_word, right, score
from pretrain.scene import Colour, Ground, Item, Scene

WORDS = ("Q", "K", "E", "S", "GO", "UP", "WE", "NO", "ELK", "DEW", "PIT", "RUM", "MOSS", "KELP", "DRUM", "VEST",
         "TIGER", "PLUMB", "CHAIR", "NOVEL", "VELVET", "ORCHID", "BRIDGE", "KITTEN")  # fmt: skip
PAIRS = (("white", "red"), ("black", "yellow"), ("navy", "cream"), ("yellow", "navy"), ("white", "teal"),
         ("maroon", "pink"))  # fmt: skip
TYPEFACES = (FACES[0], FACES[2], FACES[3])
Truth = list[tuple[np.ndarray, Scene]]
Read = tuple[str, int, bool, bool]  # typeface, letters, read in the picture, read in the true drawing


def lettering(face: str, painter: Painter, words: tuple[str, ...]) -> Truth:
    """One word of one to six letters on a plain ground, across most of the width."""
    made = []
    for number, word in enumerate(words):
        front, back = (Colour(name, hex_to_rgb(COLOURS[name])) for name in PAIRS[number % len(PAIRS)])
        half = min(56.0, 14.0 + 13.0 * len(word))
        box = (64 - half, 34.0, 64 + half, 94.0)
        item = Item("", front, front, False, box, text=word, face=face)
        pixels, _, scene = painter.paint(Scene(128, 128, Ground("plain", back, back, 16.0), (item,)))
        made.append((pixels, scene))
    return made


class Stock:
    """The stock pipeline, drawing by the numbers of linocut.json."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.pipe = Ideogram4Pipeline.from_pretrained(MINI, dtype=torch.float32)
        self.pipe.set_progress_bar_config(disable=True)

    def draw(self, asked: list[str], seed: int, speed: str = "DEFAULT") -> np.ndarray:
        """uint8 batch x height x width x 3 at native size."""
        numbers, side = self.base.sampling[speed], self.base.native_pixels
        longest = max(len(self.pipe.tokenizer(tokenizer.wrap(text))["input_ids"]) for text in asked)
        images = self.pipe(
            asked, width=side, height=side, num_inference_steps=numbers.steps, guidance_scale=numbers.guidance,
            guidance_schedule=None, mu=numbers.mu - math.log(side / 512), std=numbers.std, max_sequence_length=longest,
            generator=[torch.Generator().manual_seed(seed + i) for i in range(len(asked))],
        ).images  # fmt: skip
        return np.stack([np.asarray(image.convert("RGB")) for image in images])

    def of(self, truth: Truth, seed: int) -> np.ndarray:
        """One picture for the full caption of each scene."""
        asked = [captions.serialise(captions.full(scene)) for _, scene in truth]
        return np.concatenate([self.draw(asked[i : i + 8], seed + i) for i in range(0, len(asked), 8)])

    def seconds(self, speed: str) -> float:
        """One picture, text and decoding included: the median of five."""
        asked = captions.serialise({"compositional_deconstruction": {"background": "plain navy", "elements": []}})
        took = []
        for seed in range(5):
            begun = time.monotonic()
            self.draw([asked], seed, speed)
            took.append(time.monotonic() - begun)
        return statistics.median(took)


def table(base: Stock, painter: Painter, count: int) -> list[tuple[str, str, str, str]]:
    """(what, goal, reached, on truth)."""
    rows: list[tuple[str, str, str, str]] = []

    def add(what: str, goal: str, reached: float, truth: float) -> None:
        rows.append((what, goal, f"{100 * reached:.0f} %", f"{100 * truth:.0f} %"))
        print(*rows[-1], sep=" | ", flush=True)

    def both(truth: Truth, seed: int) -> tuple[dict[str, float], dict[str, float]]:
        scenes = [scene for _, scene in truth]
        return score(base.of(truth, seed), scenes, painter), score(np.stack([p for p, _ in truth]), scenes, painter)

    made, true = both(held_out("one", count, painter), 10_000)
    for key, what, goal in (
        ("ground", "ground colour within dE 10", "98 %"),
        ("named ground", "the same, colours that are their name's", ""),
        ("box", "object in its box, IoU over 0.5", "95 %"),
        ("colour", "object colour within dE 20", "95 %"),
        ("class", "shape class, of 30", "95 %"),
    ):
        add(what, goal, made[key], true[key])

    def read_all(face: str, words: tuple[str, ...], seed: int) -> list[Read]:
        truth, rows = lettering(face, painter, words), []
        for pixels, (real, scene) in zip(base.of(truth, seed), truth, strict=True):
            item = scene.items[0]
            right_here, right_there = (read_word(p, scene, item, painter) == item.text for p in (pixels, real))
            rows.append((face, len(item.text), right_here, right_there))
        return rows

    read = [row for face in TYPEFACES for row in read_all(face, WORDS, 20_000)]

    def add_read(what: str, goal: str, rows: list[Read]) -> None:
        add(what, goal, float(np.mean([r[2] for r in rows])), float(np.mean([r[3] for r in rows])))

    add_read("words of one to six letters read exactly, three typefaces", "90 %", read)
    for face in TYPEFACES:
        add_read(f"of those, {face}", "", [r for r in read if r[0] == face])
    for name, lengths in (("single letters", (1,)), ("two or three letters", (2, 3)), ("four to six", (4, 5, 6))):
        add_read(f"of those, {name}", "", [r for r in read if r[1] in lengths])
    for name, turn in (("the same words in small letters", str.lower), ("with a capital first", str.capitalize)):
        add_read(f"{name}, bold sans-serif", "", read_all(FACES[0], tuple(turn(word) for word in WORDS), 30_000))
    four = held_out("four", count, painter)
    drawn = base.of(four, 40_000)

    def all_right(pixels: np.ndarray, scene: Scene) -> float:
        return float(np.mean([right(pixels, scene, item, painter) for item in scene.items]) == 1.0)

    shares = [np.mean([all_right(p, s) for p, (_, s) in zip(group, four, strict=True)])
              for group in (drawn, [p for p, _ in four])]  # fmt: skip
    add("four elements, all right", "80 %", float(shares[0]), float(shares[1]))
    single = [np.mean([right(p, s, item, painter) for p, (_, s) in zip(group, four, strict=True) for item in s.items])
              for group in (drawn, [p for p, _ in four])]  # fmt: skip
    add("of those four, each on its own", "", float(single[0]), float(single[1]))
    return rows


@torch.no_grad()
def psnr(base: Stock, painter: Painter) -> float:
    """The autoencoder's, on 64 held-out pictures of full breadth."""
    x = vae.to_tensor(vae.pictures(painter, 64, 99))
    model = base.pipe.vae
    y = torch.cat([model.decode(model.encode(part).latent_dist.mean).sample.clamp(-1, 1) for part in x.split(16)])
    return vae.psnr(float((y - x).square().mean()))


def same_twice(base: Stock) -> bool:
    asked = [captions.serialise({"compositional_deconstruction": {"background": "plain red", "elements": []}})]
    one = base.draw(asked, 7)
    return bool(np.array_equal(one, base.draw(asked, 7)) and ink(one[0], np.zeros(3)).any())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--count", type=int, default=48, help="pictures a row")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="also write measures.md beside this script")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    painter, facts = Painter(args.fonts), load_base(MINI)
    base = Stock(facts)
    rows = table(base, painter, args.count)
    rows.append(("autoencoder, PSNR", "30 dB", f"{psnr(base, painter):.1f} dB", ""))
    rows.append(("same prompt and seed, same picture", "yes", "yes" if same_twice(base) else "no", ""))
    rows.append(("one picture at TURBO", "1.5 s", f"{base.seconds('TURBO'):.2f} s", ""))
    rows.append(("one picture at DEFAULT", "4 s", f"{base.seconds('DEFAULT'):.2f} s", ""))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    seen = json.loads((MINI / "training.json").read_text(encoding="utf-8"))["images"]
    head = (f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {platform.machine()}, {args.threads} torch "
            f"thread(s) beside other work. Base {facts.identity}, {seen:,} pictures of training, {args.count} "
            "held-out captions a row (24 words a typeface). Script: `benchmarks/mini/measures.py`.")  # fmt: skip
    lines = [f"| {' | '.join(row)} |" for row in rows]
    text = "\n".join(["# The embedded base, measured", "", head, "",
                      "| measure | goal | reached | on true drawings |", "|---|---|---|---|", *lines, ""])  # fmt: skip
    print(text)
    if args.write:
        (Path(__file__).parent / "measures.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
