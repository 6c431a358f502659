"""Seconds of the processor for looking at a picture of 1024 x 1024 with the tool ``scene``. Run by ``make bench``;
writes describing.md beside this file."""

import time
from pathlib import Path

import numpy as np
from load import where

from linocut.engine.tools.scene.scene import Look, Scene
from linocut.samples.draw import kettle_and_fern, night_signal, posters


def main() -> None:
    """Twelve posters of each style, after one that warms up."""
    pictures = [np.asarray(draw(poster, 1024)) for draw in (kettle_and_fern, night_signal) for poster in posters(12)]
    tool = Scene()
    tool.run(Look(pictures[0]))
    began = time.process_time()
    for pixels_HWC in pictures:
        tool.run(Look(pixels_HWC))
    seconds = (time.process_time() - began) / len(pictures)
    told = f"Scene: {seconds:.2f} s of the processor for 1024 x 1024, one thread."
    Path(__file__).with_suffix(".md").write_text(f"# Describing\n\n{where(Path(__file__).name)}\n\n{told}\n")
    print(told)


if __name__ == "__main__":
    main()
