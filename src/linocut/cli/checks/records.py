"""The database, and whether anybody could call the server."""

import os
import shlex
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from linocut.accounts.keys import list_keys
from linocut.cli.checks.finding import Finding
from linocut.db import checkup, engines, schema
from linocut.db.database import Database
from linocut.errors import InvalidRequest, LinocutError
from linocut.folders import trouble_with
from linocut.settings import Settings

PATIENCE_SECONDS = 5.0
"""How long a database may take to answer."""
CHECK_SECONDS = 60.0
"""How long a SQLite file is looked at for damage."""


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
    if is_new(settings):
        return Finding("database", True, "none yet; the first `linocut serve` makes it")
    try:
        with closing(opened(settings)) as db, db.read() as tx:
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
    if (version or "") > schema.HEAD:
        return Finding(
            "database", False, f"is at version {version}, which this linocut does not know", "Upgrade linocut."
        )
    found = f"is at version {version}; this linocut wants {schema.HEAD}"
    mend = "Stop the server, save a copy of the database, then: linocut serve   (it brings an older one up to date)"
    return Finding("database", False, found, mend)


def keys(settings: Settings) -> Finding:
    """Whether anybody could call the server."""
    mend = f"linocut keys create --data {shlex.quote(str(settings.data))}"
    if settings.sqlite_file is not None and trouble_with(settings.sqlite_file.parent):
        return Finding("keys", False, "cannot be read: see database", "Mend the database first.")
    if is_new(settings):
        return Finding("keys", False, "none yet", mend)
    try:
        with closing(opened(settings)) as db, db.read() as tx:
            active = sum(one.revoked_at is None for one in list_keys(tx))
    except (LinocutError, DBAPIError):
        return Finding("keys", False, "cannot be read: see database", "Mend the database first.")
    return Finding("keys", active > 0, f"{active} active", mend)


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


def is_new(settings: Settings) -> bool:
    """Whether there is no database yet."""
    return settings.sqlite_file is not None and not os.path.lexists(settings.sqlite_file)


def opened(settings: Settings) -> Database:
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
