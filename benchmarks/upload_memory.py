"""How much the API process grows under the largest uploads: 50 MB of pictures, a hundred pictures, four at once.

Each case has a server of its own, warmed up by one small upload. Growth is the highest resident size that the kernel
saw (VmHWM) less the resident size before; at most 64 MiB are allowed. Pictures are decoded in a child process with
limits of its own, whose highest size is told too.

Run by ``make bench``; writes upload_memory.md beside this file.
"""

import contextlib
import io
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import numpy
import psutil
from load import serving, where
from PIL import Image

from linocut.accounts import keys, organizations
from linocut.runtime import Runtime
from linocut.settings import Settings

MIB = 1024 * 1024
LIMIT_MIB = 64
Files = list[tuple[str, bytes]]


def png(number: int, side: int, kind: str = "PNG") -> bytes:
    """A picture of noise, which no format makes much smaller."""
    pixels = numpy.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=numpy.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **({"compress_level": 1} if kind == "PNG" else {"quality": 90}))
    return out.getvalue()


def cases() -> list[tuple[str, list[Files]]]:
    """Name, and the uploads that are sent at once."""
    large = [("large0.png", png(0, 2850)), ("large1.png", png(1, 2850))]
    many = [(f"p{number}.jpg", png(number, 640, "JPEG")) for number in range(100)]
    fours = [[(f"{at}{name}", data) for name, data in many[at::4]] for at in range(4)]
    return [
        (f"one request of {sum(len(data) for _, data in large) / 1e6:.0f} MB", [large]),
        (f"one request of {len(many)} pictures, {sum(len(data) for _, data in many) / 1e6:.0f} MB", [many]),
        ("four requests of 25 pictures at once", fours),
        ("four requests of the large ones at once", [large] * 4),
    ]


def account(data: Path) -> str:
    """A key."""
    with contextlib.closing(Runtime.open(Settings(data=data))) as runtime, runtime.db.transaction() as tx:
        user = organizations.ensure_user(tx, "benchmark")
        organization = organizations.ensure_organization(tx, "benchmark")
        organizations.add_member(tx, organization, user, "OWNER")
        return keys.create_key(tx, user_id=user, organization_id=organization).api_key


def status(pid: int, name: str) -> int:
    """A size from the process's status, bytes."""
    [line] = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith(name)]
    return int(line.split()[1]) * 1024


def upload(http: httpx2.Client, dataset_id: str, files: Files) -> int:
    """Send files -> how many were taken."""
    parts = [("files", (name, data)) for name, data in files]
    answer = http.post(f"/datasets/{dataset_id}/upload_assets", files=parts)
    answer.raise_for_status()
    return int(answer.json()["success_count"])


def measure(uploads: list[Files]) -> tuple[float, float]:
    """(growth of the API process, highest size of its decoding process), MiB."""
    with tempfile.TemporaryDirectory() as folder:
        key = account(Path(folder))
        with (
            serving(Path(folder), ["-m", "linocut.api.serve"], max_request_mib="64") as (url, pid),
            httpx2.Client(base_url=url, headers={"Api-Key": key}, timeout=300) as http,
        ):
            ids = [http.post("/datasets", json={"name": "d"}).json()["dataset_id"] for _ in range(5)]
            upload(http, ids[4], [("small.png", png(9, 64))])
            before = status(pid, "VmRSS")
            with ThreadPoolExecutor(4) as threads:
                taken = list(threads.map(lambda pair: upload(http, *pair), zip(ids, uploads, strict=False)))
            assert taken == [len(files) for files in uploads], taken
            grown = max(0, status(pid, "VmHWM") - before)
            children = [status(child.pid, "VmHWM") for child in psutil.Process(pid).children()]
    return grown / MIB, max(children, default=0) / MIB


def main() -> None:
    """Measure, print and write the result."""
    rows = []
    for name, uploads in cases():
        grown, child = measure(uploads)
        rows.append(f"| {name} | {grown:.1f} MiB | {child:.0f} MiB |")
    table = "\n".join(rows)
    text = f"""# Memory of the API process during uploads

| upload | growth of the API process | the decoding process at most |
|---|---|---|
{table}

Allowed: {LIMIT_MIB} MiB of growth. {where("upload_memory.py")}
"""
    Path(__file__).with_suffix(".md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
