"""The adapter as an explicit argument of a forward pass, a different one for each item of a batch.

Shapes: R rank, I input and O output features of a linear, S rows: tokens of a packed sequence ``[S, I]``, or items of
a batch ``[S, L, I]``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import linear as affine


@dataclass(frozen=True, eq=False)
class Adapter:
    """LoRA factors by linear name: ``down[name]`` is ``[R, I]``, ``up[name]`` is ``[O, R]``; delta = scale * up @ down.

    ``sha256`` names the file it came from ("" for one in training): items with the same adapter object share its work.
    """

    down: Mapping[str, Tensor]
    up: Mapping[str, Tensor]
    scale: float
    sha256: str


@dataclass(frozen=True, eq=False)
class Share:
    """The rows ``start`` to ``stop`` (of dimension 0) that run with one adapter."""

    adapter: Adapter
    start: int
    stop: int


Shares = Sequence[Share]
"""Disjoint; rows that no share covers run on the bare base."""


def share_rows(adapters: Sequence[Adapter | None], lengths: Sequence[int]) -> Shares:
    """Shares of a sequence that lays items of ``lengths`` rows one after another, the i-th with ``adapters[i]``.

    Neighbours with the same adapter object become one share, hence one matmul.
    """
    shares: list[Share] = []
    start = 0
    for adapter, length in zip(adapters, lengths, strict=True):
        if adapter is not None:
            if shares and shares[-1].adapter is adapter and shares[-1].stop == start:
                shares[-1] = Share(adapter, shares[-1].start, start + length)
            else:
                shares.append(Share(adapter, start, start + length))
        start += length
    return shares


def grouped_order(adapters: Sequence[Adapter | None], lengths: Sequence[int]) -> list[int]:
    """The items' indexes, those with one adapter together and among them those of one length together."""
    first_seen: dict[int, int] = {}
    ranks = [first_seen.setdefault(id(adapter), len(first_seen)) for adapter in adapters]
    return sorted(range(len(ranks)), key=lambda i: (ranks[i], lengths[i]))


def project(linear: nn.Module, name: str, x_SI: Tensor, shares: Shares) -> Tensor:
    """``linear(x)`` plus each share's own low-rank delta on its own rows -> ``[S, O]`` (``[S, L, O]`` for a batch).

    The linear is called and never changed, so that it may be of any kind, a quantised one too. Gradients flow to
    ``x_SI`` and to the factors.
    """
    y_SO: Tensor = linear(x_SI)
    if shares and type(linear) is not nn.Linear:
        y_SO = y_SO.clone()  # a quantised linear may give a view, which cannot be added to in place
    return add_shares(y_SO, x_SI, name, shares)


def add_shares(y_SO: Tensor, x_SI: Tensor, name: str, shares: Shares) -> Tensor:
    """``y_SO``, with each share's low-rank delta of the linear ``name`` added to its rows in place."""
    for share in shares:
        down_RI, up_OR = share.adapter.down.get(name), share.adapter.up.get(name)
        if down_RI is None or up_OR is None:
            continue
        whole = share.start == 0 and share.stop == x_SI.shape[0]
        rows_SI = x_SI if whole else x_SI[share.start : share.stop]
        rows_SO = y_SO if whole else y_SO[share.start : share.stop]
        rows_SR = affine(rows_SI.to(down_RI.dtype), down_RI)
        if down_RI.dtype != y_SO.dtype:  # float32 factors on a half-precision base
            rows_SO.add_((affine(rows_SR, up_OR) * share.adapter.scale).to(y_SO.dtype))
            continue
        if rows_SO.dim() > 2:
            rows_SO, rows_SR = rows_SO.flatten(0, -2), rows_SR.flatten(0, -2)
        rows_SO.addmm_(rows_SR, up_OR.t(), alpha=share.adapter.scale)
    return y_SO
