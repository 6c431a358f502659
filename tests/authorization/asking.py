"""Which objects a route is asked about, and the request that asks about one of them. All of it is discovered from the
operation: its address, its query and its body."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from tests.api.every import body_of, label
from tests.authorization.world import Things, World, signed
from tests.contract.documents import MINE

from linocut.api.operation import Operation
from linocut.ids import now, wire_time
from linocut.runtime import Runtime

ABSENT = "Nobody-has-this-id-ever"[:22]
GARBAGE = "..\\..\\etc\\passwd' --"

SIGNED = "signed image_id"
"""Of the one route that asks for no key: the link is the right to see it."""
_SHARED = ("own", "shared", "unshared", "foreign", "absent", "garbage")
OBJECTS: dict[str, tuple[str, ...]] = {
    "model_id": _SHARED,
    "custom_model_uri": ("own", "shared", "unshared", "archived", "foreign", "absent", "garbage"),
    "dataset_id": _SHARED,
    "asset_id": ("own", "other", "foreign", "absent", "garbage"),
    "api_key_id": ("own", "foreign", "absent", "garbage"),
    "organization_id": ("own", "foreign", "absent", "garbage"),
    "generation_id": ("own", "foreign", "absent", "garbage"),
    "invite_id": ("own", "foreign", "absent", "garbage"),
    "image_id": ("own", "foreign", "absent", "garbage"),
    SIGNED: ("own", "unsigned", "absent", "garbage"),
    "image_urls": ("own", "foreign", "absent", "garbage"),
    "members": ("member", "owner", "foreign", "absent", "garbage"),
}
"""By the name of a parameter or field: what it may lead to. Any other parameter of an address: absent and garbage."""
NOTHING = "-"
"""The only row of a route that is about no object."""


@dataclass(frozen=True)
class Request:
    """What is sent, but for who sends it."""

    path: str
    query: str
    body: dict[str, Any]


def rows_of(operation: Operation) -> list[tuple[str, str]]:
    """(parameter, object) for each row of the route."""
    names = kinds_of(operation)
    rows = [(name, kind) for name in names for kind in _objects(operation, name)]
    return rows or [(NOTHING, NOTHING)]


def _objects(operation: Operation, name: str) -> tuple[str, ...]:
    is_signed = name == "image_id" and not operation.key_needed
    return OBJECTS.get(SIGNED if is_signed else name, ("absent", "garbage"))


def kinds_of(operation: Operation) -> list[str]:
    """The parameters and fields that name an object."""
    in_path = re.findall(r"\{(\w+)\}", operation.path)
    fields = [
        name
        for struct in (operation.query, operation.body)
        if struct is not None
        for name in struct.__struct_fields__
        if name in OBJECTS
    ]
    return list(dict.fromkeys([*in_path, *fields]))


def request_for(operation: Operation, runtime: Runtime, world: World, caller: str, row: tuple[str, str]) -> Request:
    """The request of a row. What the row does not name is the caller's own."""
    mine = world.colleague if caller == "self" else world.owner
    values = {name: _value(name, "own", mine, world, runtime) for name in kinds_of(operation)}
    name, kind = row
    if name != NOTHING:
        values[name] = _value(name, kind, mine, world, runtime)
    if name == "dataset_id" and kind in mine.asset_id:
        values["asset_id"] = mine.asset_id[kind]
    path = re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), operation.path)
    return Request(path, _query(operation, values, name, kind, runtime), _body(operation, caller, values, name))


def _query(operation: Operation, values: dict[str, Any], name: str, kind: str, runtime: Runtime) -> str:
    if "image_id" in values and not operation.key_needed:
        return signed(runtime, values["image_id"]) if kind != "unsigned" else "exp=9999999999&sig=" + "0" * 64
    if operation.query is None:
        return ""
    examples = {
        one["name"]: one["schema"]["examples"][0]
        for one in MINE[label(operation)]["parameters"]
        if one["in"] == "query" and one["required"] and "examples" in one["schema"]
    }
    if "start_time" in examples:
        examples["start_time"] = wire_time(now() - timedelta(days=1))
    given = {one: values[one] for one in operation.query.__struct_fields__ if one in values}
    return urlencode(examples | given)


def _body(operation: Operation, caller: str, values: dict[str, Any], name: str) -> dict[str, Any]:
    """As ``body_of``: the operation's own example, but for the objects."""
    if operation.body is None:
        return {}
    fields = {one: values[one] for one in operation.body.__struct_fields__ if one in values}
    if name not in ("custom_model_uri", "image_urls"):  # they may be left out, and are where the row is of another
        fields = {one: value for one, value in fields.items() if one not in ("custom_model_uri", "image_urls")}
    if "account" in operation.body.__struct_fields__:
        fields["account"] = f"{caller}@example.org"  # who guesses is stopped, by the account
    example = body_of(operation)
    if "json" in example:
        return {"json": {**example["json"], **fields}}
    parts = [part for part in example["files"] if part[0] not in fields]
    if "image_urls" in fields:
        parts = [part for part in parts if part[0] not in ("images", "image_urls")]
    if operation.path.endswith("/upload_assets"):
        parts = [("files", ("note.txt", b"a caption"))]
    as_text = [(one, (None, value if isinstance(value, str) else json.dumps(value))) for one, value in fields.items()]
    return {"files": [*parts, *as_text]}


def value_of(row: tuple[str, str], runtime: Runtime, world: World, caller: str) -> Any:
    """What names the object of a row."""
    return _value(*row, world.colleague if caller == "self" else world.owner, world, runtime)


def _value(name: str, kind: str, mine: Things, world: World, runtime: Runtime) -> Any:
    """What a parameter is for this object."""
    if name == "members":
        return [_somebody(kind, mine, world)]
    if name == "image_urls":
        image_id = str(_plain("image_id", kind, mine, world))
        return [f"http://inside/api/images/ephemeral/{quote(image_id)}.png?{signed(runtime, image_id)}"]
    return _plain(name, kind, mine, world)


def _plain(name: str, kind: str, mine: Things, world: World) -> Any:
    if kind == "absent":
        return "model/never-there/version/1" if name == "custom_model_uri" else ABSENT
    if kind == "garbage" or not hasattr(mine, name):
        return "model/../../etc/version/1" if name == "custom_model_uri" else GARBAGE
    if kind == "unsigned":
        kind = "own"
    found = getattr(world.stranger if kind == "foreign" else mine, name)
    if not isinstance(found, dict):
        return found
    if kind == "other":
        return found["shared"]
    return found["shared" if kind == "foreign" else kind]


def _somebody(kind: str, mine: Things, world: World) -> dict[str, str]:
    ids = {"member": world.colleague, "owner": world.owner, "foreign": world.stranger}
    if kind in ids:
        return {"user_id": ids[kind].user_id}
    return {"user_id": ABSENT if kind == "absent" else GARBAGE} if kind != "own" else {"user_id": mine.user_id}


def encoded(body: dict[str, Any]) -> tuple[bytes, str]:
    """A body's bytes, and its Content-Type."""
    if not body:
        return b"", ""
    if "json" in body:
        return msgspec.json.encode(body["json"]), "application/json"
    pieces = []
    for name, (file_name, content) in body["files"]:
        file = f'; filename="{file_name}"' if file_name is not None else ""
        data = content if isinstance(content, bytes) else str(content).encode()
        pieces.append(b'--edge\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n' % (name.encode(), file.encode()))
        pieces.append(data + b"\r\n")
    return b"".join([*pieces, b"--edge--\r\n"]), "multipart/form-data; boundary=edge"


__all__ = ["NOTHING", "encoded", "kinds_of", "label", "request_for", "rows_of", "value_of"]
