"""The buffers of numbers between the devices of a group: torch.distributed, gloo between CPUs, nccl between GPUs.

One group a process, on the loopback address. All functions block. ``RuntimeError`` from each when a member is gone.

Shapes: P all parameters of an adapter.
"""

import os
import socket
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import FileStore
from torch.distributed.distributed_c10d import _set_pg_timeout, _world

MEETING_SECONDS = 60.0
"""All members have answered just before they are asked to meet: whoever comes later than this is gone."""
MOVING_SECONDS = 1800.0
"""The longest step of a rank that is waited for."""


_beside: list[Any] = []
"""The group that moves weights and gradients, where the base is divided: the default one then moves its parts."""


def meet(meeting: str, rank: int, size: int, on: torch.device, *, divided: bool = False) -> None:
    """Join the group that meets by the file ``meeting``; leaves the one before."""
    leave()
    _world.group_count = 0  # a group meets under its count: after one that did not come about, members would differ
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
        _set_pg_timeout(timedelta(seconds=MOVING_SECONDS), group)


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
