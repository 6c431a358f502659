"""``linocut restore``: a backup, put into a place that no server has used."""

import os
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated

import typer

from linocut.backups import Restored, look_through, restore
from linocut.cli.backup import Copied
from linocut.cli.say import JsonFlag, answer, note, number_of
from linocut.cli.serve import DataOption
from linocut.db.database import Database
from linocut.environment import settings_with
from linocut.folders import make_folder
from linocut.ids import wire_time
from linocut.storage.store import Store


def restore_(
    file: Annotated[Path, typer.Argument(help="The file that `linocut backup` has written.")],
    again: Annotated[
        bool, typer.Option("--again", help="Go on with a restore that was cut off: the store may hold files already.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only read the file and say whether all of it is whole.")
    ] = False,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Put a backup into an empty database and an empty store, of whichever kinds. Start the server afterwards."""
    done = look_through(file, Copied()) if check else _put_back(file, data, again=again)
    lost = done.manifest.lost
    if lost:
        note(f"note: {number_of(len(lost), 'stored file')} had been lost already: linocut doctor --blobs says whose.")
    what = f"{number_of(done.rows, 'row')} and {number_of(done.blobs, 'stored file')}"
    of = f"of {wire_time(done.manifest.taken_at)}, by linocut {done.manifest.linocut}"
    answer(
        {"rows": done.rows, "files": done.blobs, "lost": lost, "taken_at": wire_time(done.manifest.taken_at)},
        f"{file} is whole: {what} {of}." if check else f"Restored: {what} {of}. Start the server with linocut serve.",
        as_json=as_json,
    )


def _put_back(file: Path, data: DataOption, *, again: bool) -> Restored:
    settings = settings_with(data=data)
    make_folder(settings.data)
    with suppress(PermissionError):
        os.chmod(settings.data, 0o700)
    with closing(Database.open(settings.resolved_database_url, migrate=False)) as db:
        store = Store.open(settings.storage_url or settings.data.absolute() / "store")
        return restore(db, store, file, again=again, step=Copied())


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("restore")(restore_)
