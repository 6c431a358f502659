"""Who asks, and what about: three organisations with one of everything. Made in one transaction, so that an effect can
be followed by a fresh world."""

import dataclasses
import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Table, select
from tests.api.pictures import png
from tests.contract.documents import MINE

from linocut import ids
from linocut.accounts import keys, sessions
from linocut.api.auth import CONSOLE, COOKIE
from linocut.db import tables
from linocut.files import sha256_hex
from linocut.orders import AdapterRef
from linocut.runtime import Runtime
from linocut.storage.links import sign

KEYS = ("none", "malformed", "unknown", "revoked", "expired", "removed", "outsider", "colleague", "owner", "bare",
        "self", "scoped")  # fmt: skip
"""The columns of the table."""

STEP = int(MINE["POST /models/{model_id}/promote"]["requestBody"]["content"]["application/json"]["example"]["step"])
"""The checkpoint that the example of promoting names."""

_count = itertools.count()
Headers = dict[str, str]


@dataclass
class Things:
    """One of everything that a person has. Ids by what the object is; "own" is nobody else's."""

    user_id: str
    organization_id: str
    model_id: dict[str, str] = dataclasses.field(default_factory=dict)
    custom_model_uri: dict[str, str] = dataclasses.field(default_factory=dict)
    dataset_id: dict[str, str] = dataclasses.field(default_factory=dict)
    asset_id: dict[str, str] = dataclasses.field(default_factory=dict)
    api_key_id: str = ""
    generation_id: str = ""
    image_id: str = ""
    invite_id: str = ""
    field: str = "image"
    position: str = "0"


@dataclass
class World:
    """``owner`` and ``colleague`` are in one organisation, ``stranger`` is in another; ``outsider`` in a third."""

    owner: Things
    colleague: Things
    stranger: Things
    outsider: Things
    on_api: dict[str, Headers]
    on_console: dict[str, Headers]


def key_headers(text: str) -> Headers:
    """An API key, as clients send it."""
    return {"Api-Key": text}


def session_headers(token: str) -> Headers:
    """A session, as the console's pages send it."""
    return {"Cookie": f"{COOKIE}={token}", CONSOLE: "1"}


class Rows:
    """Rows by table, written all at once: a world is made a hundred times."""

    def __init__(self, runtime: Runtime) -> None:
        self._rows: dict[Table, list[dict[str, Any]]] = {}
        self._digest_secret = runtime.digest_secret
        self.at = ids.now()

    def add(self, table: Table, **values: Any) -> None:
        """One row."""
        self._rows.setdefault(table, []).append(values)

    def write(self, tx: Connection) -> None:
        """All of them, those first to which others refer."""
        for table in tables.metadata.sorted_tables:
            if table in self._rows:
                tx.execute(table.insert(), self._rows[table])

    def key(self, who: Things, **ends: Any) -> tuple[str, str]:
        """(id, text) of a key."""
        api_key_id, text = ids.new_id(), f"lino_{ids.new_id()}{ids.new_id()}"[:48]
        row = {"api_key_id": api_key_id, "user_id": who.user_id, "organization_id": who.organization_id, "label": None,
               "digest": keys.digest_of(text, self._digest_secret), "redacted": "lino_…", "created_at": self.at,
               "revoked_at": None, "expires_at": None, "scopes": None}  # fmt: skip
        self.add(tables.api_keys, **{**row, **ends})
        return api_key_id, text

    def session(self, who: Things, **ends: Any) -> str:
        """A session's token."""
        token = f"{sessions.PREFIX}{ids.new_id()}{ids.new_id()}"[:49]
        row = {"session_id": ids.new_id(), "user_id": who.user_id, "address": None, "created_at": self.at,
               "digest": keys.digest_of(token, self._digest_secret), "expires_at": self.at + timedelta(days=1),
               "ended_at": None}  # fmt: skip
        self.add(tables.sessions, **{**row, **ends})
        return token


def make(tx: Connection, runtime: Runtime, adapter: AdapterRef, generation: dict[str, Any]) -> World:
    """A world of its own, beside those that there are. ``generation``: the columns of a finished one and of its job."""
    number, rows = next(_count), Rows(runtime)
    where = {"owner": "team", "colleague": "team", "removed": "team", "outsider": "outside", "stranger": "far"}
    places = {place: ids.new_id() for place in where.values()}
    for place, organization_id in places.items():
        rows.add(tables.organizations, organization_id=organization_id, name=f"{place} {number}", created_at=rows.at)
    of = {name: Things(ids.new_id(), places[place]) for name, place in where.items()}
    for name, one in of.items():
        email = f"{name}{number}@example.org"
        rows.add(tables.users, user_id=one.user_id, name=f"{name} {number}", created_at=rows.at, email=email)
        role = "OWNER" if name in ("owner", "outsider", "stranger") else "MEMBER"
        if name != "removed":
            member = {"organization_id": one.organization_id, "user_id": one.user_id, "role": role}
            rows.add(tables.members, **member, created_at=rows.at)
    for name in ("owner", "colleague", "stranger"):
        _furnish(rows, runtime, of[name], f"{name} {number}", adapter, generation)
    on_api, on_console = _credentials(rows, of)
    rows.write(tx)
    return World(of["owner"], of["colleague"], of["stranger"], of["outsider"], on_api, on_console)


def _credentials(rows: Rows, of: dict[str, Things]) -> tuple[dict[str, Headers], dict[str, Headers]]:
    """What each caller sends, on the public API and on the console."""
    owner, over = of["owner"], rows.at - timedelta(days=1)
    token = rows.session(owner)
    both = {
        "none": {},
        "bare": {"Cookie": f"{COOKIE}={token}"},
        "scoped": key_headers(rows.key(owner, scopes=["read"])[1]),
        "self": session_headers(rows.session(of["colleague"])),
    }
    on_api = both | {
        "malformed": key_headers("lino_\x7f' OR 1=1 --"),
        "unknown": key_headers("lino_" + "x" * 43),
        "revoked": key_headers(rows.key(owner, revoked_at=rows.at)[1]),
        "expired": key_headers(rows.key(owner, expires_at=over)[1]),
    }
    on_console = both | {
        "malformed": session_headers("lises_../../etc/passwd"),
        "unknown": session_headers("lises_" + "x" * 43),
        "revoked": session_headers(rows.session(owner, ended_at=rows.at)),
        "expired": session_headers(rows.session(owner, expires_at=over)),
        "owner": session_headers(token),
    }
    for name in ("removed", "outsider", "colleague", "owner"):
        on_api[name] = key_headers(rows.key(of[name])[1])
        on_console.setdefault(name, session_headers(rows.session(of[name])))
    return on_api, on_console


def _furnish(
    rows: Rows, runtime: Runtime, who: Things, name: str, adapter: AdapterRef, generation: dict[str, Any]
) -> None:
    for kind in ("own", "shared", "unshared", "archived"):  # "unshared" is as if it had never been
        _dataset(rows, who, kind)
        model_id = who.model_id[kind] = ids.new_id()
        slug = f"{name} {kind}".replace(" ", "-")
        who.custom_model_uri[kind] = f"model/{slug}/version/1"
        rows.add(
            tables.models, model_id=model_id, user_id=who.user_id, dataset_id=who.dataset_id[kind],
            name=f"{name} {kind}", status="ARCHIVED" if kind == "archived" else "COMPLETED",
            base=runtime.base.identity, first_version=1, slug=slug, version=1, adapter_sha256=adapter.sha256,
            adapter_bytes=adapter.size_bytes, created_at=rows.at, updated_at=rows.at,
        )  # fmt: skip
        rows.add(tables.slugs, slug=slug, user_id=who.user_id, next_version=2)
        run_id = ids.new_id()
        rows.add(
            tables.training_runs, run_id=run_id, model_id=model_id, job_id=ids.new_id(), status="COMPLETED",
            training_steps=180, lora_rank=64, ema=0.99, learning_rate=1e-4, seed=1, step=180, scores={"180": 0.5},
            kept_steps=[STEP], created_at=rows.at, updated_at=rows.at,
        )  # fmt: skip
        kept = {"adapter_sha256": sha256_hex(PICTURE), "adapter_bytes": len(PICTURE)}
        rows.add(tables.checkpoints, run_id=run_id, step=STEP, score=0.6, **kept)
        if kind in ("shared", "archived"):
            share = {"model_id": model_id, "organization_id": who.organization_id}
            rows.add(tables.model_shares, **share, created_at=rows.at)
    who.api_key_id, who.invite_id = rows.key(who)[0], ids.new_id()
    rows.add(
        tables.invites, invite_id=who.invite_id, organization_id=who.organization_id, email=f"{who.invite_id}@x.org",
        role="MEMBER", status="PENDING", created_at=rows.at, expires_at=rows.at + timedelta(days=7),
    )  # fmt: skip
    job_id, who.generation_id, who.image_id = ids.new_id(), ids.new_id(), ids.new_id()
    mine = {"user_id": who.user_id, "organization_id": who.organization_id, "job_id": job_id}
    rows.add(tables.jobs, **{**generation["job"], **mine})
    rows.add(tables.generations, **{**generation["row"], **mine, "generation_id": who.generation_id})
    digest = sha256_hex(PICTURE)
    owner = {"user_id": who.user_id, "organization_id": who.organization_id}
    rows.add(
        tables.images, image_id=who.image_id, job_id=job_id, image_sha256=digest, created_at=rows.at, **owner,
        operation="remix", base=runtime.base.identity, search="secret", seed=1, width=48, height=32, details={},
    )  # fmt: skip
    rows.add(
        tables.drawings, job_id=job_id, path="/v1/ideogram-v3/remix", operation="remix", prompt="a secret prompt",
        fields={}, notes=[], created_at=rows.at,
    )  # fmt: skip
    rows.add(
        tables.drawing_inputs, job_id=job_id, field=who.field, position=0, picture_sha256=digest, width=48, height=32
    )  # fmt: skip


def _dataset(rows: Rows, who: Things, kind: str) -> None:
    dataset_id, asset_id, digest = ids.new_id(), ids.new_id(), sha256_hex(PICTURE)
    who.dataset_id[kind], who.asset_id[kind] = dataset_id, asset_id
    rows.add(
        tables.datasets, dataset_id=dataset_id, user_id=who.user_id, name="Secret pictures", image_count=1,
        created_at=rows.at, updated_at=rows.at,
    )  # fmt: skip
    rows.add(
        tables.assets, asset_id=asset_id, dataset_id=dataset_id, position=1, file_name="secret.png", stem="secret",
        source_sha256=digest, image_sha256=digest, width=48, height=32, file_size_bytes=len(PICTURE),
        caption="a secret caption", caption_is_json=False, created_at=rows.at,
    )  # fmt: skip


PICTURE = png(7)


def signed(runtime: Runtime, image_id: str) -> str:
    """The query that opens an image."""
    return sign(image_id, ids.now() + timedelta(hours=1), runtime.link_secret)


def finished_generation(tx: Connection, generation_id: str) -> dict[str, Any]:
    """The columns of a generation and its job, to be copied."""
    row = tx.execute(select(tables.generations).where(tables.generations.c.generation_id == generation_id)).one()
    job = tx.execute(select(tables.jobs).where(tables.jobs.c.job_id == row.job_id)).one()
    at = ids.now()
    ended = {"webhook_ended_at": at, "webhook_next_at": at}
    return {"row": {**row._asdict(), **ended}, "job": job._asdict()}
