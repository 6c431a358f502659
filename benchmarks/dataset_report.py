"""The report of a dataset of 1,000 pictures, and what measuring a picture adds to its upload.

Run by ``make bench``; writes dataset_report.md beside this file.
"""

import os
import platform
import random
import statistics
import subprocess
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from PIL import Image
from sqlalchemy import insert

from linocut.accounts.organizations import ensure_user
from linocut.api.translate.reports import dataset_report
from linocut.datasets import looking, service
from linocut.db.database import Database
from linocut.db.tables import assets
from linocut.ids import new_id, now
from linocut.pictures.decoder import Decoder
from linocut.pictures.measure import measure
from linocut.pictures.types import CropRule, Measures, way_of
from linocut.samples import PICTURES
from linocut.storage.store import Store

HERE = Path(__file__).parent
PICTURES_IN_IT = 1000
ROUNDS = 7
LIMIT_SECONDS = 1.0
RULE = CropRule(1024, 16)


def fill(db: Database) -> tuple[str, str]:
    """A dataset of random measures: (user, dataset)."""
    dice = random.Random(1)
    with db.transaction() as tx:
        user_id = ensure_user(tx, "owner")
        dataset_id = service.create(tx, user_id, "large").dataset_id
        for number in range(PICTURES_IN_IT):
            likeness = tuple(f"{dice.getrandbits(255):064x}" for _ in range(16))
            measures = Measures(way_of(RULE.crop(1600, 1200)), likeness, dice.random())
            sha256 = f"{dice.getrandbits(256):064x}"
            tx.execute(
                insert(assets).values(
                    asset_id=new_id(), dataset_id=dataset_id, position=number, file_name=f"{number}.png",
                    stem=str(number), source_sha256=sha256, image_sha256=sha256, width=1600, height=1200,
                    file_size_bytes=1, caption=f"picture {number}", created_at=now(), measures=asdict(measures),
                )
            )  # fmt: skip
    return user_id, dataset_id


def report_seconds(folder: Path) -> list[float]:
    """From the database to the answer's bytes."""
    db, store, decoder = Database.open(f"sqlite:///{folder}/linocut.db"), Store.open(folder / "store"), Decoder()
    user_id, dataset_id = fill(db)
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        found = looking.report(db, store, decoder, user_id, dataset_id, RULE, 15, PICTURES_IN_IT)
        msgspec.json.encode(dataset_report(dataset_id, "base", found))
        took.append(time.perf_counter() - started)
    db.close()
    return took


def measure_milliseconds(side: int) -> float:
    """Best of five: one poster of ``side`` pixels."""
    picture = Image.open(next(PICTURES.glob("*.png"))).convert("RGB").resize((side, side))
    took = []
    for _ in range(5):
        started = time.perf_counter()
        measure(picture, RULE)
        took.append(1000 * (time.perf_counter() - started))
    return min(took)


def main() -> None:
    """Measure and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        took = report_seconds(Path(folder))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE)
    (HERE / "dataset_report.md").write_text(
        "# The report of a dataset\n\n"
        "| what | result |\n|---|---|\n"
        f"| report of {PICTURES_IN_IT:,} pictures, database to bytes, median of {ROUNDS} "
        f"| {statistics.median(took):.2f} s (at most {LIMIT_SECONDS}) |\n"
        f"| the slowest of them | {max(took):.2f} s |\n"
        f"| measuring a poster of 1024x1024 at its upload | {measure_milliseconds(1024):.0f} ms |\n"
        f"| measuring one of 3464x3464 (12 megapixels) | {measure_milliseconds(3464):.0f} ms |\n\n"
        f"Script: `benchmarks/dataset_report.py`. Date {datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip()}, "
        f"{platform.machine()},\n{os.cpu_count()} cores.\n"
    )
    assert statistics.median(took) < LIMIT_SECONDS


if __name__ == "__main__":
    main()
