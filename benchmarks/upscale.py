"""Upscaling to 2048 x 2048 on mini with one thread: seconds of CPU and of the clock, and the process's peak memory (at
most 60 s and 1 GiB asked for). A photo-like picture, in which no tile is flat, is the worst case; a drawn one is beside
it.

Run by ``make bench``; writes upscale.md beside this file. Each case runs in a process of its own.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
LIMIT_SECONDS, LIMIT_MIB = 60.0, 1024


def one(kind: str) -> None:
    """Measure one case in this process, and print it as JSON."""
    import msgspec
    import numpy as np
    import torch
    from PIL import Image

    torch.set_num_threads(1)
    from tests.engine.enlarging_pictures import halved, photograph, poster

    from linocut.bases import MINI, load_base
    from linocut.engine.open import open_engine
    from linocut.engine.tools.tool import ToolsAtHand
    from linocut.files import sha256_hex
    from linocut.generation.upscaling import level_at, steps_at
    from linocut.orders import Failed, ImageDrawn, PictureRef, UpscaleOrder

    small = halved(photograph(1, 2048, 2048) if kind == "photo-like" else poster(1, 2048, 2048))
    from io import BytesIO

    out = BytesIO()
    Image.fromarray(np.asarray(small)).save(out, "PNG")
    data, base = out.getvalue(), load_base(MINI)
    engine = open_engine("torch", base, MINI, 1, 1 << 20, 0, ToolsAtHand(256 << 20))
    order = UpscaleOrder(
        base=base.identity, organization_id="o", caption="", width=128, height=128, output_width=2048,
        output_height=2048, seeds=(1,),
        sampling=msgspec.structs.replace(base.sampling["DEFAULT"], steps=steps_at(level_at(50)), guidance=1.0),
        adapter=None, picture=PictureRef(sha256=sha256_hex(data), width=1024, height=1024), enlarger="auto", cell=16,
        level=level_at(50), told=1.0, sharper=1.0,
    )  # fmt: skip
    began, spent = time.perf_counter(), time.process_time()
    engine.admit("k", order, lambda sha256: data, Path())
    tools: list[str] = []
    longest = 0.0
    while engine.busy():
        step = time.perf_counter()
        for event in engine.step():
            assert not isinstance(event, Failed), event.error.message
            tools += list(event.tools) if isinstance(event, ImageDrawn) else []
        longest = max(longest, time.perf_counter() - step)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took = {"clock": time.perf_counter() - began, "cpu": time.process_time() - spent, "mib": peak}
    print(json.dumps({**took, "tools": tools, "longest": longest}))


def main() -> None:
    """Measure, print and write the result."""
    rows = []
    for kind in ("photo-like", "drawn"):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent)}
        done = subprocess.run(
            [sys.executable, __file__, kind], env=environment, capture_output=True, text=True, check=True
        )
        found = json.loads(done.stdout.splitlines()[-1])
        name, longest = f"{kind} ({', '.join(found['tools'])})", 1000 * found["longest"]
        rows.append(f"| {name} | {found['cpu']:.1f} | {found['clock']:.1f} | {found['mib']:.0f} | {longest:.0f} |")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE).stdout
    text = f"""# Upscaling to 2048 x 2048 on mini, one thread

| picture (enlarger) | s of CPU | s by the clock | peak MiB of the process | longest pass, ms |
|---|---|---|---|---|
{chr(10).join(rows)}

Asked for: at most {LIMIT_SECONDS:.0f} s and {LIMIT_MIB} MiB. The peak has torch, the base and the pictures in it. A
pass takes up to four tiles of 128 x 128 pixels; between two passes the orders of others get theirs.

Script: `benchmarks/upscale.py`. Date {datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()},
{platform.machine()}, {os.cpu_count()} cores beside other work.
"""
    (HERE / "upscale.md").write_text(text)
    print(text)


if __name__ == "__main__":
    one(sys.argv[1]) if len(sys.argv) > 1 else main()
