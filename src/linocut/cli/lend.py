"""``linocut lend``: this machine's device for the trainings of a worker on another machine."""

from typing import Annotated

import typer

from linocut.cli.say import EXIT_FAILED
from linocut.cli.serve import BaseOption, DataOption, LicenceOption, named
from linocut.environment import settings_with
from linocut.observe import set_up_logs
from linocut.workers import lend as process

LeaderArgument = Annotated[
    str, typer.Argument(metavar="HOST:PORT", help="Where the worker waits: its LINOCUT_TRAINING_LISTEN.")
]


def lend(
    leader: LeaderArgument,
    data: DataOption = None,
    base: BaseOption = None,
    accept_licence: LicenceOption = None,
) -> None:
    """Lend this machine's device to the trainings of a worker on another machine.

    It has the same base and the same LINOCUT_TRAINING_SECRET. It waits for the worker, and for the next one there,
    until it is ended (Ctrl-C). CUDA_VISIBLE_DEVICES says which GPU; several are lent by several processes."""
    settings = settings_with(data=data, base=base, accept_licence=named(accept_licence))
    set_up_logs(settings.log_level, as_json=settings.log_json)
    raise typer.Exit(EXIT_FAILED if process.run(settings, leader) else 0)


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("lend")(lend)
