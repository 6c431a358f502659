"""``linocut worker``: one more engine process for a server that runs elsewhere on the same database and store."""

import typer

from linocut.cli.serve import BaseOption, DataOption, settings_with
from linocut.observe import set_up_logs


def worker(data: DataOption = None, base: BaseOption = None) -> None:
    """Run one engine process on the server's data (or LINOCUT_DATABASE_URL and LINOCUT_STORAGE_URL)."""
    from linocut.workers import process

    settings = settings_with(data=data, base=base)
    set_up_logs(settings.log_level, as_json=settings.log_json)
    raise typer.Exit(process.run(settings))


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("worker")(worker)
