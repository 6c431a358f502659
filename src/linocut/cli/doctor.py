"""``linocut doctor``: is this machine fit to run a server, and is the server well? Each fault with its mending."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer

from linocut.cli import checks
from linocut.cli.checks import Finding
from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption
from linocut.cli.fit import fit
from linocut.cli.price_check import prices
from linocut.cli.say import EXIT_FAILED, JsonFlag, answer
from linocut.cli.serve import BaseOption, DataOption
from linocut.cli.speakers import speakers
from linocut.environment import settings_where_right


def doctor(
    data: DataOption = None,
    base: BaseOption = None,
    server: Annotated[bool, typer.Option("--server/--no-server", help="Look at the running server too.")] = True,
    blobs: Annotated[
        bool, typer.Option("--blobs", help="Read every stored file, and name those that are lost.")
    ] = False,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Look at settings, libraries, disk, port, base, database, keys, storage, tools and the running server.

    Prints what to type for each fault. Exit code 1 if there is one."""
    settings, wrong = settings_where_right(data=data, base=base)
    looks: list[Callable[[], Finding]] = [
        checks.python,
        checks.libraries,
        lambda: checks.threads(settings),
        lambda: checks.disk(settings),
        lambda: checks.port(settings, url),
        lambda: checks.base(settings),
        lambda: fit(settings),
        lambda: checks.database(settings),
        lambda: checks.keys(settings),
        lambda: checks.storage(settings),
        lambda: checks.tools(settings),
        lambda: checks.safety(settings),
        lambda: speakers(settings),
        lambda: prices(settings),
    ]
    if blobs:
        looks.append(lambda: checks.blobs(settings))
    if not checks.variables(wrong).ok:  # right ones go without saying
        looks.insert(0, lambda: checks.variables(wrong))
    elif told := checks.unused(settings):
        looks.insert(0, lambda: Finding("settings", True, " ".join(told)))
    if server:
        looks += [lambda: checks.server(url), lambda: checks.proxy(url), lambda: checks.key(url, key_file)]
    findings = [look() for look in looks]
    answer([asdict(f) for f in findings], "\n".join(_lines(f) for f in findings), as_json=as_json)
    raise typer.Exit(0 if all(f.ok for f in findings) else EXIT_FAILED)


def _lines(finding: Finding) -> str:
    if finding.ok:
        return f"ok    {finding.name}: {finding.found}"
    return f"FAIL  {finding.name}: {finding.found}\n      -> {finding.mend}"


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("doctor")(doctor)
