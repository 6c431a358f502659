"""What learns: the LoRA factors, AdamW's two moments and the running average, each in one flat float32 buffer.

One buffer instead of hundreds of small tensors: clipping, AdamW and the average are a few kernels in all, and a
checkpoint is four tensors. The factors that the forward pass sees are views into the buffer; so are their gradients.
AdamW is written out: torch's own class loads its compiler first, three seconds in which nobody would be served.

Shapes: R rank, I input and O output features of a linear, P all parameters, N image tokens, C channels of a token.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

import torch
from torch import Tensor

from linocut.engine.adapters.apply import Adapter
from linocut.engine.families.family import Family
from linocut.engine.noise import normals
from linocut.engine.training.loss import TrainExample, flow_losses
from linocut.orders import TrainOrder

BETAS = (0.9, 0.999)
EPSILON = 1e-8
Targets = Mapping[str, tuple[int, int]]
"""``Family.lora_targets()``: linear name -> (I, O)."""


@dataclass(frozen=True, kw_only=True)
class Hyper:
    """How a state learns; the names are the order's. ``clip_norm`` 0: no clipping. ``ema`` 0: no averaging."""

    rank: int
    alpha: float
    seed: int
    weight_decay: float
    clip_norm: float
    ema: float


def hyper_of(order: TrainOrder) -> Hyper:
    """How the order's state learns."""
    return Hyper(
        rank=order.rank,
        alpha=order.alpha,
        seed=order.seed,
        weight_decay=order.weight_decay,
        clip_norm=order.clip_norm,
        ema=order.ema,
    )


class Learning:
    """A LoRA's weights and their gradient: all that a forward and backward pass takes."""

    def __init__(self, targets: Targets, hyper: Hyper, on: torch.device | None = None) -> None:
        """All weights zero, on every linear of ``targets``."""
        self.on = on or torch.device("cpu")
        self.hyper = hyper
        self._shapes = {name: targets[name] for name in sorted(targets)}
        count = sum((i + o) * hyper.rank for i, o in self._shapes.values())
        self._weights_P = torch.zeros(count, device=self.on)
        self._gradient_P = torch.zeros_like(self._weights_P)
        self._learning = self._leaves()

    @property
    def weights(self) -> Tensor:
        """The live buffer ``[P]``: what is copied into it is learned from next."""
        return self._weights_P

    @property
    def gradient(self) -> Tensor:
        """The live buffer ``[P]`` of the micro-batches since the last update."""
        return self._gradient_P

    def micro_step(
        self, family: Family, examples: Sequence[TrainExample], weight: float, recompute: bool = False
    ) -> list[float]:
        """Forward and backward of examples of one grid -> their losses; adds ``weight`` x the mean's gradient."""
        losses_M = flow_losses(family, self._learning, examples, self.on, recompute=recompute)
        (losses_M.mean() * weight).backward()  # type: ignore[no-untyped-call]
        losses: list[float] = losses_M.tolist()
        return losses

    def pretend(self, family: Family, example: TrainExample, recompute: bool = False) -> None:
        """Forward and backward that nothing comes of: on a divided base every device takes part in each pass."""
        losses_M = flow_losses(family, self._learning, [example], self.on, recompute=recompute)
        leaves = [*self._learning.down.values(), *self._learning.up.values()]
        torch.autograd.grad(losses_M.mean(), leaves)

    def drop_gradients(self) -> None:
        """Forget the micro-batches since the last update."""
        self._gradient_P.zero_()

    def _factors(self, flat_P: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
        """(name, down_RI, up_OR) as views of ``flat_P``, in the layout's order."""
        offset, rank = 0, self.hyper.rank
        for name, (features_in, features_out) in self._shapes.items():
            middle, end = offset + rank * features_in, offset + rank * (features_in + features_out)
            yield name, flat_P[offset:middle].view(rank, features_in), flat_P[middle:end].view(features_out, rank)
            offset = end

    def _as_adapter(self, flat_P: Tensor) -> Adapter:
        factors = list(self._factors(flat_P))
        return Adapter(
            down={name: down_RI.detach() for name, down_RI, _ in factors},
            up={name: up_OR.detach() for name, _, up_OR in factors},
            scale=self.hyper.alpha / self.hyper.rank,
            sha256="",
        )

    def _leaves(self) -> Adapter:
        """The adapter that the training forward sees: leaves over the weights, gradients over the gradient buffer."""
        learning = self._as_adapter(self._weights_P)
        gradients = self._as_adapter(self._gradient_P)
        for factors, slots in ((learning.down, gradients.down), (learning.up, gradients.up)):
            for name, leaf in factors.items():
                leaf.requires_grad_()
                leaf.grad = slots[name]  # backward adds into a gradient that is there already
        return learning


class TrainState(Learning):
    """A LoRA in training. ``step`` counts the updates done. The engine calls ``micro_step`` and ``update`` only."""

    def __init__(self, targets: Targets, hyper: Hyper, on: torch.device | None = None) -> None:
        """A fresh LoRA on every linear of ``targets``: ``down`` drawn from ``hyper.seed``, ``up`` zero.

        ``down`` is normal with deviation 1 / rank, as peft's ``init_lora_weights="gaussian"`` in the library's own
        training scripts: with scale alpha / rank = 1 the first updates then move a linear's output by an amount that
        does not depend on the rank, so that one learning rate serves ranks 16 and 128.
        """
        super().__init__(targets, hyper, on)
        self.step = 0
        self._first_P = torch.zeros_like(self._weights_P)
        self._second_P = torch.zeros_like(self._weights_P)
        for name, down_RI, _ in self._factors(self._weights_P):
            down_RI.copy_(normals(tuple(down_RI.shape), "lora down", hyper.seed, name) / hyper.rank)
        self._ema_P = self._weights_P.clone()

    def update(self, learning_rate: float) -> float:
        """Clip, AdamW with decoupled weight decay, average, zero the gradients -> the gradient's norm before clipping.

        A norm that is no finite number is returned and nothing else changes but the gradients, which are dropped.
        """
        norm = float(torch.linalg.vector_norm(self._gradient_P))
        if isfinite(norm):
            if 0.0 < self.hyper.clip_norm < norm:
                self._gradient_P.mul_(self.hyper.clip_norm / (norm + 1e-6))
            self._adamw(learning_rate)
            # The average forgets its start quickly: 0.1, 0.18, 0.25 ... up to the ceiling.
            decay = min(self.hyper.ema, (1 + self.step) / (10 + self.step))
            self._ema_P.lerp_(self._weights_P, 1.0 - decay)
            self.step += 1
        self._gradient_P.zero_()
        return norm

    def adapter(self) -> Adapter:
        """The factors as they are now, views that go on learning; no gradients flow to them."""
        return self._as_adapter(self._weights_P)

    def ema_adapter(self) -> Adapter:
        """The running average of the factors, as views; this is what is scored, shown and exported."""
        return self._as_adapter(self._ema_P)

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a checkpoint must hold beside ``step``, four flat buffers: the live ones, not copies."""
        return {
            "weights": self._weights_P,
            "ema": self._ema_P,
            "first_moment": self._first_P,
            "second_moment": self._second_P,
        }

    def load(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Become the state that ``tensors`` and ``step`` were taken from. ``ValueError`` when it was another LoRA's."""
        for name, mine in self.tensors().items():
            if name not in tensors or tensors[name].shape != mine.shape or tensors[name].dtype != mine.dtype:
                raise ValueError(f"the saved {name} do not fit this LoRA")
        for name, mine in self.tensors().items():
            mine.copy_(tensors[name])
        self.step = step
        self.drop_gradients()

    def adapter_of(self, weights_P: Tensor) -> Adapter:
        """The factors in a flat buffer of this layout, such as a checkpoint's ``ema``."""
        if weights_P.shape != self._weights_P.shape:
            raise ValueError("the saved weights do not fit this LoRA")
        return self._as_adapter(weights_P.to(self.on, copy=True))

    def _adamw(self, learning_rate: float) -> None:
        """Loshchilov and Hutter's AdamW, with torch's meaning of each number."""
        first, second = BETAS
        self._first_P.lerp_(self._gradient_P, 1 - first)
        self._second_P.mul_(second).addcmul_(self._gradient_P, self._gradient_P, value=1 - second)
        self._weights_P.mul_(1 - learning_rate * self.hyper.weight_decay)
        done = self.step + 1
        # Into the gradient, which is done with: nothing is allocated once a number of the state has changed.
        root_P = torch.sqrt(self._second_P, out=self._gradient_P).div_(sqrt(1 - second**done)).add_(EPSILON)
        self._weights_P.addcdiv_(self._first_P, root_P, value=-learning_rate / (1 - first**done))
