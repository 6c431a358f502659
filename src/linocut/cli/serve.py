"""``linocut serve``: the API and the engine in one command."""

from pathlib import Path
from typing import Annotated

import typer

from linocut.environment import settings_with
from linocut.observe import set_up_logs

HostOption = Annotated[
    str | None, typer.Option("--host", help="Address to listen on; else LINOCUT_HOST, else 127.0.0.1.")
]
PortOption = Annotated[
    int | None,
    typer.Option("--port", min=0, max=65535, help="Port to listen on (0: a free one); else LINOCUT_PORT, else 8731."),
]


def _named(folder: str | Path) -> Path:
    """``--data "$UNSET"`` would otherwise be the folder that one is in."""
    if not str(folder).strip():
        raise typer.BadParameter("it is empty; give a folder, or leave the option out.")
    return Path(folder)


DataOption = Annotated[
    Path | None,  # not looked at by typer, which would call a folder of somebody else's wrong usage
    typer.Option(
        "--data",
        parser=_named,
        metavar="PATH",
        help="Folder that all is kept in; else LINOCUT_DATA, else linocut-data.",
    ),
]
BasesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--base",
        metavar="NAME",
        help="mini, a name of `linocut bases list`, or the folder of a base; more than once: several, the first one "
        "draws where LINOCUT_BASE_V3, _V4 and _LEGACY name none; else LINOCUT_BASE, else mini.",
    ),
]
BaseOption = Annotated[
    str | None,
    typer.Option(
        "--base", help="mini, a name of `linocut bases list`, or the folder of a base; else LINOCUT_BASE, else mini."
    ),
]
LicenceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-licence",
        metavar="NAME",
        help="Serve this base though its licence does not allow to host it freely; else LINOCUT_ACCEPT_LICENCE.",
    ),
]
VerifyOption = Annotated[
    bool, typer.Option("--verify", help="Read every file of the base again, whether or not it looks unchanged.")
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS|local",
        help="Have a Ray cluster run the workers (pip install 'linocut[cluster]'); else LINOCUT_CLUSTER, else none.",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers", min=0, max=64, help="Engine processes of each base (0: none here); else LINOCUT_WORKERS, else 1."
    ),
]

DevicesOption = Annotated[
    int | None,
    typer.Option(
        "--devices",
        min=1,
        max=64,
        help="Devices of this machine that learn one training together; else LINOCUT_TRAINING_DEVICES, else 1.",
    ),
]


def serve(
    host: HostOption = None,
    port: PortOption = None,
    data: DataOption = None,
    base: BasesOption = None,
    workers: WorkersOption = None,
    accept_licence: LicenceOption = None,
    cluster: ClusterOption = None,
    devices: DevicesOption = None,
    verify: VerifyOption = False,
) -> None:
    """Serve the API, and run the engine beside it. Ctrl-C stops both; what was training goes on at the next start.

    Every other setting is an environment variable: docs/settings.md."""
    from linocut.workers import supervise

    first, more = (base[0], ",".join(base[1:])) if base else (None, None)
    if any("," in word for word in base or []):
        raise typer.BadParameter("a base's folder may have no comma in its name; give --base once for each base.")
    given = {"host": host, "port": port, "data": data, "workers": workers, "accept_licence": named(accept_licence)}
    settings = settings_with(**given, base=first, more_bases=more, cluster=cluster, training_devices=devices)
    set_up_logs(settings.log_level, as_json=settings.log_json)
    raise typer.Exit(supervise.run(settings, verify_base=verify))


def named(accept_licence: list[str] | None) -> str | None:
    """The options as the setting has them; None where none is given."""
    return ",".join(accept_licence) if accept_licence else None


def register(app: typer.Typer) -> None:
    """Put the verb on the command line."""
    app.command("serve")(serve)
