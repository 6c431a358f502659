"""What a network predicts, turned into the velocity that the engine takes steps with.

The engine's line is ``x = (1 - s) * data + s * noise`` and its velocity ``noise - data``. A diffusion model of the
older kind lives on ``data + sigma * noise`` with ``s = sigma / (1 + sigma)``: the same line, scaled. An Euler step of
its scheduler is exactly an Euler step in s.
"""

from math import hypot
from typing import Literal

from torch import Tensor

Prediction = Literal["epsilon", "v_prediction"]
"""``epsilon``: the noise. ``v_prediction``: a * noise - b * data, a and b being 1 - s and s over their hypotenuse."""


def network_input(x: Tensor, s: float) -> Tensor:
    """The engine's latents as such a network sees them: of variance one."""
    return x / hypot(s, 1.0 - s)


def velocity_of(kind: Prediction, output: Tensor, x: Tensor, s: float) -> Tensor:
    """noise - data at ``x`` of noise level ``s`` below 1, from the network's ``output``; all float32."""
    noise = output
    if kind == "v_prediction":
        length = hypot(s, 1.0 - s)
        noise = ((1.0 - s) * output * length + s * x) / length**2
    return (noise - x) / (1.0 - s)


def loss_weight_of(kind: Prediction, s: float) -> float:
    """What a squared error of the velocity is multiplied with to be one of the network's own prediction."""
    return (1.0 - s) ** 2 if kind == "epsilon" else s**2 + (1.0 - s) ** 2
