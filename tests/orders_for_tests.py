"""Small orders for tests of queues and workers."""

from linocut.bases import Sampling
from linocut.orders import AdapterRef, GenerateOrder


def order_on(
    base: str, organization_id: str, *, adapter: str | None = None, images: int = 1, steps: int = 1
) -> GenerateOrder:
    """Images of 16 x 16 pixels on a base; ``adapter``: sha256 of a custom model's."""
    return GenerateOrder(
        base=base,
        organization_id=organization_id,
        caption="{}",
        width=16,
        height=16,
        output_width=16,
        output_height=16,
        seeds=tuple(range(images)),
        sampling=Sampling(steps=steps, guidance=1.0),
        adapter=None if adapter is None else AdapterRef(sha256=adapter, size_bytes=10),
    )
