"""The buffers of numbers between the devices of a group: torch.distributed, gloo between CPUs, nccl between GPUs.

One group a process: on the loopback address, or on the network of the address that the leader is reached at. All
functions block. ``RuntimeError`` from each when a member is gone.

Shapes: P all parameters of an adapter.
"""

import os
import socket
from datetime import timedelta
from typing import Any

import psutil
import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import FileStore, Store, TCPStore
from torch.distributed.distributed_c10d import _set_pg_timeout, _world

MEETING_SECONDS = 60.0
"""All members have answered just before they are asked to meet: whoever comes later than this is gone."""
MOVING_SECONDS = 1800.0
"""The longest step of a rank that is waited for."""
FAR_SECONDS = 120.0
"""The same between nodes, where nothing else tells of a node that vanished: no member is at work while the others wait
for it, so it is the longest time that a buffer takes on its way."""
FAR = "tcp://"


_beside: list[Any] = []
"""The group that moves weights and gradients, where the base is divided: the default one then moves its parts."""
_over: list[str] = []
"""This node's own address, where it is not the leader's."""


def open_meeting(host: str, size: int) -> tuple[str, Store]:
    """A place for a group of several nodes, of which this process is the first -> its name for the others, and the
    store that it lives in."""
    store = TCPStore(host, 0, size, is_master=True, wait_for_workers=False)
    return f"{FAR}{host}:{store.port}", store


def meet(
    meeting: str, rank: int, size: int, on: torch.device, *, divided: bool = False, store: Store | None = None
) -> None:
    """Join the group that meets at ``meeting`` (or in ``store``, for who has opened it); leaves the one before."""
    leave()
    _world.group_count = 0  # a group meets under its count: after one that did not come about, members would differ
    far = meeting.startswith(FAR)
    if far:
        host, _, port = meeting.removeprefix(FAR).rpartition(":")
        name = _interface_of(_over[0] if _over else host)
        os.environ["GLOO_SOCKET_IFNAME"] = os.environ["NCCL_SOCKET_IFNAME"] = name
        store = store or TCPStore(host, int(port), size, timeout=timedelta(seconds=MEETING_SECONDS))
    else:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", _loopback())
        store = FileStore(meeting, size)
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if on.type == "cuda" else "gloo",
        store=store,
        rank=rank,
        world_size=size,
        timeout=timedelta(seconds=MEETING_SECONDS),
        device_id=on if on.type == "cuda" else None,
    )
    if divided:
        _beside.append(dist.new_group())
    for group in (None, *_beside):
        _set_pg_timeout(timedelta(seconds=FAR_SECONDS if far else MOVING_SECONDS), group)


def reached_by(address: str) -> None:
    """Meet over the network of this ``address`` of this machine, from now on."""
    _over[:] = [address]


def leave() -> None:
    """Leave the group, if any; whoever waits for this member hears of it."""
    _beside.clear()
    if dist.is_initialized():
        dist.destroy_process_group()


def share_weights(weights_P: Tensor) -> None:
    """The leader's ``weights_P`` come to everybody."""
    dist.broadcast(weights_P, src=0, group=_group())


def send_gradient(gradient_P: Tensor) -> None:
    """A rank's gradient goes to the leader, which is about to take it."""
    dist.send(gradient_P, dst=0, group=_group())


def add_gradient(gradient_P: Tensor, beside_P: Tensor, rank: int) -> None:
    """The gradient of ``rank`` is added to the leader's; ``beside_P`` is room for it."""
    dist.recv(beside_P, src=rank, group=_group())
    gradient_P.add_(beside_P)


def _group() -> Any:
    return _beside[0] if _beside else None


def _loopback() -> str:
    """The name of the loopback interface."""
    names = [name for _, name in socket.if_nameindex()]
    return next((name for name in names if name.startswith("lo")), "lo")


def _interface_of(host: str) -> str:
    """The name of the interface that has the address of ``host``, which is this machine; else the loopback's."""
    address = socket.gethostbyname(host)
    having = [name for name, found in psutil.net_if_addrs().items() if address in (one.address for one in found)]
    return next(iter(having), _loopback())
