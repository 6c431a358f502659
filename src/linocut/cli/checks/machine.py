"""The machine and the settings: interpreter, libraries, cores, disk, port."""

import errno
import importlib.metadata
import os
import shutil
import sys

from linocut.cli.checks.finding import Finding
from linocut.cli.checks.serving import server
from linocut.environment import PREFIX, unknown_variables
from linocut.folders import nearest, trouble_with
from linocut.settings import Settings
from linocut.workers.ports import free_port, why_not

LEAST_FREE_GIB = 1.0

_USED_WITH = {
    ("describer", "endpoint"): ("describer_url", "describer_model", "describer_key"),
    ("writer", "endpoint"): ("writer_url", "writer_model", "writer_key"),
    ("writer", "base"): ("writer_head",),
    ("oidc_issuer", ""): ("oidc_client_id", "oidc_client_secret", "oidc_domains", "oidc_role_claim"),
    ("smtp_host", ""): ("smtp_from", "smtp_user", "smtp_password"),
}
"""(a setting, its value; "": any but none) -> those that are read only with it."""


def variables(wrong: str) -> Finding:
    """The settings themselves. ``wrong``: what is wrong with them; the other looks then take the defaults."""
    unknown = unknown_variables()
    found = " ".join([wrong, *unknown]).strip()
    return Finding("settings", not found, found or "read", "Mend these variables (docs/settings.md has them all).")


def unused(settings: Settings) -> list[str]:
    """A sentence for each setting that is given and, as the others are, makes no difference."""
    said = []
    for (switch, wanted), names in _USED_WITH.items():
        value = getattr(settings, switch)
        state = f"not {wanted}" if wanted else "not"
        for name in names:
            is_used = value == wanted if wanted else bool(value)
            if not is_used and getattr(settings, name) != Settings.model_fields[name].default:
                said.append(f"{PREFIX}{name.upper()} is set, and {PREFIX}{switch.upper()} is {state}: it is not used.")
    most, request = settings.max_file_mib, settings.max_request_mib
    if "max_file_mib" in settings.model_fields_set and most > request:
        said.append(f"{PREFIX}MAX_FILE_MIB is {most}, and {PREFIX}MAX_REQUEST_MIB {request}: no larger file arrives.")
    return said


def python() -> Finding:
    """The interpreter's version."""
    version = ".".join(map(str, sys.version_info[:3]))
    mend = "Install Python 3.11 or newer, then: rm -rf .venv && python3.11 -m venv .venv && .venv/bin/pip install -e ."
    return Finding("python", sys.version_info >= (3, 11), version, mend)


def libraries() -> Finding:
    """Installed, and in which versions; nothing heavy is imported to find out."""
    try:
        versions = {name: importlib.metadata.version(name) for name in ("torch", "diffusers", "transformers", "pillow")}
    except importlib.metadata.PackageNotFoundError as missing:
        mend = f"{sys.executable} -m pip install -c constraints.txt -e ."
        return Finding("libraries", False, f"{missing.name} is not installed", mend)
    return Finding("libraries", True, ", ".join(f"{name} {version}" for name, version in versions.items()))


def threads(settings: Settings) -> Finding:
    """Whether the engine processes together ask for more threads than there are cores: they slow each other down."""
    cores, workers = os.cpu_count() or 1, max(1, settings.workers)
    each = settings.threads or max(1, cores // workers)
    found = f"{cores} cores, {workers} engine process{'es' if workers > 1 else ''} of {each} thread(s)"
    mend = f"export LINOCUT_THREADS={max(1, cores // workers)}"
    return Finding("threads", each * workers <= max(cores, workers), found, mend)


def disk(settings: Settings) -> Finding:
    """The data folder, or where it would be made: writable, and with room."""
    folder = settings.data.absolute()
    if trouble := trouble_with(folder):
        return Finding("disk", False, *trouble)
    free = shutil.disk_usage(nearest(folder)).free / 2**30
    mend = f"Free {LEAST_FREE_GIB:.0f} GiB there, or: linocut serve --data <a folder on another disk>"
    return Finding("disk", free >= LEAST_FREE_GIB, f"{folder}: {free:.1f} GiB free", mend)


def port(settings: Settings, url: str) -> Finding:
    """Free, or taken by the server that is asked about."""
    where = f"{settings.host}:{settings.port}"
    try:
        free_port(settings.host, settings.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and url.rstrip("/").endswith(f":{settings.port}") and server(url).ok:
            return Finding("port", True, f"{where} is the server's")
        return Finding("port", False, *why_not(settings.host, settings.port, error))
    return Finding("port", True, f"{where} is free")
