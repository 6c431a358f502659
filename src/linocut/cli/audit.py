"""``linocut audit``: what was done to accounts, read on the server's machine, and whether all of it is still there."""

from contextlib import closing
from typing import Annotated

import typer

from linocut.accounts import audit as log
from linocut.accounts import organizations
from linocut.cli.keys import open_database
from linocut.cli.say import EXIT_FAILED, JsonFlag, answer
from linocut.cli.serve import DataOption

app = typer.Typer(help="Who did what to keys, members, shares and limits.", no_args_is_help=True)


@app.command("list")
def list_(
    most: Annotated[int, typer.Option("--most", min=1, max=100_000, help="How many entries, the newest first.")] = 100,
    before: Annotated[int | None, typer.Option("--before", help="Only entries with a smaller number.")] = None,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """The newest entries: number, time, who, what, to what."""
    with closing(open_database(data)) as db, db.read() as tx:
        names, found = organizations.names_of(tx), log.entries(tx, before=before, most=most)
    lines = [
        f"{e.number:>6}  {e.at:%Y-%m-%d %H:%M:%S}  {_who(e.actor, names):<16}  {e.action:<20}  "
        f"{e.object_id or ''}  {names.get(e.organization_id or '', '')}".rstrip()
        for e in found
    ]
    answer([log.told(e) for e in found], "\n".join(lines) or "Nothing was done yet.", as_json=as_json)


def _who(actor: log.Actor, names: dict[str, str]) -> str:
    """A user's handle; the operator for a verb on this machine; for somebody unknown, the address they came from."""
    if actor.user_id is not None:
        return names.get(actor.user_id, "removed")
    return "operator" if actor.address is None else f"({actor.address})"


@app.command("head")
def head(data: DataOption = None, as_json: JsonFlag = False) -> None:
    """The number and the seal of the last entry. Keep the line elsewhere: verify --known finds a log made anew."""
    with closing(open_database(data)) as db, db.read() as tx:
        number, seal = log.head(tx)
    answer({"number": number, "seal": seal}, f"{number}:{seal}", as_json=as_json)


@app.command("verify")
def verify(
    known: Annotated[str | None, typer.Option("--known", help="NUMBER:SEAL that `linocut audit head` gave.")] = None,
    data: DataOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Find every entry that was changed, removed or moved. Exit code 1 when there is one."""
    with closing(open_database(data)) as db, db.read() as tx:
        seen = log.verify(tx, known)
    sound = "The one entry is sound." if seen.entries == 1 else f"All {seen.entries:,} entries are sound."
    facts = {"entries": seen.entries, "seal": seen.seal, "faults": list(seen.faults)}
    answer(facts, "\n".join(seen.faults) or sound, as_json=as_json)
    if seen.faults:
        raise typer.Exit(EXIT_FAILED)


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="audit")
