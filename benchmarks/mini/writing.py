"""Tried on the embedded base: pictures described, sentences expanded, captions and pictures changed.

    python benchmarks/mini/writing.py --work FOLDER --fonts FOLDER [--count 48] [--write] [--out FOLDER]

``--work`` holds the checkpoints of reader, writer, drawing network and autoencoder (mini/README.md). Scenes are held
out: seeds that training never used. Judged by ``pretrain.captioner.judge``, pictures by
``pretrain.measures``.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measures import TYPEFACES, WORDS, Truth, lettering
from PIL import Image

from linocut.prompting import expand
from pretrain import captions, tokenizer
from pretrain.captioner import judge, lessons, read_train, wishes, write_train
from pretrain.captioner.colours import bare, keep_palettes, with_palettes
from pretrain.captioner.looking import look
from pretrain.captioner.reader import read
from pretrain.captioner.redraw import changed, redraw
from pretrain.captioner.writer import write
from pretrain.config import ReaderConfig, TransformerConfig, WriterConfig
from pretrain.data import TOKEN
from pretrain.draw import Painter
from pretrain.measures import held_out, right
from pretrain.sampling import draw
from pretrain.scene import Scene, sample
from pretrain.train import averaged, load_vae

SEED = 991
Caption = dict[str, Any]


class Trial:
    """Reader, writer, drawing network and autoencoder together."""

    def __init__(self, work: Path) -> None:
        self.reader, self.writer = (
            read_train.trained(ReaderConfig(), work),
            write_train.trained(WriterConfig(), work),
        )
        self.model, self.vae, self.words = averaged(work, TransformerConfig()), load_vae(work), tokenizer.build()

    def describe(self, pixels: np.ndarray) -> Caption:
        """The caption of a picture, palettes and all."""
        grid = pixels.shape[0] // TOKEN, pixels.shape[1] // TOKEN
        seen_bnc = look(self.model, self.vae, torch.from_numpy(pixels.copy())[None], SEED)
        return with_palettes(lessons.caption(read(self.reader, seen_bnc, grid)), pixels)

    def write(self, asked: str) -> Caption | None:
        """The caption that answers a text, None where it is none."""
        return judge.read(write(self.writer, self.words, asked))

    def drawn(self, truth: Truth) -> list[np.ndarray]:
        """The base's own pictures of the same scenes."""
        asked = [captions.serialise(captions.full(scene)) for _, scene in truth]
        return [p for i in range(0, len(asked), 8)
                for p in draw(self.model, self.vae, self.words, asked[i : i + 8], SEED + i, steps=24)]  # fmt: skip


def percent(values: list[bool]) -> str:
    return f"{100 * float(np.mean(values)):.0f} %" if values else "-"


def describing(trial: Trial, painter: Painter, count: int) -> Iterator[tuple[str, str, str]]:
    """(what, of true drawings, of the base's own pictures)."""
    sets: list[tuple[str, Truth]] = [(f"words in {face}", lettering(face, painter, WORDS)) for face in TYPEFACES]
    sets += [("one figure", held_out("one", count, painter)), ("four elements", held_out("four", count, painter))]
    for name, truth in sets:
        scenes = [scene for _, scene in truth]
        both = [[trial.describe(p) for p in pictures] for pictures in ([p for p, _ in truth], trial.drawn(truth))]
        told = [[row for c, s in zip(made, scenes, strict=True) for row in judge.told(c, s)] for made in both]
        for key, what in (("thing", "letters or figure right"), ("box", "box, IoU over 0.5"), ("colour", "colour")):
            yield (f"{name}: {what}", *(percent([row[key] for row in rows]) for rows in told))
        for what, holds in (("ground's colour", judge.same_ground), ("nothing wrong, nothing more", judge.all_told)):
            yield (f"{name}: {what}", *(
                percent([holds(c, s) for c, s in zip(made, scenes, strict=True)]) for made in both))  # fmt: skip


def expanding(trial: Trial, painter: Painter, count: int) -> Iterator[tuple[str, str, str]]:
    """(what, writer, the grammar of linocut.prompting)."""
    for name, level in (("simple sentences", 0.3), ("all sentences", 0.9)):
        made: list[tuple[bool, bool]] = []
        for seed in range(count):
            rng = np.random.default_rng((SEED, seed, int(10 * level)))
            size = lessons.frame(rng)
            scene = lessons.by_name(sample(rng, *size, level))
            asked = lessons.expanded(rng, painter, scene).asked
            grammar = judge.read(captions.serialise(expand(asked.split(" ", 1)[1], size, seed)))
            made.append((judge.kept(trial.write(asked), scene), judge.kept(grammar, scene)))
        yield (
            f"{name}: everything asked for, boxes apart",
            percent([m[0] for m in made]),
            percent([m[1] for m in made]),
        )


def editing(trial: Trial, painter: Painter, count: int, out: Path | None) -> Iterator[tuple[str, str, str]]:
    """(wish, the true caption changed rightly, the picture: described, its caption changed, drawn anew)."""
    sheet: list[np.ndarray] = []
    for kind in wishes.KINDS:
        rows: list[tuple[bool, bool]] = []
        for number, (pixels, painted) in enumerate(held_out("many", 3 * count, painter, series=SEED)):
            scene = wishes.ordered(painted)
            made = wishes.wish(np.random.default_rng((SEED, number)), scene, kind)
            if made is None or len(rows) == count:
                continue
            said, after = made[0], lessons.painted(painter, made[1])[1]
            fine = judge.all_told(trial.write(f"{lessons.answer(scene)} {said}"), after)
            picture = edit(trial, pixels, said, number)
            rows.append((fine, picture is not None and all_right(picture, after, painter)))
            if len(rows) <= 2 and picture is not None:
                sheet.append(np.concatenate([pixels, np.full((128, 4, 3), 255, np.uint8), picture], 1))
                print(kind, "|", said, flush=True)
        yield (f"{kind} ({len(rows)})", percent([r[0] for r in rows]), percent([r[1] for r in rows]))
    if out is not None and sheet:
        gap = np.full((128, 12, 3), 255, np.uint8)
        lines = [np.concatenate([sheet[i], gap, sheet[i + 1]], 1) for i in range(0, len(sheet) - 1, 2)]
        Image.fromarray(np.concatenate(lines)).save(out / "mini_edits.png")


def edit(trial: Trial, pixels: np.ndarray, said: str, seed: int) -> np.ndarray | None:
    """The picture after a wish, or None where no caption came of it."""
    before = trial.describe(pixels)
    after = trial.write(f"{captions.serialise(bare(before))} {said}")
    if after is None:
        return None
    anew = changed(bare(before), bare(after), (pixels.shape[0] // TOKEN, pixels.shape[1] // TOKEN))
    asked = captions.serialise(keep_palettes(before, bare(after)))
    return redraw(trial.model, trial.vae, trial.words, pixels, asked, anew, seed)


def all_right(pixels: np.ndarray, scene: Scene, painter: Painter) -> bool:
    return all(right(pixels, scene, item, painter) for item in scene.items)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--out", type=Path, help="folder for a sheet of edited pictures")
    parser.add_argument("--write", action="store_true", help="keep the table in writing.md beside this script")
    args = parser.parse_args()
    torch.set_num_threads(1)
    trial, painter = Trial(args.work), Painter(args.fonts)
    parts: list[tuple[tuple[str, str, str], Iterator[tuple[str, str, str]]]] = [
        (("describe", "of true drawings", "of the base's own pictures"), describing(trial, painter, args.count)),
        (("expand", "writer", "grammar"), expanding(trial, painter, args.count)),
        (
            ("edit", "the true caption changed", "the picture described, changed, drawn anew"),
            editing(trial, painter, args.count // 3, args.out),
        ),
    ]
    lines: list[str] = []
    for head, rows in parts:
        lines += [f"| {' | '.join(head)} |", "|---|---|---|"]
        for row in rows:
            lines.append(f"| {' | '.join(row)} |")
            print(lines[-1], flush=True)
        lines.append("")
    if args.write:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
        told = f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, one thread, commit {commit}, {args.count} a set."
        head = "# Describing, expanding and editing on the embedded base\n\n"
        head += "`python benchmarks/mini/writing.py --write`; "
        Path(__file__).with_suffix(".md").write_text(head + told + "\n\n" + "\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
