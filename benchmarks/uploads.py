"""How quickly pictures are taken in: requests of 15 JPEGs to a server, as photographs come from a camera.

Two mixes: upright photographs of 2400 x 1800 in sRGB, which are stored as they came, and the same lying on their side,
which are turned and stored as PNGs. Megabytes a second by the clock, processor time of the API process and of its
decoding processes a picture, and how many times what was sent is stored. At least 18.6 MB a second of the first mix is
the target: three times the 6.2 of 28 November 2026, when every picture was stored as a PNG, one after the other.

Run by ``make bench``; writes uploads.md beside this file. With the ``src`` folder of another version as its argument
(``git archive 07238b7 src | tar x -C /tmp/before``) that version is measured too, in alternating requests.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from statistics import median

import psutil
from load import serving, where
from PIL import Image, ImageChops, ImageFilter

from linocut.accounts import keys, organizations
from linocut.client import Client
from linocut.runtime import Runtime
from linocut.samples import PICTURES
from linocut.settings import Settings

SIZE, REQUESTS, EACH = (2400, 1800), 3, 15
LEAST_MB = 18.6
MIXES = {"upright": 1, "lying on their side": 6}
"""EXIF orientations."""


def photographs(count: int, orientation: int) -> list[bytes]:
    """About 3 MB each: a poster with grain, another stretch of it in each channel of each picture."""
    samples, grain = sorted(PICTURES.glob("*.png")), Image.effect_noise(SIZE, 40).filter(ImageFilter.GaussianBlur(0.6))
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = []
    for number in range(count):
        with Image.open(samples[number % len(samples)]) as sample:
            smooth = sample.convert("RGB").resize(SIZE, Image.Resampling.BILINEAR)
        channels = [ImageChops.offset(grain, 41 * (3 * number + channel), 17 * number) for channel in range(3)]
        out = BytesIO()
        rough = ImageChops.add(smooth, Image.merge("RGB", channels), offset=-128)
        rough.save(out, "JPEG", quality=92, exif=exif)
        found.append(out.getvalue())
    return found


@dataclass
class Taking:
    """A server of one version, and what its requests took: the clock, and processor seconds of API and decoding."""

    client: Client
    process: psutil.Process
    folder: Path
    dataset: str
    seconds: list[float] = field(default_factory=list)
    api: float = 0.0
    decoding: float = 0.0

    def send(self, files: list[Path]) -> None:
        """One request."""
        began, (api, below) = time.perf_counter(), self._spent()
        report = self.client.upload(self.dataset, files)
        if report["failure_count"]:
            raise SystemExit(f"refused: {report}")
        self.seconds.append(time.perf_counter() - began)
        api_end, below_end = self._spent()
        self.api, self.decoding = self.api + api_end - api, self.decoding + below_end - below

    def forget(self) -> None:
        """What went before was to warm up."""
        self.seconds, self.api, self.decoding = [], 0.0, 0.0

    def stored(self) -> int:
        """Bytes in the store."""
        return sum(path.stat().st_size for path in (self.folder / "store" / "blobs").rglob("*") if path.is_file())

    def _spent(self) -> tuple[float, float]:
        own, below = self.process.cpu_times(), [one.cpu_times() for one in self.process.children(recursive=True)]
        return own.user + own.system, sum(one.user + one.system for one in below)


@contextmanager
def server(source: str) -> Iterator[Taking]:
    """A server of the version in ``source``; "": of this one."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        runtime = Runtime.open(Settings(data=folder, safety_pictures="off"))
        with runtime.db.transaction() as tx:
            user, organization = organizations.ensure_user(tx, "b"), organizations.ensure_organization(tx, "b")
            organizations.add_member(tx, organization, user, "OWNER")
            key = keys.create_key(tx, user_id=user, organization_id=organization).api_key
        runtime.close()
        if source:
            os.environ["PYTHONPATH"] = source
        command = ["-m", "linocut.api.serve"]
        with serving(folder, command, safety_pictures="off") as (url, process), Client(key, url) as to:
            os.environ.pop("PYTHONPATH", None)
            yield Taking(to, psutil.Process(process), folder, to.create_dataset("photographs")["dataset_id"])


def measured(name: str, orientation: int, versions: dict[str, str]) -> list[str]:
    """A row for each version."""
    with ExitStack() as stack:
        pictures = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = []
        for number, picture in enumerate(photographs(REQUESTS * EACH + 2, orientation)):
            files.append(pictures / f"{number}.jpg")
            files[-1].write_bytes(picture)
        takings = {said: stack.enter_context(server(source)) for said, source in versions.items()}
        for one in takings.values():
            one.send(files[-2:])  # its processes start
            one.forget()
        before = {said: one.stored() for said, one in takings.items()}
        for at in range(0, REQUESTS * EACH, EACH):
            for one in takings.values():
                one.send(files[at : at + EACH])
        sent = sum(path.stat().st_size for path in files[:-2])
        rows, each = [], 1000 / (REQUESTS * EACH)
        for said, one in takings.items():
            speed = sent / 1e6 / REQUESTS / median(one.seconds)
            stored = (one.stored() - before[said]) / sent
            rows.append(
                f"| {name} | {said} | {speed:.1f} | {1000 * median(one.seconds) / EACH:.0f} | {each * one.api:.0f} | "
                f"{each * one.decoding:.0f} | {stored:.2f} |"
            )
        return rows


def main() -> None:
    """Measure, print and write the result."""
    versions = {"before": sys.argv[1], "now": ""} if len(sys.argv) > 1 else {"now": ""}
    lines = [
        "# Uploads",
        "",
        f"{REQUESTS} requests of {EACH} JPEGs of {SIZE[0]} x {SIZE[1]}, about 3 MB each, the versions in turn; at "
        f"least {LEAST_MB} MB a second of the upright ones is the target:",
        "",
        "| pictures | version | MB a second, median | ms a picture | API, processor ms | decoding, processor ms | "
        "stored / sent |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, orientation in MIXES.items():
        lines += measured(name, orientation, versions)
    lines += ["", where("uploads.py")]
    text = "\n".join(lines) + "\n"
    (Path(__file__).parent / "uploads.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
