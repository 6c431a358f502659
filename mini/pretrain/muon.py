"""Muon (momentum, orthogonalised by five Newton-Schulz rounds) for matrices, AdamW for the rest.

Legend: _oi = outputs x inputs of a weight, convolution kernels flattened over inputs.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from torch import nn


def orthogonalise(update_oi: torch.Tensor) -> torch.Tensor:
    """A stack of matrices, each with the same singular vectors and singular values near one."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x: torch.Tensor = update_oi
    flip = x.shape[-2] > x.shape[-1]
    x = x.mT if flip else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if flip else x


class Muon(torch.optim.Optimizer):
    """One step moves each matrix by an update of RMS about 0.2 * lr * sqrt(max side).

    With `beside` a second thread makes the updates while the next gradient is computed: each is applied one step late,
    always the same one, so that a run does not depend on the thread's speed. ``flush`` before weights are saved.
    """

    def __init__(
        self,
        params: list[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        beside: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self.thread = ThreadPoolExecutor(1) if beside else None
        self.pending: tuple[list[list[nn.Parameter]], Future[list[torch.Tensor]]] | None = None

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        group = self.param_groups[0]
        by_shape: dict[tuple[int, int], list[tuple[nn.Parameter, torch.Tensor]]] = {}
        for p in group["params"]:
            if p.grad is None:
                continue
            state = self.state[p]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(p)
            state["momentum"].lerp_(p.grad, 1 - group["momentum"])
            update = p.grad.lerp(state["momentum"], group["momentum"]).flatten(1)
            by_shape.setdefault((update.shape[0], update.shape[1]), []).append((p, update))
        matrices = [[p for p, _ in pairs] for pairs in by_shape.values()]
        stacks = [torch.stack([update for _, update in pairs]) for pairs in by_shape.values()]
        if self.thread is None:
            self._apply(matrices, [orthogonalise(stack) for stack in stacks])
            return
        self.flush()
        self.pending = matrices, self.thread.submit(_orthogonalise_all, stacks)

    @torch.no_grad()
    def flush(self) -> None:
        """Apply the update that is still being made."""
        if self.pending is not None:
            matrices, updates = self.pending
            self._apply(matrices, updates.result())
            self.pending = None

    def _apply(self, matrices: list[list[nn.Parameter]], updates: list[torch.Tensor]) -> None:
        group = self.param_groups[0]
        for same, stack in zip(matrices, updates, strict=True):
            moved = stack * (group["lr"] * 0.2 * max(stack.shape[1:]) ** 0.5)  # a graph's rate is a tensor
            for p, update in zip(same, moved, strict=True):
                p.mul_(1 - group["lr"] * group["weight_decay"]).sub_(update.view_as(p))


def _orthogonalise_all(stacks: list[torch.Tensor]) -> list[torch.Tensor]:
    with torch.no_grad():
        return [orthogonalise(stack) for stack in stacks]


def split(module: nn.Module, keep_out: tuple[str, ...] = ()) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """(matrices for Muon, the rest for AdamW); names containing a word of `keep_out` go to the rest."""
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, p in module.named_parameters():
        wide = p.ndim >= 2 and min(p.shape[0], p[0].numel()) >= 8
        (matrices if wide and not any(word in name for word in keep_out) else rest).append(p)
    return matrices, rest
