"""How well and how fast an object is cut out: the embedded tool on drawn composites of 1024 x 1024 pixels.

Three pictures for each of four grounds (flat, gradient, textured, out of focus) and two edges (hard, hairy); the truth
is known (``tests/engine/cutout_pictures.py``). Told are the overlap of what is more than half there, the mean error of
the alpha, and the distance of the edge's colours from the object's own (of 255), each beside doing nothing; the seconds
of processor time; and by how much a process grows at most.

Run by ``make bench``; writes cutout.md beside this file. ``--tool FILE.onnx`` measures a network of yours instead.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from load import where

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.engine.cutout_pictures import EDGES, GROUNDS, Composite, Levels, composite, error, overlap  # noqa: E402

from linocut.engine.tools.border_matting import BorderMatting  # noqa: E402
from linocut.engine.tools.foreground import freed  # noqa: E402
from linocut.engine.tools.onnx_matting import OnnxMatting  # noqa: E402
from linocut.engine.tools.tool import Tool  # noqa: E402

SIDE, PICTURES = 1024, 3


def measured(tool: Tool, ground: str, edge: str) -> tuple[list[float], list[float], int]:
    """(means of overlap, error, colours and seconds; the same of doing nothing; how many cuts were not sure)."""
    found, nothing, unsure = [], [], 0
    for seed in range(PICTURES):
        one = composite(ground, edge, 100 + seed, SIDE)
        began = time.process_time()
        cut = tool.run(one.picture_HWC)
        colours_HWC = freed(one.picture_HWC, cut.alpha_HW)
        seconds = time.process_time() - began
        unsure += not cut.sure
        whole = np.full_like(cut.alpha_HW, 255)
        found.append([*_alphas(one, cut.alpha_HW), _colours(one, cut.alpha_HW, colours_HWC), seconds])
        nothing.append([*_alphas(one, whole), _colours(one, cut.alpha_HW, one.picture_HWC)])
    return np.mean(found, axis=0).tolist(), np.mean(nothing, axis=0).tolist(), unsure


def _alphas(one: Composite, alpha_HW: Levels) -> tuple[float, float]:
    return overlap(alpha_HW, one.alpha_HW), error(alpha_HW, one.alpha_HW)


def _colours(one: Composite, alpha_HW: Levels, colours_HWC: Levels) -> float:
    edge_HW = (one.alpha_HW > 25) & (one.alpha_HW < 230) & (alpha_HW > 25)
    return float(np.abs(colours_HWC[..., :3].astype(float) - one.object_HWC)[edge_HW].mean()) if edge_HW.any() else 0.0


def grown(file: str) -> float:
    """MiB by which a fresh process grows at most while it cuts out one busy picture."""
    script = [sys.executable, __file__, "--grown", *(["--tool", file] if file else [])]
    return float(subprocess.run(script, capture_output=True, text=True, check=True).stdout)


def _tell_growth(tool: Tool) -> None:
    one = composite("photo", "hairy", 7, SIDE)
    small = composite("flat", "hard", 7, 64)
    freed(small.picture_HWC, tool.run(small.picture_HWC).alpha_HW)  # what is loaded on first use is no growth
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    freed(one.picture_HWC, tool.run(one.picture_HWC).alpha_HW)
    sys.stdout.write(f"{(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024:.0f}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", default="", help="an ONNX file; without one, the embedded tool")
    parser.add_argument("--grown", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    tool = OnnxMatting(Path(given.tool)) if given.tool else BorderMatting()
    if given.grown:
        _tell_growth(tool)
        return
    name = f"`onnx-matting ({Path(given.tool).name})`" if given.tool else "`border-matting`"
    lines = [
        "# Cutting out",
        "",
        f"The tool {name} on drawn composites of {SIDE} x {SIDE} pixels, {PICTURES} a row. In brackets: doing nothing.",
        "",
        "| ground | edge | overlap | alpha error | colours of the edge | not sure | processor seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for ground in GROUNDS:
        for edge in EDGES:
            (iou, alpha, colours, seconds), (iou_0, alpha_0, colours_0), unsure = measured(tool, ground, edge)
            lines.append(
                f"| {ground} | {edge} | {iou:.3f} ({iou_0:.2f}) | {alpha:.4f} ({alpha_0:.2f}) | {colours:.1f} "
                f"({colours_0:.1f}) | {unsure} of {PICTURES} | {seconds:.2f} |"
            )
            print(lines[-1], flush=True)
    lines += [
        "",
        f"The process grows by at most {grown(given.tool):.0f} MiB. {where('cutout.py')}",
    ]
    if not given.tool:
        (ROOT / "benchmarks" / "cutout.md").write_text("\n".join(lines) + "\n")
    print(lines[-1])


if __name__ == "__main__":
    main()
