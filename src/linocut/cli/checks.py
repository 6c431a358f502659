"""What ``linocut doctor`` looks at, one function each. A look changes nothing: no folder is made, nothing migrated, and
what is written to a bucket to try it out is deleted again."""

import errno
import importlib.metadata
import os
import shlex
import shutil
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from sqlalchemy.exc import DBAPIError

from linocut.accounts.keys import list_keys
from linocut.bases import Memory, check_parts, load_base
from linocut.bases.licences import check_licence
from linocut.cli.connection import api_key
from linocut.client import Client
from linocut.db import checkup, engines, schema
from linocut.db.database import Database
from linocut.engine.tools.catalogue import MIB, TOOLS
from linocut.engine.tools.toolbox import Toolbox
from linocut.environment import unknown_variables
from linocut.errors import Busy, Internal, InvalidRequest, LinocutError, NotReady, Unavailable
from linocut.folders import nearest, trouble_with
from linocut.runtime import base_folder
from linocut.safety.rules import read_rules
from linocut.settings import Settings
from linocut.sight import check_rule, judges_with
from linocut.storage.store import Store, folder_of
from linocut.workers.ports import free_port, why_not

LEAST_FREE_GIB = 1.0
PATIENCE_SECONDS = 5.0
"""How long a database may take to answer."""
CHECK_SECONDS = 60.0
"""How long a SQLite file is looked at for damage."""


_ANOTHER_BASE = "Take another, or mini: linocut serve --base mini   (linocut bases list shows those that are known)"


LETTERING_FILES = ("det.onnx", "rec.onnx")
"""What a folder of LINOCUT_LETTERING must hold."""
WEIGHTS_VARIABLES = {"lettering": "LINOCUT_LETTERING", "typefaces": "LINOCUT_FONTS"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``mend``: what to do when it is not ``ok``, as a command to type where there is one."""

    name: str
    ok: bool
    found: str
    mend: str = ""


def variables(wrong: str) -> Finding:
    """The settings themselves. ``wrong``: what is wrong with them; the other looks then take the defaults."""
    unknown = unknown_variables()
    found = " ".join([wrong, *unknown]).strip()
    return Finding("settings", not found, found or "read", "Mend these variables (docs/settings.md has them all).")


def python() -> Finding:
    """The interpreter's version."""
    version = ".".join(map(str, sys.version_info[:3]))
    mend = "Install Python 3.11 or newer, then: rm -rf .venv && python3.11 -m venv .venv && .venv/bin/pip install -e ."
    return Finding("python", sys.version_info >= (3, 11), version, mend)


def libraries() -> Finding:
    """Installed, and in which versions; nothing heavy is imported to find out."""
    try:
        versions = {name: importlib.metadata.version(name) for name in ("torch", "diffusers", "transformers", "pillow")}
    except importlib.metadata.PackageNotFoundError as missing:
        mend = f"{sys.executable} -m pip install -c constraints.txt -e ."
        return Finding("libraries", False, f"{missing.name} is not installed", mend)
    return Finding("libraries", True, ", ".join(f"{name} {version}" for name, version in versions.items()))


def threads(settings: Settings) -> Finding:
    """Whether the engine processes together ask for more threads than there are cores: they slow each other down."""
    cores, workers = os.cpu_count() or 1, max(1, settings.workers)
    each = settings.threads or max(1, cores // workers)
    found = f"{cores} cores, {workers} engine process{'es' if workers > 1 else ''} of {each} thread(s)"
    mend = f"export LINOCUT_THREADS={max(1, cores // workers)}"
    return Finding("threads", each * workers <= max(cores, workers), found, mend)


def disk(settings: Settings) -> Finding:
    """The data folder, or where it would be made: writable, and with room."""
    folder = settings.data.absolute()
    if trouble := trouble_with(folder):
        return Finding("disk", False, *trouble)
    free = shutil.disk_usage(nearest(folder)).free / 2**30
    mend = f"Free {LEAST_FREE_GIB:.0f} GiB there, or: linocut serve --data <a folder on another disk>"
    return Finding("disk", free >= LEAST_FREE_GIB, f"{folder}: {free:.1f} GiB free", mend)


def remembered(settings: Settings) -> Memory:
    """What the data folder remembers of bases, where there is one that may be looked at."""
    may_look = not trouble_with(settings.data) and settings.data.is_dir()
    return Memory(settings.bases_memory if may_look else None)


def base(settings: Settings) -> Finding:
    """The base that would be loaded: its facts, and that its parts are there (headers only)."""
    try:
        folder = base_folder(settings)
        if settings.engine == "torch":
            check_parts(folder)
        found = load_base(folder, remembered(settings))
    except LinocutError as error:
        mend = error.message.rpartition("to fetch it: ")[2] if "to fetch it: " in error.message else _ANOTHER_BASE
        return Finding("base", False, error.message, mend)
    told = f"{found.name}, {found.identity}, {found.native_pixels} pixels native, licence {found.licence.name}"
    try:
        check_licence(found, settings.accepted_licences)
    except InvalidRequest as refused:
        return Finding("base", False, refused.message, f"linocut serve --accept-licence {found.known_as or found.name}")
    return Finding("base", True, told)


def database(settings: Settings) -> Finding:
    """Whole, reachable, and of this version."""
    if settings.sqlite_file is not None:
        if trouble := trouble_with(settings.sqlite_file.parent):
            mend = "Mend LINOCUT_DATABASE_URL (docs/settings.md)." if settings.database_url else trouble[1]
            return Finding("database", False, trouble[0], mend)
        if (harm := _harm(settings.sqlite_file)) is not None:
            return harm
    if settings.damage_note.exists():  # values that cannot be read, say: no check of whole pages sees them
        put_back = f"{checkup.WAY_BACK} Once it is put back, the next start looks at all of it."
        return Finding("database", False, "a server has met damage in it (its log says what)", put_back)
    if _is_new(settings):
        return Finding("database", True, "none yet; the first `linocut serve` makes it")
    try:
        with closing(_opened(settings)) as db, db.read() as tx:
            version = schema.version(tx)
    except InvalidRequest as wrong:
        psycopg = "pip install 'linocut[postgres]'"
        mend = psycopg if wrong.message == engines.NO_PSYCOPG else "Mend LINOCUT_DATABASE_URL (docs/settings.md)."
        return Finding("database", False, wrong.message, mend)
    except (LinocutError, DBAPIError) as error:
        found = error.message if isinstance(error, LinocutError) else f"does not answer ({type(error.orig).__name__})"
        return Finding("database", False, found, _look_at_database(settings))
    if version == schema.HEAD:
        return Finding("database", True, f"answers, at version {version}")
    found = f"is at version {version}; this linocut wants {schema.HEAD}"
    mend = "Stop the server, save a copy of the database, then: linocut serve   (it brings an older one up to date)"
    return Finding("database", False, found, mend)


def keys(settings: Settings) -> Finding:
    """Whether anybody could call the server."""
    mend = f"linocut keys create --data {shlex.quote(str(settings.data))}"
    if settings.sqlite_file is not None and trouble_with(settings.sqlite_file.parent):
        return Finding("keys", False, "cannot be read: see database", "Mend the database first.")
    if _is_new(settings):
        return Finding("keys", False, "none yet", mend)
    try:
        with closing(_opened(settings)) as db, db.read() as tx:
            active = sum(one.revoked_at is None for one in list_keys(tx))
    except (LinocutError, DBAPIError):
        return Finding("keys", False, "cannot be read: see database", "Mend the database first.")
    return Finding("keys", active > 0, f"{active} active", mend)


def storage(settings: Settings) -> Finding:
    """Whether blobs can be kept."""
    try:
        folder = folder_of(settings.storage_url or settings.data.absolute() / "store")
    except InvalidRequest as wrong:
        return Finding("storage", False, wrong.message, "Mend LINOCUT_STORAGE_URL (docs/settings.md).")
    if folder is None:
        return _bucket(settings.storage_url)
    if trouble := trouble_with(folder):
        mend = "Set LINOCUT_STORAGE_URL to a folder that this user may write to."
        if not settings.storage_url:
            mend = (trouble_with(settings.data) or trouble)[1]
        return Finding("storage", False, trouble[0], mend)
    found = f"{folder}" if folder.exists() else f"{folder}, made by the first `linocut serve`"
    return Finding("storage", True, found)


def blobs(settings: Settings) -> Finding:
    """Every stored file that a row names, read: whole, missing or damaged. Models are marked by what is found."""
    from linocut.workers import inventory  # late: it is seldom asked for

    where = settings.storage_url or str(settings.data.absolute() / "store")
    if _is_new(settings):
        return Finding("blobs", True, "none yet")
    if not (settings.storage_url or Path(where).is_dir()):
        return Finding("blobs", False, f"there is no {where}", f"Put {where} back from a backup (docs/backups.md).")
    try:
        with closing(_opened(settings)) as db:
            with db.read() as tx:
                version = schema.version(tx)
            if version != schema.HEAD:
                return Finding("blobs", False, "cannot be looked at: see database", "Mend the database first.")
            found = inventory.take(db, Store.open(where))
    except (LinocutError, DBAPIError, ModuleNotFoundError) as error:
        said = error.message if isinstance(error, LinocutError) else "the database does not answer"
        return Finding("blobs", False, f"cannot be looked at: {said}", "Mend the database and the storage first.")
    back = "".join(f"\n      back: the weights of model {model_id}" for model_id in found.back)
    if not found.missing:
        return Finding("blobs", True, f"{found.files} stored files, all whole{back}")
    lines = [f"      {one.how}: {', '.join(one.whose)} ({one.sha256})" for one in found.missing]
    told = f"{len(lines)} of {found.files} stored files are missing or damaged:\n" + "\n".join(lines) + back
    mend = f"Put them back into {where} from a backup (docs/backups.md), then: linocut doctor --blobs"
    return Finding("blobs", False, told, f"{mend}   (or upload the pictures again, and train the models again)")


def port(settings: Settings, url: str) -> Finding:
    """Free, or taken by the server that is asked about."""
    where = f"{settings.host}:{settings.port}"
    try:
        free_port(settings.host, settings.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and url.rstrip("/").endswith(f":{settings.port}") and server(url).ok:
            return Finding("port", True, f"{where} is the server's")
        return Finding("port", False, *why_not(settings.host, settings.port, error))
    return Finding("port", True, f"{where} is free")


def server(url: str) -> Finding:
    """Whether it answers and can draw."""
    try:
        ready = httpx2.get(f"{url.rstrip('/')}/readyz", timeout=5.0)
    except httpx2.TransportError:
        return Finding("server", False, f"nothing answers at {url}", "linocut serve   (or give --url)")
    if ready.status_code != httpx2.codes.OK:
        mend = "Wait until its base is loaded; if that takes minutes, look at what `linocut serve` prints."
        return Finding("server", False, "answers, but has no engine ready", mend)
    return Finding("server", True, f"ready at {url}")


def proxy(url: str) -> Finding:
    """Whether a proxy before the server is one that it trusts: what the server has seen so far."""
    try:
        told = httpx2.get(f"{url.rstrip('/')}/metrics", timeout=5.0).text
    except httpx2.TransportError:
        return Finding("proxy", True, "not looked at: the server does not answer")
    if "linocut_untrusted_proxy 1" in told.splitlines():
        found = "X-Forwarded headers come from an address that is not trusted, so links ignore them"
        mend = "export LINOCUT_TRUSTED_PROXIES=<the proxy's address>   (the log names it; docs/behind-a-proxy.md)"
        return Finding("proxy", False, found, mend)
    return Finding("proxy", True, "none that is not trusted")


def key(url: str, key_file: Path) -> Finding:
    """Whether the server takes the caller's key."""
    try:
        with Client(api_key(key_file), url) as client:
            client.datasets()
    except Busy as away:
        return Finding("key", False, away.message, "linocut serve   (or give --url)")
    except LinocutError as error:
        mend = "linocut keys create   (then: export LINOCUT_API_KEY=<the key that it prints>)"
        return Finding("key", False, error.message, mend)
    return Finding("key", True, "accepted")


def tools(settings: Settings) -> Finding:
    """The tools beside the base that there are, whether those asked for at the start can be had, and whether the
    weights are there that the operator brings."""
    brought = settings.weights_of_tools
    for name, path in brought.items():
        wanted = [path / file for file in LETTERING_FILES] if name == "lettering" else [path]
        if missing := [one for one in wanted if not one.exists()]:
            mend = f"Mend {WEIGHTS_VARIABLES.get(name, 'the setting that names it')} (docs/tools.md)."
            return Finding("tools", False, f"of the tool {name} there is no {missing[0]}", mend)
    known = [
        f"{facts.name} ({facts.licence}; {facts.reserved_bytes // MIB} MiB"
        + (f"; with {brought[facts.name]})" if facts.name in brought else ")")
        for facts in TOOLS.values()
    ]
    strangers = [name for name in settings.tools_at_start if name not in TOOLS]
    if strangers:
        mend = f"export LINOCUT_TOOLS={','.join(name for name in settings.tools_at_start if name in TOOLS)}"
        return Finding("tools", False, f"there is no tool {strangers[0]}; there are: {', '.join(TOOLS)}", mend)
    asked = [TOOLS[name].reserved_bytes // MIB for name in settings.tools_at_start]
    most = max(asked, default=0)
    if most > settings.tools_memory_mib:
        mend = f"export LINOCUT_TOOLS_MEMORY_MIB={most}"
        return Finding("tools", False, f"a tool needs {most} MiB, tools have {settings.tools_memory_mib} MiB", mend)
    wrong = _unfit_matting(settings)
    if wrong:
        mend = "export LINOCUT_MATTING=border   (or name a file that fits: docs/tools.md)"
        return Finding("tools", False, wrong, mend)
    return Finding("tools", True, f"{', '.join(known)}; {_cut_by(settings)} cuts out")


def _cut_by(settings: Settings) -> str:
    file = settings.weights_of_tools.get(settings.matter)
    return settings.matter if file is None else f"{settings.matter} ({file.name})"


def _unfit_matting(settings: Settings) -> str:
    """What is wrong with the network that is to cut out; empty where there is none, or it fits."""
    file = settings.weights_of_tools.get(settings.matter)
    if file is None:
        return ""
    needed = TOOLS[settings.matter].reserved_bytes // MIB
    if needed > settings.tools_memory_mib:
        return (
            f"the tool {settings.matter} needs {needed} MiB, tools have {settings.tools_memory_mib} MiB "
            "(LINOCUT_TOOLS_MEMORY_MIB)"
        )
    try:
        Toolbox("cpu", needed * MIB, weights=settings.weights_of_tools).load(settings.matter)
    except NotReady as unfit:
        return unfit.message
    return ""


def safety(settings: Settings) -> Finding:
    """Who judges pictures, and whether the rules for prompts can be read."""
    mend = "Mend LINOCUT_SAFETY_PICTURES, LINOCUT_SAFETY_MODEL or LINOCUT_SAFETY_RULES (docs/safety.md)."
    try:
        check_rule(settings.safety)
        rules = read_rules(settings.safety_rules)
    except InvalidRequest as wrong:
        return Finding("safety", False, wrong.message, mend)
    judge = judges_with(settings.safety) or "nobody"
    how = f"{settings.safety_pictures}, from {settings.safety_threshold}"
    return Finding("safety", True, f"pictures are judged by {judge} ({how}), prompts by {len(rules.rules)} rules")


def _harm(file: Path) -> Finding | None:
    """What is wrong with a SQLite file: damage, or a write-ahead file that is gone and took the last changes along."""
    found = checkup.check(file, CHECK_SECONDS)
    if found.fault is not None:
        return Finding("database", False, f"{file} is damaged: {found.fault}", checkup.WAY_BACK)
    stamp = checkup.Stamp(file)
    when = stamp.read().get("lost_at", "since the last start" if stamp.has_lost() else "")
    if not when:
        return None
    found_gone = (
        f"{checkup.wal_of(file).name} was gone after a server had been killed ({when}): its last changes are lost"
    )
    kept = f"rm {shlex.quote(str(stamp.path))}   (nothing is missed)"
    return Finding("database", False, found_gone, f"{checkup.WAY_BACK} Or: {kept}")


def _is_new(settings: Settings) -> bool:
    return settings.sqlite_file is not None and not os.path.lexists(settings.sqlite_file)


def _opened(settings: Settings) -> Database:
    """The database as it is: opened without bringing it up to date."""
    url = engines.url_of(settings.resolved_database_url)
    return Database(*engines.engines_of(url, PATIENCE_SECONDS), PATIENCE_SECONDS)


def _look_at_database(settings: Settings) -> str:
    """What to type to see more of it: the address is shown without its password, as PostgreSQL's own tools take it."""
    url = engines.url_of(settings.resolved_database_url)
    if url.get_backend_name() == "sqlite":
        return f"ls -l {shlex.quote(str(url.database))}   (a SQLite file that this user may read and write)"
    shown = url._replace(password=None).set(drivername="postgresql").render_as_string()
    return f"pg_isready -d '{shown}'   (and LINOCUT_DATABASE_URL)"


def _bucket(url: str) -> Finding:
    """A bucket that answers, takes the credentials, and lets an object be written, read and deleted (it is)."""
    from linocut.storage.remote import RemoteStore

    bucket = f"s3://{urlsplit(url).netloc}"
    try:
        failed = RemoteStore.open(url).try_out()
    except InvalidRequest as wrong:
        verb = "mb" if wrong.details["field"] == "LINOCUT_STORAGE_URL" else "ls"
        mend = f"aws s3 {verb} {bucket}   (with the same AWS_* variables)"
        return Finding("storage", False, wrong.message, mend)
    except Unavailable:
        mend = f"curl -sS {_endpoint()}   (who answers there; AWS_ENDPOINT_URL names another)"
        return Finding("storage", False, f"{url} does not answer", mend)
    except Internal as broken:
        return Finding("storage", False, broken.message, "Set LINOCUT_STORAGE_URL to another bucket or to a folder.")
    if failed:
        mend = f"Allow this key s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on {bucket}"
        return Finding("storage", False, f"{url}: an object could not be {failed} there", mend)
    return Finding("storage", True, f"{url} answers; an object was written, read and deleted")


def _endpoint() -> str:
    named = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT")
    return named or f"https://s3.{os.environ.get('AWS_REGION', 'us-east-1')}.amazonaws.com"
