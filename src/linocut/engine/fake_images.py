"""The fake engine's images: flat pictures that are a hash of caption, seed and adapter; laid over the picture of an
edit, whose kept pixels come back as from the real one."""

from collections.abc import Callable, Generator
from pathlib import Path

from PIL import Image

from linocut.engine.canvas import lay_out, opened
from linocut.engine.door import Fetch
from linocut.engine.fake_files import as_png, flat_picture
from linocut.engine.png_text import texts_of
from linocut.engine.refusals import damaged_adapter
from linocut.errors import RunFailed
from linocut.files import sha256_hex
from linocut.orders import EditOrder, Event, GenerateFinished, GenerateOrder, ImageDrawn, UpscaleOrder

Fake = Generator[None, bool, None]
Emit = Callable[[Event], None]


def generate(order: GenerateOrder, key: str, fetch: Fetch, workspace: Path, emit: Emit) -> Fake:
    """One generation; yields before each step."""
    del workspace
    return _drawn(order, key, fetch, emit, "", lambda picture: picture)


def edit(order: EditOrder, key: str, fetch: Fetch, workspace: Path, emit: Emit) -> Fake:
    """One drawing over a picture; yields before each step."""
    del workspace
    canvas = lay_out(order, fetch)
    over = f"|{order.picture.sha256}|{order.level}"
    yield from _drawn(order, key, fetch, emit, over, canvas.finished)


def _beside(order: GenerateOrder) -> str:
    """What else is asked for; nothing where nothing is."""
    refs = (*order.references, order.reference_mask, *order.styles)
    named = "|".join(ref.sha256 for ref in refs if ref is not None)
    return "|".join(part for part in (order.negative, named) if part)


def upscale(order: UpscaleOrder, key: str, fetch: Fetch, workspace: Path, emit: Emit) -> Fake:
    """One enlargement, of Lanczos' and nothing drawn over it but a mark; yields before each step."""
    del workspace
    size = order.output_width, order.output_height
    larger = opened(order.picture, fetch, "RGB").resize(size, Image.Resampling.LANCZOS)

    def marked(flat: Image.Image) -> Image.Image:
        mark = flat.resize((max(1, size[0] // 8), max(1, size[1] // 8)))
        whole = larger.copy()
        whole.paste(mark)
        return whole

    over = f"|{order.picture.sha256}|{order.level}|{order.told}|{order.sharper}"
    yield from _drawn(order, key, fetch, emit, over, marked)


def _drawn(
    order: GenerateOrder, key: str, fetch: Fetch, emit: Emit, over: str, finish: Callable[[Image.Image], Image.Image]
) -> Fake:
    if order.adapter and sha256_hex(fetch(order.adapter.sha256)) != order.adapter.sha256:
        raise damaged_adapter()
    for _ in range(order.sampling.steps):
        yield
    if "[fail]" in order.caption:
        raise RunFailed("The image came out as numbers that are not finite; ask for another seed or prompt.")
    for index, seed in enumerate(order.seeds):
        text = f"{order.caption}|{seed}|{order.adapter.sha256 if order.adapter else ''}{over}{_beside(order)}"
        picture = finish(flat_picture(text, order.output_width, order.output_height))
        png = as_png(picture, texts_of(order, seed))
        tools = ("lanczos",) if isinstance(order, UpscaleOrder) else ()
        drawn = ImageDrawn(
            key=key, index=index, seed=seed, png=png, native_width=order.width, native_height=order.height, tools=tools
        )
        emit(drawn)
    emit(GenerateFinished(key=key))
