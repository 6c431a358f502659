"""The devices that a worker has: what it tells of its own, and how many may learn with it."""

import os

from linocut.bases import Base
from linocut.errors import InvalidRequest
from linocut.observe import log
from linocut.settings import Settings
from linocut.workers.presence import Device

VARIABLE = "LINOCUT_TRAINING_DEVICES"
REMOTE = "LINOCUT_TRAINING_REMOTE_DEVICES"


def device_of(settings: Settings) -> Device:
    """What this process draws on."""
    if settings.engine != "torch":
        return Device("none: a fake engine")
    from linocut.engine.device import told

    return Device(*told())


def check_devices(settings: Settings, base: Base) -> None:
    """``InvalidRequest`` unless as many devices as are asked for can learn ``base`` here. The log says how many of
    them its own recipe does not need."""
    remote = settings.training_remote_devices
    asked = settings.training_devices
    divided = settings.training_shards == "on"
    if remote:
        _check_remote(settings, remote, divided=divided)
    elif settings.training_listen:
        raise InvalidRequest(
            f"LINOCUT_TRAINING_LISTEN is set, and nobody is waited for there. Set {REMOTE} to how many devices come, "
            "or leave both unset."
        )
    if divided and asked == 1:
        raise InvalidRequest(f"LINOCUT_TRAINING_SHARDS is on, and there is one device; set {VARIABLE} to 2 or more.")
    if asked + remote == 1:
        return
    variable, number = (VARIABLE, asked) if asked > 1 else (REMOTE, remote)
    said = f"{variable} is {number}, and"
    if settings.engine != "torch":
        raise InvalidRequest(
            f"{said} the fake engine has no devices. Leave {variable} unset, or set LINOCUT_ENGINE=torch."
        )
    if settings.purpose == "serving":
        raise InvalidRequest(f"{said} this server does not train (LINOCUT_PURPOSE=serving). Leave {variable} unset.")
    if settings.workers > 1:
        raise InvalidRequest(
            f"{said} this server starts {settings.workers} engine processes, which would take the same devices. Give "
            f"--workers 1 and one base, or leave {variable} unset."
        )
    here, what = devices_here()
    if asked > here:
        raise InvalidRequest(f"{said} this machine has {here} {what}. Set {VARIABLE} to at most {here}.")
    batch = base.training.batch_size
    if asked + remote > batch and not divided:
        pictures = "1 picture" if batch == 1 else f"{batch} pictures"
        log("devices").warning(
            f"a step of the base's own recipe takes {pictures}, and a device needs one at least: an advanced training "
            "with a larger x_linocut.batch_size uses more devices",
            base=base.name,
            devices=asked + remote,
            batch_size=batch,
        )


def _check_remote(settings: Settings, remote: int, *, divided: bool) -> None:
    said = f"{REMOTE} is {remote}, and"
    if divided:
        raise InvalidRequest(
            f"{said} LINOCUT_TRAINING_SHARDS is on, which divides a base among the devices of one machine. Set one of "
            "them only."
        )
    if settings.cluster:  # the controller tells each worker its own address, and a secret
        return
    if not settings.training_listen:
        raise InvalidRequest(
            f"{said} nothing says where they come to. Set LINOCUT_TRAINING_LISTEN to this machine's address and a free "
            "port (10.0.0.5:8800), and lend devices with: linocut lend 10.0.0.5:8800"
        )
    if not settings.training_secret.get_secret_value():
        raise InvalidRequest(
            f"{said} anybody could come. Set LINOCUT_TRAINING_SECRET to the same 16 characters or more here and where "
            "devices are lent."
        )


def devices_here() -> tuple[int, str]:
    """(how many there are, what they are): GPUs, or processor cores where there is none."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.device_count(), "GPUs" if torch.cuda.device_count() > 1 else "GPU"
    cores = len(os.sched_getaffinity(0))
    return cores, "processor cores and no GPU" if cores > 1 else "processor core and no GPU"
