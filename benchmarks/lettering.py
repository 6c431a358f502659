"""What reading lettering, finding typefaces and erasing cost at 1024 x 1024 on one thread, and what they are worth.

Each tool runs in a process of its own, on a poster of 14 lines. Seconds are of the processor, the middle of three runs
behind one to warm up; memory is the highest resident size that was seen less the size before the tool was loaded. The
figures of quality are those of ``tests/engine/test_posters.py``: five posters in ten typefaces.

Run by ``make bench``; writes lettering.md beside this file.
"""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
MIB = 2**20
SIDE = 1024
TOOLS = ("lettering", "typefaces", "erasing")


def poster() -> Any:
    """14 lines on a busy ground."""
    from tests.engine.lettering_pictures import face, ground, write

    picture = ground("busy", SIDE, SIDE, "#8090A0")
    for row in range(14):
        middle = (SIDE / 2, SIDE * (row + 0.7) / 15)
        write(picture, "The quick brown fox jumps over it", middle, face("roboto", SIDE // 28), "#101010")
    return np.asarray(picture)


def resident() -> float:
    """MiB of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB


def measured(load: Callable[[], Callable[[], Any]]) -> tuple[float, float]:
    """(seconds of the processor, MiB at the highest) of what ``load`` gives."""
    before, highest, done = resident(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.004):
            highest[0] = max(highest[0], resident())

    watching = threading.Thread(target=watch)
    watching.start()
    call = load()
    call()
    took = []
    for _ in range(3):
        began = time.process_time()
        call()
        took.append(time.process_time() - began)
    done.set()
    watching.join()
    return statistics.median(took), highest[0] - before


def one(name: str) -> None:
    """Measure one tool in this process, and print it."""
    pixels = poster()
    print(*measured({"lettering": reading, "typefaces": finding, "erasing": erasing}[name](pixels)))


def reading(pixels: Any) -> Callable[[], Callable[[], Any]]:
    """The lettering tool."""

    def load() -> Callable[[], Any]:
        from linocut.engine.tools.lettering import Reader

        reader = Reader()
        return lambda: reader.run(pixels)

    return load


def finding(pixels: Any) -> Callable[[], Callable[[], Any]]:
    """The typefaces of all blocks, none of which was met before."""
    from linocut.engine.layers import looked_at
    from linocut.engine.text_blocks import blocks_of
    from linocut.engine.tools.lettering import Reader

    looked = looked_at(pixels, blocks_of(Reader().run(pixels).lines, SIDE, SIDE))

    def load() -> Callable[[], Any]:
        from linocut.engine.tools.typefaces import Typefaces

        def run() -> None:
            faces = Typefaces()
            for block in looked:
                faces.run(block.samples)

        return run

    return load


def erasing(pixels: Any) -> Callable[[], Callable[[], Any]]:
    """Marking and filling."""
    from linocut.engine.erasing import filled, marks_of
    from linocut.engine.tools.lettering import Reader

    lines = Reader().run(pixels).lines
    return lambda: lambda: filled(pixels, marks_of(pixels, lines))


def quality() -> list[str]:
    """Rows of what is read, found and left, beside the trivial answer."""
    from tests.engine import test_posters as posters
    from tests.engine.posters import figures, residual

    ours = figures([one.lines for one in posters.read()], posters.POSTERS)
    first = third = 0
    for poster, blocks in zip(posters.POSTERS, posters.blocks(), strict=True):
        for family, block in zip(dict.fromkeys(poster.families), blocks, strict=True):
            named = [font.family for font in block.fonts]
            first, third = first + (named[0] == family), third + (family in named[:3])
    left = [residual(after, poster) for after, poster in zip(posters.erased(), posters.POSTERS, strict=True)]
    before = [residual(np.asarray(poster.picture), poster) for poster in posters.POSTERS]
    return [
        f"| character errors | {100 * ours.errors:.1f} % | 100 % (nothing read) |",
        f"| overlap of boxes, mean (least) | {ours.boxes:.3f} ({ours.least_box:.3f}) | 0 (nothing read) |",
        f"| difference of ink colours, CIE Lab | {ours.colour:.2f} | 100 (nothing read) |",
        f"| largest error of an angle | {ours.angle:.2f} degrees | up to 15 (all level) |",
        f"| typeface first, among the first three | {first}, {third} of 10 | 0 of 10 (by the alphabet) |",
        f"| left of the letters, CIE Lab, mean | {np.mean(left):.2f} | {np.mean(before):.1f} (untouched) |",
    ]


def main() -> None:
    """Measure and write."""
    from load import where

    rows = []
    for name in TOOLS:
        code = f"import sys; sys.path[:0] = [{str(Path(__file__).parent)!r}]; import lettering; lettering.one({name!r})"
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        seconds, mib = map(float, done.stdout.split()[-2:])
        rows.append(f"| {name} | {seconds:.2f} | {mib:.0f} |")
        print(rows[-1], flush=True)
    lines = ["# Lettering", "", where("lettering.py"), "", f"A poster of 14 lines, {SIDE} x {SIDE}, one thread:", ""]
    lines += ["| | seconds of the processor | MiB at the highest |", "|---|---|---|", *rows, ""]
    lines += [
        "Five posters in ten typefaces (`tests/engine/posters.py`):",
        "",
        "| | reached | trivial answer |",
        "|---|---|---|",
    ]
    lines += [*quality(), ""]
    Path(__file__).with_suffix(".md").write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
