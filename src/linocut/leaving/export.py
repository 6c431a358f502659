"""All that belongs to an organisation (``belongings.py``), as one archive that is written while it is sent.

Rows are read a page at a time, each page in a snapshot of its own, so an export of hours holds nobody up; what changes
meanwhile is there as it was when it was read.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, select

from linocut import __version__
from linocut.accounts import audit, keys, members, organizations
from linocut.custom_models.slugs import uri_of
from linocut.db import tables as t
from linocut.db.database import Database
from linocut.db.tables import metadata
from linocut.ids import now, wire_time
from linocut.leaving.archive import FORMAT, Archive, Manifest
from linocut.leaving.belongings import home_people
from linocut.storage.store import Store

T = TypeVar("T")
PAGE = 200
MONEY = ("ledger", "credit_grants", "spend_limits", "subscriptions", "spend_commits")
"""Tables of the ledger's room; those that this server has are exported."""

README = """\
What belongs to the organisation {name} on a linocut server, exported at {at}.

organization.json       the organisation
members.json            who belongs to it, in which role; who is invited
keys.json               its API keys, without their text (the server has none)
datasets/NAME/          pictures as PNG, each caption beside its picture under the same name; dataset.json has the names
                        under which they were uploaded. `linocut datasets upload` takes the folder as it is.
models/NAME/            weights.safetensors, a LoRA; model.json has its base, its runs and their numbers
shared-models.json      models that others share with the organisation: they stay theirs
images/                 pictures that were drawn, and images.jsonl: what each was asked for with
money/                  the ledger and what belongs to it, as far as this server keeps one
audit.jsonl             who did what to the organisation, its members and keys
manifest.json           every file above with its size and sha256, and what the server's store had lost

Datasets and models are those of members who belong to no other organisation.
"""


@dataclass(frozen=True)
class Source:
    """Where it is read from."""

    db: Database
    store: Store


def export(source: Source, organization_id: str) -> Iterator[bytes]:
    """The archive, piece by piece. The organisation must be there."""
    at = now()
    return _Export(source, organization_id, at, Archive(at)).pieces()


class _Export:
    def __init__(self, source: Source, organization_id: str, at: datetime, archive: Archive) -> None:
        self._db, self._store, self._archive = source.db, source.store, archive
        self._organization_id, self._at = organization_id, at

    def pieces(self) -> Iterator[bytes]:
        about = self._read(lambda tx: organizations.organization(tx, self._organization_id))
        yield from self._text("README.txt", README.format(name=about.name, at=wire_time(self._at)))
        yield from self._json("organization.json", about)
        yield from self._json("members.json", self._read(self._members))
        yield from self._json("keys.json", self._read(self._keys))
        people = self._read(lambda tx: home_people(tx, self._organization_id))
        for user_id in people:
            yield from self._datasets(user_id)
            yield from self._models(user_id)
        yield from self._json("shared-models.json", self._read(lambda tx: self._shared(tx, people)))
        yield from self._images()
        for name in MONEY:
            table = metadata.tables.get(name)
            if table is not None and "organization_id" in table.c:
                rows = self._rows(select(table), next(iter(table.primary_key)), table.c.organization_id)
                yield from self._archive.add(f"money/{name}.jsonl", rows, is_text=True)
        yield from self._archive.add("audit.jsonl", self._audit(), is_text=True)
        done = self._archive
        told = Manifest(FORMAT, __version__, self._at, self._organization_id, about.name, done.files, done.missing)
        yield from self._archive.close(told)

    def _members(self, tx: Connection) -> list[dict[str, Any]]:
        found = []
        for one in members.listed(tx, self._organization_id):
            person = one.person
            found.append(
                {
                    "user_id": person and person.user_id,
                    "handle": person and person.handle,
                    "email": person.email if person else one.email,
                    "full_name": person and person.full_name,
                    "role": one.role,
                    "is_invited": person is None,
                }
            )
        return found

    def _keys(self, tx: Connection) -> list[Any]:
        return [msgspec.to_builtins(one) for one in keys.list_keys(tx, organization_id=self._organization_id)]

    def _datasets(self, user_id: str) -> Iterator[bytes]:
        mine = t.datasets.c.user_id == user_id, t.datasets.c.deleted_at.is_(None)
        for row in self._all(select(t.datasets).where(*mine).order_by(t.datasets.c.created_at)):
            folder = f"datasets/{safe(row['name'])}-{row['dataset_id']}"
            assets = select(t.assets).where(t.assets.c.dataset_id == row["dataset_id"]).order_by(t.assets.c.position)
            listed = []
            for asset in self._all(assets):
                path = f"{folder}/{safe(asset['stem'])}-{asset['position']}"
                listed.append({**_plain(asset), "path": f"{path}.png"})
                yield from self._archive.add(f"{path}.png", self._store.pieces(asset["image_sha256"]))
                if asset["caption"] is not None:
                    kind = "json" if asset["caption_is_json"] else "txt"
                    yield from self._text(f"{path}.{kind}", asset["caption"])
            yield from self._json(f"{folder}/dataset.json", {**_plain(row), "assets": listed})

    def _models(self, user_id: str) -> Iterator[bytes]:
        mine = select(t.models).where(t.models.c.user_id == user_id).order_by(t.models.c.created_at)
        for row in self._all(mine):
            model_id, folder = row["model_id"], f"models/{safe(row['name'])}-{row['model_id']}"
            if row["adapter_sha256"] is not None:
                yield from self._archive.add(f"{folder}/weights.safetensors", self._store.pieces(row["adapter_sha256"]))
            runs = self._all(select(t.training_runs).where(t.training_runs.c.model_id == model_id))
            uri = None if row["slug"] is None else uri_of(row["slug"], row["version"])
            told = {**_plain(row), "custom_model_uri": uri, "runs": [_plain(run) for run in runs]}
            yield from self._json(f"{folder}/model.json", told)
            previews = select(t.images).where(t.images.c.job_id.in_([run["job_id"] for run in runs] or [""]))
            for image in self._all(previews.order_by(t.images.c.created_at)):
                path = f"{folder}/previews/{image['image_id']}.png"
                yield from self._archive.add(path, self._store.pieces(image["image_sha256"]))

    def _shared(self, tx: Connection, people: Sequence[str]) -> list[dict[str, Any]]:
        query = (
            select(t.models.c.model_id, t.models.c.name, t.models.c.slug, t.models.c.version, t.models.c.user_id)
            .join(t.model_shares, t.model_shares.c.model_id == t.models.c.model_id)
            .where(t.model_shares.c.organization_id == self._organization_id, t.models.c.user_id.not_in(people or [""]))
        )
        return [dict(row._mapping) for row in tx.execute(query)]

    def _images(self) -> Iterator[bytes]:
        query = select(t.images)
        for row in self._paged(query, t.images.c.image_id, t.images.c.organization_id):
            yield from self._archive.add(f"images/{row['image_id']}.png", self._store.pieces(row["image_sha256"]))
        asked = select(t.images, t.drawings.c.prompt, t.drawings.c.fields).outerjoin(
            t.drawings, t.drawings.c.job_id == t.images.c.job_id
        )
        rows = self._rows(asked, t.images.c.image_id, t.images.c.organization_id)
        yield from self._archive.add("images/images.jsonl", rows, is_text=True)

    def _audit(self) -> Iterator[bytes]:
        before: int | None = None
        while page := self._read(lambda tx, b=before: self._entries(tx, b)):  # type: ignore[misc]
            yield from (msgspec.json.encode(audit.told(one)) + b"\n" for one in page)
            before = page[-1].number

    def _entries(self, tx: Connection, before: int | None) -> list[audit.Entry]:
        return audit.entries(tx, organization_id=self._organization_id, before=before, most=PAGE)

    def _rows(self, query: Select[Any], key: ColumnElement[Any], owner: ColumnElement[Any]) -> Iterator[bytes]:
        for row in self._paged(query, key, owner):
            yield msgspec.json.encode(_plain(row)) + b"\n"

    def _paged(
        self, query: Select[Any], key: ColumnElement[Any], owner: ColumnElement[Any]
    ) -> Iterator[dict[str, Any]]:
        """The organisation's rows in the order of ``key``, a page in each snapshot."""
        last: Any = None
        while True:
            more = query.where(owner == self._organization_id).order_by(key).limit(PAGE)
            page = self._all(more if last is None else more.where(key > last))
            yield from page
            if len(page) < PAGE:
                return
            last = page[-1][str(key.key)]

    def _all(self, query: Select[Any]) -> list[dict[str, Any]]:
        return self._read(lambda tx: [dict(row._mapping) for row in tx.execute(query)])

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._db.read() as snapshot:
            return work(snapshot)

    def _json(self, path: str, value: object) -> Iterator[bytes]:
        return self._text(path, msgspec.json.format(msgspec.json.encode(value), indent=1).decode())

    def _text(self, path: str, text: str) -> Iterator[bytes]:
        return self._archive.add(path, [text.encode()], is_text=True)


def safe(name: str) -> str:
    """A name as a part of a path on any system: letters, digits, dots and hyphens, at most 60 of them."""
    return re.sub(r"[^\w-]+", "-", name, flags=re.ASCII).strip("-.")[:60] or "unnamed"


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON has it, without what is of this server's inside alone."""
    return {name: _value(value) for name, value in row.items() if name not in ("search", "measures")}


def _value(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value
