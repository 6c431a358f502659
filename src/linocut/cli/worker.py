"""``linocut worker``: one more engine process for a server that runs elsewhere on the same database and store."""

import typer

from linocut.cli.say import EXIT_FAILED
from linocut.cli.serve import BaseOption, DataOption, DevicesOption, LicenceOption, named
from linocut.environment import settings_with
from linocut.folders import make_folder, temporary_files_inside
from linocut.observe import set_up_logs


def worker(
    data: DataOption = None,
    base: BaseOption = None,
    accept_licence: LicenceOption = None,
    devices: DevicesOption = None,
) -> None:
    """Run one more engine process for a server that runs already.

    On its machine give it the same --data; elsewhere the same LINOCUT_DATABASE_URL and LINOCUT_STORAGE_URL."""
    settings = settings_with(data=data, base=base, accept_licence=named(accept_licence), training_devices=devices)
    set_up_logs(settings.log_level, as_json=settings.log_json)
    make_folder(settings.data)
    temporary_files_inside(settings.data)
    from linocut.workers import process  # late: it imports what wants a folder for temporary files

    raise typer.Exit(EXIT_FAILED if process.run(settings) else 0)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("worker")(worker)
