"""Jobs that an earlier version stored run on this one.

``stored/version_0_1.sql`` is the database of a server of the first form of 0.1 (migration 0002), stopped with two
generations and a training in its queue; ``version_0_1.json`` has its base and its blobs. ``stored/orders.jsonl`` has an
order of each kind as it was last written: a form that changes gets a line of its own, and the old line stays.
"""

import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from linocut.db.tables import images, jobs, models, training_runs
from linocut.engine.open import open_engine
from linocut.orders import KINDS, kind_of, order_from_json, order_to_json
from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.workers.loop import WorkerLoop

STORED = Path(__file__).parent / "stored"
ORDERS = (STORED / "orders.jsonl").read_text().splitlines()


def test_a_queue_of_the_first_form_is_worked_off_by_this_version(tmp_path: Path) -> None:
    about = json.loads((STORED / "version_0_1.json").read_text())
    base, data = tmp_path / "base", tmp_path / "data"
    base.mkdir()
    data.mkdir()
    (base / "linocut.json").write_text(json.dumps(about["base"]))
    with closing(sqlite3.connect(data / "linocut.db")) as old:
        old.executescript((STORED / "version_0_1.sql").read_text())
    runtime = Runtime.open(Settings(data=data, base=str(base), engine="fake", safety_pictures="off"))
    for sha256, text in about["blobs"].items():
        assert runtime.store.put(base64.b64decode(text)) == sha256
    loop = WorkerLoop(runtime, open_engine("fake", runtime.base, runtime.base_folder, 1, 1 << 20), "worker")
    try:
        with runtime.db.read() as tx:
            assert [row.status for row in tx.execute(select(jobs))] == ["QUEUED"] * 3
        loop.run_until_idle()
        with runtime.db.read() as tx:
            ended = tx.execute(select(jobs).order_by(jobs.c.created_at)).all()
            drawn = {row.job_id for row in tx.execute(select(images).where(images.c.organization_id.is_not(None)))}
            (model,) = tx.execute(select(models)).all()
            (run,) = tx.execute(select(training_runs)).all()
    finally:
        loop.close()
        runtime.close()
    assert [(row.kind, row.status, row.error) for row in ended] == [
        ("train", "DONE", None), ("generate", "DONE", None), ("generate", "DONE", None),
    ]  # fmt: skip
    assert drawn == {row.job_id for row in ended if row.kind == "generate"}
    assert (model.status, run.status) == ("COMPLETED", "COMPLETED")
    assert model.adapter_sha256


@pytest.mark.parametrize("text", ORDERS, ids=lambda text: json.loads(text)["type"])
def test_an_order_that_was_stored_is_read_and_written_without_loss(text: str) -> None:
    order = order_from_json(text)
    assert kind_of(order).name == json.loads(text)["type"]
    again = json.loads(order_to_json(order))
    assert {name: again.get(name) for name in json.loads(text)} == json.loads(text)


def test_each_kind_of_order_has_a_stored_form() -> None:
    assert {json.loads(text)["type"] for text in ORDERS} == set(KINDS)
