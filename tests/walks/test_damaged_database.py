"""Bits flipped at random in copies of a real database: whatever is asked, nobody is told of a fault of the server's."""

import asyncio
import random
import shutil
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import insert
from tests.api.live import base_folder

from linocut import ids
from linocut.accounts import keys, organizations
from linocut.api.app import create_app
from linocut.cli import checks
from linocut.db.tables import datasets
from linocut.errors import Damaged
from linocut.runtime import Runtime
from linocut.settings import Settings

COPIES = 100
PAGE = 4096
ASKED = ("/models", "/datasets", "/datasets/d7", "/datasets/d7/assets", "/models/none", "/metrics")


@pytest.fixture
def sound(tmp_path: Path) -> Settings:
    """A data folder of 300 datasets."""
    return Settings(data=tmp_path / "sound", base=str(base_folder(tmp_path / "base")), engine="fake")


def filled(settings: Settings) -> str:
    """The key of who owns all of it."""
    with closing(Runtime.open(settings)) as runtime, runtime.db.transaction() as tx:
        user, house = organizations.ensure_user(tx, "u"), organizations.ensure_organization(tx, "o")
        times = {"created_at": ids.now(), "updated_at": ids.now()}
        rows = [
            {"dataset_id": f"d{n}", "user_id": user, "name": "n" * 60, "image_count": 0, **times} for n in range(300)
        ]
        tx.execute(insert(datasets), rows)
        return keys.create_key(tx, user_id=user, organization_id=house).api_key


async def statuses(runtime: Runtime, key: str) -> list[int]:
    app = create_app(runtime)
    try:
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url="http://x", headers={"Api-Key": key}
        ) as http:
            told = [(await http.get(path)).status_code for path in ASKED]
            return [*told, (await http.post("/datasets", json={"name": "new"})).status_code]
    finally:
        await app.shared.close()


def spoilt(content: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(content)
    for _ in range(chance.choice((1, 8, 60))):
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
    at = chance.randrange(len(spoilt) // PAGE) * PAGE
    if chance.random() < 0.3:
        spoilt[at : at + PAGE] = chance.choice((bytes(PAGE), chance.randbytes(PAGE), b"\xff" * PAGE))
    return bytes(spoilt[: at + PAGE] if chance.random() < 0.1 else spoilt)


@pytest.mark.soak
def test_whatever_is_damaged_is_told_as_damage(sound: Settings, tmp_path: Path) -> None:
    key, met = filled(sound), 0
    for seed in range(COPIES):
        copy = sound.model_copy(update={"data": tmp_path / f"copy {seed}"})
        shutil.copytree(sound.data, copy.data)
        file = copy.data / "linocut.db"
        file.write_bytes(spoilt(file.read_bytes(), random.Random(seed)))
        try:
            runtime = Runtime.open(copy)
        except Damaged:
            met += 1
        else:
            with closing(runtime):
                assert 500 not in asyncio.run(statuses(runtime, key)), seed
                if runtime.db.is_damaged():
                    met += 1
                    assert not checks.database(copy).ok, seed
        shutil.rmtree(copy.data)
    assert met > COPIES / 4
