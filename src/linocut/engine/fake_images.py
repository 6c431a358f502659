"""The fake engine's images: flat pictures that are a hash of caption, seed and adapter; laid over the picture of an
edit, whose kept pixels come back as from the real one."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from linocut.engine.canvas import lay_out, opened
from linocut.engine.cutting import given, settled
from linocut.engine.door import Fetch
from linocut.engine.fake_files import as_png, flat_picture
from linocut.engine.png_text import texts_of
from linocut.engine.refusals import damaged_adapter
from linocut.engine.tools.cut import Cut
from linocut.errors import RunFailed
from linocut.files import sha256_hex
from linocut.orders import (
    CutoutOrder,
    EditOrder,
    Event,
    GenerateFinished,
    GenerateOrder,
    ImageDrawn,
    KeyedOrder,
    UpscaleOrder,
)
from linocut.verdicts import UNSAFE_PICTURE, Verdict

TOOL = "border-matting"
UNSAFE = Verdict(component="fake", is_safe=False, reason=UNSAFE_PICTURE)
Fake = Generator[None, bool, None]
Emit = Callable[[Event], None]


@dataclass(frozen=True)
class _How:
    """What of an order beside its caption, seed and adapter makes another picture; what is made of the flat picture,
    and the tools that are named for it."""

    over: str = ""
    finish: Callable[[Image.Image], Image.Image] = lambda picture: picture
    tools: tuple[str, ...] = ()


def generate(order: GenerateOrder, key: str, fetch: Fetch, workspace: Path, emit: Emit) -> Fake:
    """One generation; yields before each step."""
    del workspace
    return _drawn(order, key, fetch, emit, _How())


def edit(order: EditOrder, key: str, fetch: Fetch, workspace: Path, emit: Emit) -> Fake:
    """One drawing over a picture; yields before each step."""
    del workspace
    canvas = lay_out(order, fetch)
    if order.keep == "object":
        picture = given(order.picture, fetch)
        middle = Cut(np.asarray(_middle(order.picture.width, order.picture.height)), ())
        alpha_HW, _ = settled(picture, None if picture.is_cut_out else middle)
        canvas = canvas.around(np.dstack([picture.pixels_HWC, alpha_HW]))
    over = f"|{order.picture.sha256}|{order.level}"
    if not order.cut_free:
        yield from _drawn(order, key, fetch, emit, _How(over, canvas.finished))
        return

    def cut(picture: Image.Image) -> Image.Image:
        whole = canvas.finished(picture)
        whole.putalpha(_middle(*whole.size))
        return whole

    yield from _drawn(order, key, fetch, emit, _How(over, cut, (TOOL,)))


def keyed(order: KeyedOrder, key: str, fetch: Fetch, workspace: Path, emit: Emit) -> Fake:
    """One drawing on a transparent ground: what lies in the middle of it; yields before each step."""
    del workspace
    size = order.output_width * order.scale, order.output_height * order.scale

    def cut(picture: Image.Image) -> Image.Image:
        enlarged = picture.resize(size)
        enlarged.putalpha(_middle(*size))
        return enlarged

    yield from _drawn(order, key, fetch, emit, _How(f"|{order.key}", cut, (TOOL,)))


def cutout(order: CutoutOrder, key: str, fetch: Fetch, workspace: Path, emit: Emit) -> Fake:
    """What lies in the middle of a picture, cut out of it."""
    del workspace
    picture = given(order.picture, fetch)
    yield
    cut = None if picture.is_cut_out else Cut(np.asarray(_middle(order.picture.width, order.picture.height)), ())
    alpha_HW, notes = settled(picture, cut)
    levels_HWC = np.dstack([np.where(alpha_HW[..., None] > 0, picture.pixels_HWC, 0), alpha_HW]).astype(np.uint8)
    drawn = ImageDrawn(
        key=key, index=0, seed=0, png=as_png(Image.fromarray(levels_HWC)), notes=notes,
        native_width=order.picture.width, native_height=order.picture.height, tools=() if cut is None else (TOOL,),
    )  # fmt: skip
    emit(drawn)
    emit(GenerateFinished(key=key))


def _middle(width: int, height: int) -> Image.Image:
    """An alpha that holds an ellipse in the middle."""
    alpha = Image.new("L", (width, height), 0)
    ImageDraw.Draw(alpha).ellipse((width // 4, height // 4, width - 1 - width // 4, height - 1 - height // 4), fill=255)
    return alpha


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
    yield from _drawn(order, key, fetch, emit, _How(over, marked, ("lanczos",)))


def _drawn(order: GenerateOrder, key: str, fetch: Fetch, emit: Emit, how: _How) -> Fake:
    if order.adapter and sha256_hex(fetch(order.adapter.sha256)) != order.adapter.sha256:
        raise damaged_adapter()
    for _ in range(order.sampling.steps):
        yield
    if "[fail]" in order.caption:
        raise RunFailed("The image came out as numbers that are not finite; ask for another seed or prompt.")
    for index, seed in enumerate(order.seeds):
        text = f"{order.caption}|{seed}|{order.adapter.sha256 if order.adapter else ''}{how.over}{_beside(order)}"
        picture = how.finish(flat_picture(text, order.output_width, order.output_height))
        png = as_png(picture, texts_of(order, seed))
        drawn = ImageDrawn(
            key=key,
            index=index,
            seed=seed,
            png=png,
            native_width=order.width,
            native_height=order.height,
            tools=how.tools,
            verdict=UNSAFE if "[unsafe]" in order.caption else None,
        )
        emit(drawn)
    emit(GenerateFinished(key=key))
