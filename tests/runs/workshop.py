"""Everything below the API for the tests of services and workers: database, store, accounts, a fake engine."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image
from sqlalchemy import Connection, func, insert, select, update

from linocut import ids
from linocut.accounts.organizations import add_member, ensure_organization, ensure_user
from linocut.accounts.types import Caller
from linocut.api.translate.versions import FIRST_MODEL_VERSION, V3, V4
from linocut.bases import Base
from linocut.custom_models import service as registry
from linocut.custom_models.types import ModelView
from linocut.db.database import Database
from linocut.db.tables import assets, datasets, jobs, model_events
from linocut.engine.door import Engine
from linocut.engine.fake import FakeEngine
from linocut.generation import service as generation
from linocut.generation.types import GenerateAsk, Placed
from linocut.runs import service as training
from linocut.runs.types import AdvancedAsk, Started, TrainAsk
from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.storage.store import Store
from linocut.workers.loop import WorkerLoop

FACTS: dict[str, Any] = {
    "identity": "ideogram4@0123456789abcdef",
    "name": "tiny",
    "family": "ideogram4",
    "native_pixels": 64,
    "size_multiple": 16,
    "max_text_tokens": 256,
    "sampling": {
        name: {"steps": steps, "guidance": 3.0, "mu": 0.0, "std": 1.5}
        for name, steps in (("FLASH", 1), ("TURBO", 2), ("DEFAULT", 3), ("QUALITY", 4))
    },
    "training": {
        "lora_rank": 16,
        "learning_rate": 1e-3,
        "training_steps": 40,
        "batch_size": 2,
        "ema": 0.98,
        "caption_dropout": 0.05,
        "warmup_steps": 4,
        "weight_decay": 1e-4,
        "sigma_mean": 0.0,
        "sigma_std": 1.5,
    },
}
BASE = msgspec.convert(FACTS, Base)
OTHER_BASE = msgspec.structs.replace(BASE, identity="ideogram4@fedcba9876543210")


def picture(number: int) -> bytes:
    """A small PNG, another one for every number."""
    stream = io.BytesIO()
    Image.new("RGB", (48, 48), (number % 256, number * 7 % 256, number * 31 % 256)).save(stream, "PNG")
    return stream.getvalue()


@dataclass
class Workshop:
    """Alice and Carol are members of one organisation, Bob of another; each has a key."""

    runtime: Runtime
    alice: Caller
    carol: Caller
    bob: Caller
    workers: list[WorkerLoop] = field(default_factory=list)

    @classmethod
    def open(cls, folder: Path, base: Base = BASE, **given: Any) -> "Workshop":
        settings = Settings(data=folder, engine="fake", **given)
        db = Database.open(settings.resolved_database_url)
        store = Store.open(folder / "store")
        runtime = Runtime(settings, db, store, base, Path("."), b"0" * 32, b"1" * 32, _no_decoder)
        with db.transaction() as tx:
            home, away = ensure_organization(tx, "home"), ensure_organization(tx, "away")
            callers = []
            for name, organization_id in (("alice", home), ("carol", home), ("bob", away)):
                user_id = ensure_user(tx, name)
                add_member(tx, organization_id, user_id)
                callers.append(Caller(user_id, organization_id, ids.new_id()))
        return cls(runtime, *callers)

    @property
    def db(self) -> Database:
        return self.runtime.db

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        self.runtime.close()

    def write(self, work: Callable[[Connection], Any]) -> Any:
        with self.db.transaction() as tx:
            return work(tx)

    def read(self, work: Callable[[Connection], Any]) -> Any:
        with self.db.read() as snapshot:
            return work(snapshot)

    def dataset(self, caller: Caller, count: int = 15, caption: Callable[[int], str] = "caption {}".format) -> str:
        """A dataset of ``count`` pictures, as ingest leaves them."""
        dataset_id, moment = ids.new_id(), ids.now()
        hashes = [self.runtime.store.put(picture(number)) for number in range(count)]
        common = {"width": 48, "height": 48, "file_size_bytes": 99, "caption_is_json": False, "created_at": moment}
        rows = [
            common
            | {
                "asset_id": ids.new_id(),
                "dataset_id": dataset_id,
                "position": number,
                "file_name": f"{number}.png",
                "stem": str(number),
                "source_sha256": sha256,
                "image_sha256": sha256,
                "caption": caption(number),
            }
            for number, sha256 in enumerate(hashes)
        ]
        named = {"dataset_id": dataset_id, "user_id": caller.user_id, "name": "set", "image_count": count}
        with self.db.transaction() as tx:
            tx.execute(insert(datasets).values(**named, created_at=moment, updated_at=moment))
            if rows:
                tx.execute(insert(assets), rows)
        return dataset_id

    def start(
        self,
        caller: Caller,
        name: str = "House Style",
        *,
        dataset_id: str | None = None,
        version: int = 3,
        advanced: AdvancedAsk | None = None,
        tx: Connection | None = None,
    ) -> Started:
        """A train call, on a fresh dataset unless one is named."""
        chosen = self.dataset(caller) if dataset_id is None else dataset_id

        def begin(tx: Connection) -> Started:
            return training.start(
                tx, caller, TrainAsk(chosen, name, FIRST_MODEL_VERSION[version], advanced), self.runtime
            )

        return begin(tx) if tx is not None else self.write(begin)

    def trained(self, caller: Caller, name: str = "House Style", **given: Any) -> ModelView:
        """A model that is COMPLETED."""
        started = self.start(caller, name, **given)
        self.worker().run_until_idle()
        return self.model(caller, started.model_id)

    def place(self, caller: Caller, **given: Any) -> Placed:
        """A generate call of the v3 route, unless told otherwise."""
        return self.write(lambda tx: generation.place(tx, caller, ask(**given), self.runtime))

    def model(self, caller: Caller, model_id: str) -> ModelView:
        return self.read(lambda tx: registry.get_visible(tx, caller, model_id))

    def cancel(self, caller: Caller, model_id: str) -> ModelView:
        return self.write(lambda tx: training.cancel(tx, caller, model_id))

    def archive(self, caller: Caller, model_id: str) -> ModelView:
        return self.write(lambda tx: registry.archive(tx, caller, model_id))

    def worker(self, name: str = "worker", engine: Engine | None = None) -> WorkerLoop:
        """A worker on a fake engine; the workshop ends its threads."""
        loop = WorkerLoop(self.runtime, engine or FakeEngine(self.runtime.base), name)
        self.workers.append(loop)
        return loop

    def statuses(self, model_id: str) -> list[tuple[str, str]]:
        """(model status, run status) of every status event, in order."""
        rows = self.read(lambda tx: tx.execute(_EVENTS.where(model_events.c.model_id == model_id)).all())
        return [(row.data["status"], row.data["run_status"]) for row in rows if row.kind == "status"]

    def job(self, **where: Any) -> Any:
        """The newest job."""
        query = select(jobs).filter_by(**where).order_by(jobs.c.created_at.desc()).limit(1)
        return self.read(lambda tx: tx.execute(query).one())

    def count(self, table: Any) -> int:
        return int(self.read(lambda tx: tx.scalar(select(func.count()).select_from(table))))

    def lose_leases(self) -> None:
        """Time goes by: every lease is past its end."""
        self.write(lambda tx: tx.execute(update(jobs).values(lease_expires_at=ids.now().replace(year=2000))))


_EVENTS = select(model_events).order_by(model_events.c.event_id)


def ask(api_version: int = 3, **given: Any) -> GenerateAsk:
    """A request for one image of a cat by the v3 route, unless told otherwise."""
    plain: dict[str, Any] = {
        "prompt": "a red cat",
        "json_prompt": None,
        "seed": 7,
        "num_images": 1,
        "resolution": None,
        "aspect_ratio": None,
        "rendering_speed": "DEFAULT",
        "magic_prompt": "AUTO",
        "custom_model_uri": None,
        "rules": {3: V3, 4: V4}[api_version],
    }
    return GenerateAsk(**plain | given)


def _no_decoder() -> Any:
    raise AssertionError("nothing here decodes uploads")
