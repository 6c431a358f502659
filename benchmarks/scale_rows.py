"""Enqueue, lease, finish and reads on PostgreSQL with 1,000 organisations, 100,000 custom models, 10,000,000 images.

Beside an empty database on the same server, in alternating pairs, so that whatever else the machine does concerns both.
A job is queued as the API queues it (limits, reservation), leased as a worker leases it, and finished with its image.
``GET /models/{id}`` is asked of two API processes.

    python benchmarks/scale_rows.py [--images 10000000] [--pairs 300]

Writes scale_rows.md beside this file. Ten million images take about 8 GB of the temporary folder, and some minutes.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from load import percentile, serving, where
from sqlalchemy import func, select

from linocut import ids
from linocut.accounts import keys, organizations
from linocut.accounts.types import Caller
from linocut.bases import Sampling
from linocut.db.tables import images
from linocut.generation.admission import Request, admitted
from linocut.jobs import queue
from linocut.jobs.types import Asking
from linocut.ledger.types import Charge
from linocut.orders import AdapterRef, GenerateOrder
from linocut.runtime import Runtime
from linocut.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.api.live import base_folder
from tests.db.postgres import Postgres

ORGANIZATIONS, MODELS, IMAGES_A_REQUEST = 1_000, 100_000, 4
LIMIT = 1.5

FILL = """
INSERT INTO organizations (organization_id, name, created_at)
  SELECT lpad(i::text, 22, 'o'), 'organisation ' || i, now() FROM generate_series(1, {organizations}) i;
INSERT INTO users (user_id, name, created_at)
  SELECT lpad(i::text, 22, 'u'), 'user ' || i, now() FROM generate_series(1, {organizations}) i;
INSERT INTO members (organization_id, user_id, role, created_at)
  SELECT lpad(i::text, 22, 'o'), lpad(i::text, 22, 'u'), 'OWNER', now() FROM generate_series(1, {organizations}) i;
INSERT INTO models (model_id, user_id, name, status, base, first_version, slug, version, adapter_sha256, adapter_bytes,
                    created_at, updated_at)
  SELECT lpad(i::text, 22, 'm'), lpad((i % {organizations} + 1)::text, 22, 'u'), 'Model ' || i, 'COMPLETED', '{base}',
         1, 'model-' || i, 1, md5(i::text) || md5((-i)::text), 1000000, now(), now()
  FROM generate_series(1, {models}) i;
INSERT INTO images (image_id, job_id, image_sha256, created_at, organization_id, user_id, operation, custom_model_uri,
                    base, search, seed, width, height)
  SELECT lpad(i::text, 22, 'i'), lpad((i / {a_request})::text, 22, 'j'), md5(i::text) || md5((-i)::text),
         now() - i * interval '1 second', lpad((i % {organizations} + 1)::text, 22, 'o'),
         lpad((i % {organizations} + 1)::text, 22, 'u'), 'generate',
         'model/model-' || (i % {models} + 1) || '/version/1', '{base}', 'a tea poster in green and red', i, 1024, 1024
  FROM generate_series(1, {images}) i;
INSERT INTO drawings (job_id, path, operation, prompt, fields, notes, created_at)
  SELECT lpad(i::text, 22, 'j'), '/v1/ideogram-v3/generate', 'generate', 'A tea poster, in green and red',
         '{{}}', '[]', now() - i * interval '4 seconds'
  FROM generate_series(1, {images} / {a_request}) i;
INSERT INTO ledger (at, hour, organization_id, kind, amount, balance, currency, name, job_id, quantity)
  SELECT now() - i * interval '4 seconds', extract(epoch FROM now())::bigint / 3600 - i / 900,
         lpad((i % {organizations} + 1)::text, 22, 'o'), 'charge', 0, 0, 'USD', 'generate', lpad(i::text, 22, 'j'), 4
  FROM generate_series(1, {images} / {a_request}) i;
"""


@dataclass
class House:
    """One database with its API process, a caller, and a model of the caller's."""

    runtime: Runtime
    caller: Caller
    key: str
    model_id: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    leased: list[tuple[str, int]] = field(default_factory=list)


def house(url: str, folder: Path, n_images: int) -> House:
    """Filled with so many images, and all that goes with them; with 0, empty but for the caller."""
    settings = Settings(
        data=folder / "data", base=str(base_folder(folder / "base")), engine="fake", database_url=url, workers=0,
        log_level="ERROR", safety_pictures="off",
    )  # fmt: skip
    runtime = Runtime.open(settings)
    base, model_id = runtime.base.identity, ids.new_id()
    with runtime.db.transaction() as tx:
        user, home = organizations.ensure_user(tx, "caller"), organizations.ensure_organization(tx, "caller")
        organizations.add_member(tx, home, user, "OWNER")
        key = keys.create_key(tx, user_id=user, organization_id=home)
        tx.exec_driver_sql(
            "INSERT INTO models (model_id, user_id, name, status, base, first_version, slug, version, adapter_sha256, "
            "adapter_bytes, created_at, updated_at) VALUES (%s, %s, 'Mine', 'COMPLETED', %s, 1, 'mine', 1, %s, 10, "
            "now(), now())",
            (model_id, user, base, "0" * 64),
        )
    if n_images:
        fill(runtime, n_images, base)
    caller = Caller(user_id=user, organization_id=home, api_key_id=key.api_key_id)
    return House(runtime, caller, key.api_key, model_id)


def fill(runtime: Runtime, n_images: int, base: str) -> None:
    """By PostgreSQL itself; its indexes are dropped meanwhile and made again, which is much quicker."""
    numbers = {"organizations": ORGANIZATIONS, "models": MODELS, "a_request": IMAGES_A_REQUEST, "images": n_images}
    with runtime.db.transaction() as tx:
        found = tx.exec_driver_sql(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('images', 'drawings', 'ledger') "
            "AND indexname LIKE 'ix_%%'"
        ).all()
        for name, _ in found:
            tx.exec_driver_sql(f'DROP INDEX "{name}"')
        for statement in FILL.format(**numbers, base=base).split(";\n"):
            if statement.strip():
                tx.exec_driver_sql(statement.replace("%", "%%"))
        for _, definition in found:
            tx.exec_driver_sql(definition)
    engine = runtime.db._writer.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as tx:
        tx.exec_driver_sql("VACUUM ANALYZE")


def timed(house: House, name: str, work: Callable[[], object]) -> None:
    """How long it took goes to its name."""
    began = time.perf_counter()
    work()
    house.seconds.setdefault(name, []).append(time.perf_counter() - began)


def order(house: House) -> GenerateOrder:
    """One image of a custom model."""
    return GenerateOrder(
        base=house.runtime.base.identity, organization_id=house.caller.organization_id, caption="{}", width=64,
        height=64, output_width=64, output_height=64, seeds=(1,), sampling=Sampling(steps=1, guidance=1.0),
        adapter=AdapterRef(sha256="0" * 64, size_bytes=10),
    )  # fmt: skip


def one_job(house: House) -> None:
    """Queued, leased and finished, each in a transaction of its own, each timed."""
    db, settings = house.runtime.db, house.runtime.settings

    def enqueue() -> None:
        with db.transaction() as tx:
            admitted(
                tx, order(house), Request(house.caller, Charge("generate", "generate", ("generate",), 1)), settings
            )

    def lease() -> None:
        with db.transaction() as tx:
            job = queue.lease(tx, Asking("worker", ("generate",), house.runtime.base.identity), ids.now(), 90.0)
        assert job is not None
        house.leased.append((job.job_id, job.lease_token))

    def finish() -> None:
        job_id, token = house.leased.pop()
        row = {
            "image_id": ids.new_id(), "job_id": job_id, "image_sha256": "1" * 64, "created_at": ids.now(),
            "organization_id": house.caller.organization_id, "user_id": house.caller.user_id, "operation": "generate",
            "base": house.runtime.base.identity, "search": "tea", "seed": 1, "width": 64, "height": 64,
        }  # fmt: skip
        with db.transaction() as tx:
            queue.require_lease(tx, job_id, token)
            tx.execute(images.insert().values(**row))
            queue.finish(tx, job_id, token, {})

    for name, work in (("enqueue", enqueue), ("lease", lease), ("finish", finish)):
        timed(house, name, work)


def row(name: str, empty: list[float], full: list[float]) -> str:
    """A line of the table."""
    ratio = statistics.median(full) / statistics.median(empty)
    return (
        f"| {name} | {1000 * statistics.median(empty):.2f} | {1000 * statistics.median(full):.2f} | {ratio:.2f} | "
        f"{1 / statistics.mean(full):.0f} | {1000 * percentile(empty, 0.99):.1f} | "
        f"{1000 * percentile(full, 0.99):.1f} |"
    )


def main() -> None:
    """Both databases, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000_000)
    parser.add_argument("--pairs", type=int, default=300)
    asked = parser.parse_args()
    with Postgres(flush=True) as server, tempfile.TemporaryDirectory() as folder:
        empty = house(server.create("house_empty"), Path(folder) / "empty", 0)
        began = time.monotonic()
        full = house(server.create("house_full"), Path(folder) / "full", asked.images)
        print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
        with full.runtime.db.read() as tx:
            there = int(tx.execute(select(func.count()).select_from(images)).scalar_one())
        for _ in range(asked.pairs):
            one_job(empty)
            one_job(full)
        reads(empty, full, asked.pairs)
        names = list(full.seconds)
        rows = "\n".join(row(name, empty.seconds[name], full.seconds[name]) for name in names)
        of_a_read = statistics.median(full.seconds["GET /models/{id}"]) / statistics.median(
            empty.seconds["GET /models/{id}"]
        )
        for one in (empty, full):
            one.runtime.close()
    text = f"""# Rows that are there, and what they cost

PostgreSQL with fsync; {ORGANIZATIONS:,} organisations, {MODELS:,} custom models, {there:,} images beside an empty
database on the same server. {asked.pairs} pairs in turns, one caller. Milliseconds; "a second" is what one caller gets.

| | empty | full | times | a second, full | p99 empty | p99 full |
|---|---|---|---|---|---|---|
{rows}

`GET /models/{{id}}` is {of_a_read:.2f} times that of the empty one (limit {LIMIT}).

{where("scale_rows.py")}
"""
    Path(__file__).with_suffix(".md").write_text(text)
    print(text)
    if of_a_read > LIMIT:
        raise SystemExit(1)


def reads(empty: House, full: House, pairs: int) -> None:
    """What clients read, of two API processes in turns."""

    def command(one: House) -> dict[str, str]:
        settings = one.runtime.settings
        return {"base": settings.base, "engine": "fake", "database_url": settings.database_url, "workers": "0"}

    with (
        serving(empty.runtime.settings.data, ["-m", "linocut.api.serve"], **command(empty)) as (one, _),
        serving(full.runtime.settings.data, ["-m", "linocut.api.serve"], **command(full)) as (two, _),
        httpx2.Client(base_url=one, headers={"Api-Key": empty.key}, timeout=60) as of_empty,
        httpx2.Client(base_url=two, headers={"Api-Key": full.key}, timeout=60) as of_full,
    ):
        both = ((empty, of_empty), (full, of_full))
        for name, path in (
            ("GET /models/{id}", "/models/{id}"),
            ("GET /models", "/models"),
            ("GET /images", "/images"),
        ):
            for place in range(pairs + 10):
                for house_, client in both:
                    address = path.replace("{id}", house_.model_id) + f"?n={place}" * (name == "GET /models/{id}")

                    def ask(client: httpx2.Client = client, address: str = address) -> None:
                        answer = client.get(address)
                        assert answer.status_code == 200, answer.text

                    if place < 10:
                        ask()
                    else:
                        timed(house_, name, ask)


if __name__ == "__main__":
    main()
