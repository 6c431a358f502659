"""``linocut version``."""

import sys

import typer

from linocut import __version__


def version() -> None:
    """Print the version."""
    sys.stdout.write(f"linocut {__version__}\n")


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("version")(version)
