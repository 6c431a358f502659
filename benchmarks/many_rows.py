"""Lists and reads in a database with 25,000 custom models and 1,000,000 files, beside the same in an empty one.

The same caller with the same few rows of its own asks both; at most 1.5 times the empty one's median is asked for, and
of its p95. The other rows belong to 100 other users. The user who owns all 25,000 models of a third database is told
too: its list is as long as it is, so that row has no limit.

    python benchmarks/many_rows.py [--models 25000] [--files 1000000]

Run by ``make bench``; writes many_rows.md beside this file.
"""

import argparse
import contextlib
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
from load import percentile, serving, where
from PIL import Image
from sqlalchemy import Connection, Table, insert

from linocut.accounts import keys, organizations
from linocut.db.tables import datasets, jobs, models, run_images, training_runs
from linocut.ids import new_id, now
from linocut.runtime import Runtime
from linocut.settings import Settings

ASKED = {"GET": 200, "upload": 40, "start": 40}
"""How often each is asked, by the first word of its name."""

LIMIT = 1.5
USERS = 100
FILES_A_DATASET = 50
MINE = 5
"""Datasets and models of the caller."""


@dataclass
class House:
    """One data folder, its caller, and what the caller owns."""

    folder: Path
    key: str
    dataset_id: str
    model_id: str


def person(tx: Connection, name: str) -> tuple[str, str]:
    """(user, organisation)."""
    user, organization = organizations.ensure_user(tx, name), organizations.ensure_organization(tx, name)
    organizations.add_member(tx, organization, user, "OWNER")
    return user, organization


def insert_all(tx: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    """Many rows, a few thousand at a time."""
    left = iter(rows)
    while some := list(islice(left, 5000)):
        tx.execute(insert(table), some)


def insert_files(tx: Connection, dataset_ids: list[str], n_files: int) -> None:
    """Files in order, so many a dataset. By SQLite itself: a million rows through Python would take minutes."""
    tx.exec_driver_sql("CREATE TEMP TABLE IF NOT EXISTS places (place INTEGER PRIMARY KEY, dataset_id, created_at)")
    tx.exec_driver_sql("DELETE FROM places")
    for place, dataset_id in enumerate(dataset_ids):
        tx.exec_driver_sql(
            "INSERT INTO places SELECT ?, dataset_id, created_at FROM datasets WHERE dataset_id = ?",
            (place, dataset_id),
        )
    tx.exec_driver_sql(
        """
        INSERT INTO assets (asset_id, dataset_id, position, file_name, stem, source_sha256, image_sha256, width, height,
                            file_size_bytes, caption, caption_is_json, created_at)
        WITH RECURSIVE files(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM files WHERE i + 1 < ?)
        SELECT ? || printf('%016x', i), dataset_id, i % ? + 1, 'p' || i || '.png', 'p' || i, printf('%064x', i),
               printf('%064x', i), 512, 512, 100000, 'a tea poster', 0, created_at
        FROM files JOIN places ON place = i / ?
        """,
        (n_files, new_id()[:6], FILES_A_DATASET, FILES_A_DATASET),
    )


def fill(tx: Connection, people: list[tuple[str, str]], n_models: int, n_files: int) -> tuple[str, str]:
    """Models, each with its job and run, and files in datasets, dealt out to ``people`` -> one (dataset, model)."""
    moment = now()
    n_datasets = max(1, n_files // FILES_A_DATASET)
    dataset_ids = [new_id() for _ in range(n_datasets)]
    model_ids, run_ids, job_ids = ([new_id() for _ in range(n_models)] for _ in range(3))
    owner = [people[number % len(people)] for number in range(max(n_models, n_datasets))]

    def dataset_rows() -> Iterator[dict[str, Any]]:
        for number, dataset_id in enumerate(dataset_ids):
            at = moment - timedelta(seconds=number)
            yield {"dataset_id": dataset_id, "user_id": owner[number][0], "name": f"Tea {number}",
                   "image_count": FILES_A_DATASET, "created_at": at, "updated_at": at}  # fmt: skip

    def model_rows() -> Iterator[dict[str, Any]]:
        for number, model_id in enumerate(model_ids):
            at = moment - timedelta(seconds=number)
            yield {"model_id": model_id, "user_id": owner[number][0], "dataset_id": dataset_ids[number % n_datasets],
                   "name": f"Tea {number}", "status": "COMPLETED", "base": "mini@0", "first_version": 1,
                   "slug": f"tea-{model_id.lower()}-{number}", "version": 1, "adapter_sha256": "0" * 64,
                   "adapter_bytes": 1, "created_at": at, "updated_at": at}  # fmt: skip

    def job_rows() -> Iterator[dict[str, Any]]:
        for number, job_id in enumerate(job_ids):
            yield {"job_id": job_id, "kind": "train", "organization_id": owner[number][1], "status": "DONE",
                   "order": "{}", "images": 0, "created_at": moment, "finished_at": moment}  # fmt: skip

    def run_rows() -> Iterator[dict[str, Any]]:
        for number, run_id in enumerate(run_ids):
            yield {"run_id": run_id, "model_id": model_ids[number], "job_id": job_ids[number], "status": "COMPLETED",
                   "training_steps": 120, "lora_rank": 16, "ema": 0.99, "learning_rate": 0.002, "seed": 1,
                   "step": 120, "scores": {"120": 0.5}, "created_at": moment, "updated_at": moment}  # fmt: skip

    insert_all(tx, datasets, dataset_rows())
    insert_files(tx, dataset_ids, n_files)
    insert_all(tx, models, model_rows())
    insert_all(tx, jobs, job_rows())
    insert_all(tx, training_runs, run_rows())
    insert_all(tx, run_images, ({"run_id": run_id, "image_sha256": "0" * 64} for run_id in run_ids))
    return dataset_ids[0], model_ids[0]


def build(folder: Path, others: int, n_models: int, n_files: int, *, all_mine: bool = False) -> House:
    """A database with so many rows of so many others; ``all_mine``: the models are the caller's instead."""
    with contextlib.closing(Runtime.open(Settings(data=folder))) as runtime, runtime.db.transaction() as tx:
        caller = person(tx, "caller")
        key = keys.create_key(tx, user_id=caller[0], organization_id=caller[1])
        if n_models:
            crowd = [caller] if all_mine else [person(tx, f"other {number}") for number in range(others)]
            fill(tx, crowd, n_models, n_files)
        dataset_id, model_id = fill(tx, [caller], MINE, MINE * FILES_A_DATASET)
    return House(folder, key.api_key, dataset_id, model_id)


def small_png(number: int) -> bytes:
    """A picture; each number another one."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (number % 256, number // 256 % 256, 7)).save(out, "PNG")
    return out.getvalue()


def operations(house: House, http: httpx2.Client) -> dict[str, Callable[[int], httpx2.Response]]:
    """What is asked, by name; the number makes each upload and training another one."""
    fresh = http.post("/datasets", json={"name": "uploads"}).json()["dataset_id"]
    for number in range(15):
        http.post(f"/datasets/{fresh}/upload_assets", files=[("files", (f"s{number}.png", small_png(number)))])

    def train(number: int) -> httpx2.Response:
        body = {"dataset_id": fresh, "model_name": f"Tea posters {number}"}
        return http.post("/v1/ideogram-v3/train-model", json=body)

    def upload(number: int) -> httpx2.Response:
        file = (f"u{number}.png", small_png(1000 + number))
        return http.post(f"/datasets/{fresh}/upload_assets", files=[("files", file)])

    return {
        "`GET /models`": lambda number: http.get("/models"),
        "`GET /models/{model_id}`": lambda number: http.get(f"/models/{house.model_id}"),
        "`GET /datasets`": lambda number: http.get("/datasets"),
        "`GET /datasets/{dataset_id}`": lambda number: http.get(f"/datasets/{house.dataset_id}"),
        "upload of one picture": upload,
        "start of a training": train,
    }


Taken = dict[str, list[float]]


def measure(houses: dict[str, House]) -> dict[str, Taken]:
    """Seconds of each answer, by house and operation; the houses are asked in turn, so that they share every noise."""
    taken: dict[str, Taken] = {name: {} for name in houses}
    with contextlib.ExitStack() as open_now:
        asked = {}
        for name, house in houses.items():
            limits = {"max_dataset_images": "1000"}
            url, _ = open_now.enter_context(serving(house.folder, ["-m", "linocut.api.serve"], **limits))
            http = httpx2.Client(base_url=url, headers={"Api-Key": house.key}, timeout=300)
            asked[name] = operations(house, open_now.enter_context(http))
        for operation in next(iter(asked.values())):
            times = next(count for word, count in ASKED.items() if word in operation)
            for number in range(times + 3):
                for name in houses:
                    began = time.perf_counter()
                    asked[name][operation](number).raise_for_status()
                    if number >= 3:
                        taken[name].setdefault(operation, []).append(time.perf_counter() - began)
    return taken


def whole_list(house: House) -> float:
    """Seconds of ``GET /models`` for the owner of every model."""
    with serving(house.folder, ["-m", "linocut.api.serve"]) as (url, _):
        http = httpx2.Client(base_url=url, headers={"Api-Key": house.key}, timeout=300)
        seconds = []
        for _ in range(3):
            began = time.perf_counter()
            http.get("/models").raise_for_status()
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def main() -> None:
    """Build, measure, print and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=25_000)
    parser.add_argument("--files", type=int, default=1_000_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        began = time.perf_counter()
        full = build(root / "full", USERS, args.models, args.files)
        built = time.perf_counter() - began
        size = (root / "full" / "linocut.db").stat().st_size / 1e6
        taken = measure({"empty": build(root / "empty", 0, 0, 0), "full": full})
        owner = whole_list(build(root / "owner", 0, args.models, FILES_A_DATASET, all_mine=True))
    rows = []
    for name, empty in taken["empty"].items():
        crowded = taken["full"][name]
        medians = statistics.median(empty), statistics.median(crowded)
        tails = percentile(empty, 0.95), percentile(crowded, 0.95)
        rows.append(
            f"| {name} | {1e3 * medians[0]:.2f} | {1e3 * medians[1]:.2f} | **{medians[1] / medians[0]:.2f}** "
            f"| {1e3 * tails[0]:.2f} | {1e3 * tails[1]:.2f} | {tails[1] / tails[0]:.2f} |"
        )
    table = "\n".join(rows)
    text = f"""# A database of {args.models:,} models and {args.files:,} files

| what, ms | empty, median | full, median | ratio | empty, p95 | full, p95 | ratio |
|---|---|---|---|---|---|---|
{table}

At most {LIMIT} times is asked for. The caller owns {MINE} models and {MINE + 1} datasets in both; {USERS} others own
the rest; SQLite, {size:,.0f} MB, filled in {built:.0f} s. {ASKED["GET"]} reads and {ASKED["upload"]} writes each, the
two servers in turn.
`GET /models` of an owner of all {args.models:,} models takes {owner:.1f} s: that list is published without pages.

{where("many_rows.py")}
"""
    Path(__file__).with_suffix(".md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
