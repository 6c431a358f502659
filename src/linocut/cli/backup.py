"""``linocut backup``: everything that a server remembers in one file, while it goes on working."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from linocut.backups import take
from linocut.cli.keys import open_database
from linocut.cli.say import EXIT_FAILED, JsonFlag, answer, note, number_of
from linocut.cli.serve import DataOption
from linocut.environment import settings_with
from linocut.storage.store import Store

_EVERY = 1000  # files between two lines of progress


def backup(
    file: Annotated[Path, typer.Argument(help="The new file. Nobody but you may read it: it holds secrets.")],
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Write all accounts, keys, datasets, models, images and jobs to one file. The server may go on working.

    Exit code 1 when stored files are lost: the backup is made without them, and each is named."""
    settings = settings_with(data=data)
    with closing(open_database(data)) as db:
        store = Store.open(settings.storage_url or settings.data.absolute() / "store")
        taken = take(db, store, file, Copied())
    size = file.stat().st_size
    for sha256 in taken.lost:
        note(f"lost: a stored file is not whole, so the backup lacks it: {sha256} (linocut doctor --blobs says whose)")
    if taken.under_way:
        note(
            f"note: {number_of(taken.under_way, 'job')} had not ended. Where the backup is restored they begin again: "
            "a training from the last checkpoint in the store, or from its first step, with the same result."
        )
    facts = {"file": str(file), "bytes": size, "rows": taken.rows, "files": taken.blobs, "lost": list(taken.lost)}
    answer(
        {**facts, "jobs_under_way": taken.under_way},
        f"{file}: {number_of(taken.rows, 'row')} and {number_of(taken.blobs, 'stored file')}, {size / 1e6:,.1f} MB. "
        "Bases are not in it. It holds secrets: keep it where only you can read it.",
        as_json=as_json,
    )
    if taken.lost:
        raise typer.Exit(EXIT_FAILED)


class Copied:
    """Says on stderr now and then how many stored files were copied."""

    def __init__(self) -> None:
        self._files = 0

    def __call__(self) -> None:
        self._files += 1
        if self._files % _EVERY == 0:
            note(f"{self._files:,} files")


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("backup")(backup)
