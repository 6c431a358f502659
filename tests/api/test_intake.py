"""Pictures on their way into a job, on an operation of the tests' own: spooled, digested whole, stored, named."""

import asyncio
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from PIL import Image
from sqlalchemy import Connection, select
from tests.api.live import base_folder
from tests.api.pictures import jpeg, png

from linocut.accounts import keys, organizations
from linocut.api.app import create_app
from linocut.api.body import MULTIPART
from linocut.api.call import Call
from linocut.api.drawing import Drawn, generate
from linocut.api.intake import inputs_of, take_mask, take_picture, take_pictures
from linocut.api.operation import Draws, Operation
from linocut.api.translate.asks import ask_v3
from linocut.db.tables import jobs
from linocut.engine.open import open_engine
from linocut.generation.types import GenerateAsk, Placed
from linocut.jobs import queue
from linocut.jobs.types import JobInput
from linocut.runtime import Runtime
from linocut.settings import Settings
from linocut.wire import GenerateImageRequestV3
from linocut.wire.generation import Picture
from linocut.wire.types import UNSET, Nothing
from linocut.workers.loop import WorkerLoop

MIB = 1 << 20


class EditRequest(msgspec.Struct, kw_only=True, frozen=True):
    """What an edit will take."""

    prompt: str
    image: Picture
    mask: Picture | Nothing = UNSET
    images: list[Picture] | Nothing = UNSET


class EditAnswer(msgspec.Struct, kw_only=True, frozen=True):
    """Which job it became."""

    job_id: str
    images: int
    notes: list[str]


async def take(call: Call, ask: EditRequest) -> GenerateAsk:
    image = await take_picture(call, "image", ask.image)
    found: dict[str, Any] = {"image": image}
    if not isinstance(ask.mask, Nothing):
        found["mask"] = await take_mask(call, "mask", ask.mask, image)
    if not isinstance(ask.images, Nothing):
        found["images"] = await take_pictures(call, "images", ask.images, most=2)
    plain = ask_v3(GenerateImageRequestV3(prompt=ask.prompt, seed=5))
    return replace(plain, inputs=inputs_of(**found), notes=image.notes)


def place(call: Call, ask: GenerateAsk, tx: Connection) -> Placed:
    return generate(call, ask, tx)


def answer(drawn: Drawn, ask: GenerateAsk) -> EditAnswer:
    placed = drawn.begun.placed
    return EditAnswer(job_id=placed.job_id, images=len(drawn.images), notes=list(placed.notes))


EDIT = Operation(
    "edit", "Edit", "generate", Draws(place, answer, take), body=EditRequest, encodings=(MULTIPART,), answer=EditAnswer,
    method="POST", path="/edit",
)  # fmt: skip


@dataclass
class Inside:
    """A server with the one operation, and a worker on the fake engine."""

    runtime: Runtime
    app: Any
    worker: WorkerLoop
    key: str
    loop: asyncio.AbstractEventLoop

    def edit(self, files: Any, prompt: str = "a cup", key: str = "") -> httpx2.Response:
        """One request; the worker draws meanwhile."""
        return self.loop.run_until_complete(self._edit(files, prompt, {"Idempotency-Key": key} if key else {}))

    async def _edit(self, files: Any, prompt: str, headers: dict[str, str]) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=True)
        parts = [*files, ("prompt", (None, prompt))]
        async with httpx2.AsyncClient(transport=transport, base_url="http://inside") as client:
            sent = client.post("/edit", files=parts, headers={"Api-Key": self.key, **headers}, timeout=60)
            asked = asyncio.create_task(sent)
            while not asked.done():
                self.worker._more_may_wait = True
                await asyncio.to_thread(self.worker.turn)
                await asyncio.sleep(0.005)
            return await asked

    def jobs(self) -> list[str]:
        with self.runtime.db.read() as tx:
            return list(tx.scalars(select(jobs.c.job_id)))

    def inputs(self, job_id: str) -> tuple[JobInput, ...]:
        with self.runtime.db.read() as tx:
            return queue.inputs_of(tx, job_id)

    def spooled(self) -> list[Path]:
        return [file for file in (self.runtime.settings.data / "spool").rglob("*") if file.is_file()]


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    folder = tmp_path_factory.mktemp("intake")
    base = base_folder(folder / "base")
    runtime = Runtime.open(Settings(data=folder / "data", base=str(base), engine="fake"))
    with runtime.db.transaction() as tx:
        user = organizations.ensure_user(tx, "user")
        organization = organizations.ensure_organization(tx, "org")
        organizations.add_member(tx, organization, user, "OWNER")
        key = keys.create_key(tx, user_id=user, organization_id=organization, label=None).api_key
    app = create_app(runtime, (EDIT,))
    worker = WorkerLoop(runtime, open_engine("fake", runtime.base, runtime.base_folder, 1, MIB), "worker")
    worker.heart.look()
    loop = asyncio.new_event_loop()
    yield Inside(runtime, app, worker, key, loop)
    worker.close()
    loop.run_until_complete(app.shared.close())
    loop.close()
    runtime.close()


def noise(last: int, side: int = 1024) -> bytes:
    """A PNG of 3 MiB; two that differ in ``last`` are the same for all but their last bytes."""
    pixels = bytearray(random.Random(1).randbytes(side * side * 3))
    pixels[-1] = last
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), bytes(pixels)).save(out, "PNG", compress_level=0)
    return out.getvalue()


def test_a_large_picture_before_a_short_prompt(inside: Inside) -> None:
    picture = noise(1)
    assert len(picture) > 3 * MIB
    told = inside.edit([("image", ("p.png", picture))], prompt="a cat")
    assert told.status_code == 200, told.text
    (image,) = inside.inputs(told.json()["job_id"])
    stored = inside.runtime.store.get(image.sha256)
    assert (image.role, image.position, image.bytes) == ("image", 0, len(stored))
    with Image.open(io.BytesIO(stored)) as found, Image.open(io.BytesIO(picture)) as sent:
        assert (found.format, found.size) == ("PNG", (image.width, image.height))
        assert found.tobytes() == sent.tobytes()
    assert inside.spooled() == []


def test_all_of_a_job_s_pictures_are_named_by_their_fields(inside: Inside) -> None:
    mask = io.BytesIO()
    drawn = Image.new("L", (48, 32), 255)
    drawn.paste(0, (0, 0, 20, 32))
    drawn.save(mask, "PNG")
    files = [("image", ("blob", jpeg(1))), ("mask", ("m.png", mask.getvalue())), ("images[]", ("a.png", png(2)))]
    told = inside.edit([*files, ("images[]", ("b.png", png(3)))])
    assert told.status_code == 200, told.text
    found = inside.inputs(told.json()["job_id"])
    assert [(one.role, one.position, one.width, one.height) for one in found] == [
        ("image", 0, 48, 32), ("images", 0, 48, 32), ("images", 1, 48, 32), ("mask", 0, 48, 32),
    ]  # fmt: skip
    assert all(inside.runtime.store.has(one.sha256) for one in found)


def test_what_was_not_taken_of_a_picture_is_told(inside: Inside) -> None:
    animated = io.BytesIO()
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    frames[0].save(animated, "WEBP", save_all=True, append_images=frames[1:])
    told = inside.edit([("image", ("a.webp", animated.getvalue()))]).json()
    assert "image: The picture is animated; the first picture of it is used." in told["notes"]


def test_pictures_that_begin_alike_are_two_bodies_and_the_same_is_one(inside: Inside) -> None:
    before = len(inside.jobs())
    first = inside.edit([("image", ("p.png", noise(2)))], key="alike")
    again = inside.edit([("image", ("p.png", noise(2)))], key="alike")
    other = inside.edit([("image", ("p.png", noise(3)))], key="alike")
    assert first.status_code == 200
    assert first.json() == again.json()
    assert other.status_code == 400
    assert len(inside.jobs()) == before + 1


@pytest.mark.parametrize(
    ("files", "status", "sentence"),
    [
        ([], 400, "image is required: it must be sent as a file part of that name, or as the link"),
        ([("image", ("p.png", b"hello"))], 400, "image: This is not a JPEG, PNG or WebP picture"),
        ([("image", ("p.png", png(1)[:-20]))], 400, "image: The picture is damaged or incomplete"),
        ([("image", ("p.png", png(1, 1, 1)))], 400, "image: The picture is 1x1 pixels"),
        ([("image", ("p.png", bytes(25 * MIB + 1)))], 413, "image: The file has 26,214,401 bytes; at most 25 MiB"),
        ([("image", ("p.png", png(1))), ("image", ("q.png", png(2)))], 400, "image is one file, and 2 were sent"),
        ([("image", ("p.png", png(1))), ("mask", ("m.png", png(1, 32, 32)))], 400, "mask: The mask is 32x32 pixels"),
        (
            [("image", ("p.png", png(1))), *(("images", (f"{n}.png", png(n))) for n in range(3))],
            400, "images: at most 2 files are taken, and 3 were sent.",
        ),
        ([("image", ("p.png", bytes(51 * MIB)))], 413, "The body is larger than 50 MiB"),
    ],
    ids=["none", "text", "cut", "dot", "large", "two", "mask's size", "three", "request"],
)  # fmt: skip
def test_what_is_refused_leaves_nothing(inside: Inside, files: Any, status: int, sentence: str) -> None:
    before = inside.jobs()
    told = inside.edit(files)
    assert (told.status_code, told.json()["error"][: len(sentence)]) == (status, sentence)
    assert inside.jobs() == before
    assert inside.spooled() == []
