"""The fake engine's generation: flat pictures that are a hash of caption, seed and adapter."""

from collections.abc import Callable, Generator
from pathlib import Path

from linocut.engine.door import Fetch
from linocut.engine.fake_files import flat_png
from linocut.engine.png_text import texts_of
from linocut.engine.refusals import damaged_adapter
from linocut.errors import RunFailed
from linocut.files import sha256_hex
from linocut.orders import Event, GenerateFinished, GenerateOrder, ImageDrawn


def generate(
    order: GenerateOrder, key: str, fetch: Fetch, workspace: Path, emit: Callable[[Event], None]
) -> Generator[None, bool, None]:
    """One generation; yields before each step."""
    del workspace
    if order.adapter and sha256_hex(fetch(order.adapter.sha256)) != order.adapter.sha256:
        raise damaged_adapter()
    for _ in range(order.sampling.steps):
        yield
    if "[fail]" in order.caption:
        raise RunFailed("The image came out as numbers that are not finite; ask for another seed or prompt.")
    for index, seed in enumerate(order.seeds):
        emit(
            ImageDrawn(
                key=key,
                index=index,
                seed=seed,
                png=flat_png(
                    f"{order.caption}|{seed}|{order.adapter.sha256 if order.adapter else ''}",
                    order.output_width,
                    order.output_height,
                    texts_of(order, seed),
                ),
                native_width=order.width,
                native_height=order.height,
            )
        )
    emit(GenerateFinished(key=key))
