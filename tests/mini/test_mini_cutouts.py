"""Another ground and a transparent one on the embedded base: what is flat and drawn by code has a known truth."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageColor
from tests.engine.engine_orders import run_to_the_end
from tests.engine.matting_pictures import composite
from tests.mini.test_mini_editing import Mini, mini, share  # noqa: F401 (a fixture)

from linocut.captions import Worded
from linocut.engine.resident import engine_over
from linocut.engine.tools.catalogue import MIB
from linocut.engine.tools.tool import ToolsAtHand
from linocut.generation.grounds import ground_caption, on_key
from linocut.orders import Failed, GenerateOrder, ImageDrawn, KeyedOrder
from linocut.prompting import colours_in
from linocut.runtime import worded
from linocut.settings import Settings

SIDE = 256


class Means:
    """What a request is completed with, as far as a ground needs it."""

    def __init__(self, mini: Mini) -> None:  # noqa: F811
        self.base = mini.base
        self.settings = Settings()

    def worded(self, text: str, width: int, height: int, *, make_up: bool) -> Worded:
        return worded(self.base, text, width, height, make_up=make_up)

    def colours_in(self, text: str) -> tuple[str, ...]:
        return colours_in(text)


def drawn(mini: Mini, orders: list[Any]) -> list[ImageDrawn]:  # noqa: F811
    engine = engine_over(mini.base, mini.family, torch.device("cpu"), 1 << 26, tools=ToolsAtHand(256 * MIB))
    for number, order in enumerate(orders):
        engine.admit(str(number), order, mini.blobs.__getitem__, Path())
    events = run_to_the_end(engine)
    engine.close()
    assert not [event for event in events if isinstance(event, Failed)]
    by_key = {event.key: event for event in events if isinstance(event, ImageDrawn)}
    return [by_key[str(number)] for number in range(len(orders))]


def levels(one: ImageDrawn) -> Any:
    return np.asarray(Image.open(BytesIO(one.png)))


GROUNDS = (("plain navy", "#14235A"), ("plain yellow", "#FAD02C"), ("green", "#2E9E44"), ("plain pink", "#F79ABE"))


@pytest.mark.long
def test_the_ground_is_the_prompt_s_and_the_object_the_picture_s(
    mini: Mini,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The object keeps every pixel; the ground has the colour that was asked for, and not another prompt's; around the
    object there is neither a rim of the old ground nor a step. A picture that is left alone fails at the ground, pasted
    without mixing at the rim."""
    orders, pictures, masks = [], [], []
    for number, (prompt, _) in enumerate(GROUNDS):
        shape = ("disc", "mug", "star", "bust")[number]
        pixels, mask = composite(shape, ("plain", "graded", "noisy")[number % 3], 40 + number, shadow=number % 2 == 1)
        pictures.append(np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE))).astype(float))
        masks.append(np.asarray(Image.fromarray(mask).resize((SIDE, SIDE))))
        said = worded(mini.base, ground_caption(prompt), SIDE, SIDE, make_up=True)
        picture = Image.fromarray(pictures[-1].astype(np.uint8))
        orders.append(mini.order(picture, said, "TURBO", keep="object", matting="border-matting"))
    asked, others, untouched, halos, pasted = [], [], [], [], []
    for number, one in enumerate(drawn(mini, orders)):
        assert (one.tools, one.notes) == (("border-matting",), ())
        after, before, mask = levels(one).astype(float), pictures[number], masks[number]
        colour, other = GROUNDS[number][1], GROUNDS[number - 1][1]
        whole = _away_from(mask < 255, 3)
        assert (after[whole] == before[whole]).all()
        outside = mask == 0
        asked.append(share(after[outside], colour))
        others.append(share(after[outside], other))
        untouched.append(share(before[outside], colour))
        halos.append(_halo(after, before, mask))
        pasted.append(_halo(np.where(_near(mask)[..., None], before, after), before, mask))
    with capsys.disabled():
        print(
            f"\nground as asked: {np.round(asked, 2)}; another prompt's: {np.round(others, 2)}; left alone: "
            f"{np.round(untouched, 2)}; off the mixture at the rim: {np.round(halos, 1)}, pasted {np.round(pasted, 1)}"
        )
    assert min(asked) > 0.9
    assert max(others) < 0.1
    assert max(untouched) < 0.5
    assert max(halos) < 14
    assert all(halo < 0.6 * paste for halo, paste in zip(halos, pasted, strict=True))


def _away_from(flags: Any, pixels: int) -> Any:
    """Where nothing of ``flags`` is so near."""
    grown = np.pad(flags, pixels, mode="edge")
    size = 2 * pixels + 1
    windows = np.lib.stride_tricks.sliding_window_view(grown, (size, size))
    return ~windows.any(axis=(2, 3))


def _near(mask: Any) -> Any:
    return ~_away_from(mask > 0, 2) & (mask < 255)


def _halo(after: Any, before: Any, mask: Any) -> float:
    """How far the pixels at the rim are from the true mixture of the object's colour and the new ground's, of 255."""
    rim = _near(mask)
    over = np.median(before[mask == 255], axis=0)
    under = np.median(after[_away_from(mask > 0, 4)], axis=0)
    part = mask[rim][:, None] / 255
    return float(np.abs(after[rim] - (over * part + under * (1 - part))).mean())


SUBJECTS = (
    ("a red circle", "#DC2A2A"), ("a yellow star", "#FAD02C"), ("a purple ring", "#7A35B4"),
    ("a pink heart", "#F79ABE"), ("a green tree", "#2E9E44"), ("a blue fish", "#2358CE"),
)  # fmt: skip


@pytest.mark.long
def test_flat_subjects_come_cut_out(mini: Mini, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    """The alpha against the truth: what the same order, drawn plainly, has in another colour than its key. Colours are
    the subject's, also where they are half transparent, and never the key's. Opaque answers, and the alphas of other
    subjects, fail."""
    keyed = [_keyed(mini, text) for text, _ in SUBJECTS]
    plain = [GenerateOrder(**{name: getattr(one, name) for name in GenerateOrder.__struct_fields__}) for one in keyed]
    everything = drawn(mini, [*keyed, *plain])
    cut, whole = everything[: len(SUBJECTS)], everything[len(SUBJECTS) :]
    errors, opaque, others, keys = [], [], [], []
    alphas = [levels(one)[..., 3] / 255.0 for one in cut]
    for number, (one, seen) in enumerate(zip(cut, whole, strict=True)):
        assert (one.notes, levels(one).shape[2]) == ((), 4)
        truth = _truth(levels(seen).astype(float), SUBJECTS[number][1], keyed[number].key)
        errors.append(float(np.abs(alphas[number] - truth).mean()))
        opaque.append(float(np.abs(1 - truth).mean()))
        others.append(float(np.abs(alphas[number - 1] - truth).mean()))
        visible = levels(one)[alphas[number] > 0.2][:, :3].astype(float)
        keys.append(float((np.abs(visible - keyed[number].key).max(axis=-1) < 40).mean()))
    with capsys.disabled():
        print(
            f"\nalpha error: {np.round(errors, 4)}; opaque: {np.round(opaque, 2)}; another's: {np.round(others, 2)}; "
            f"pixels of the key's colour left: {np.round(keys, 4)}"
        )
    assert max(errors) < 0.03 < min(opaque)
    assert max(errors) < 0.3 * min(others)
    assert max(keys) < 0.01


def _keyed(mini: Mini, text: str) -> KeyedOrder:  # noqa: F811
    said = worded(mini.base, text, SIDE, SIDE, make_up=True)
    plain = GenerateOrder(
        base=mini.base.identity, organization_id="o", caption=said.caption, width=128, height=128, output_width=SIDE,
        output_height=SIDE, seeds=(3,), sampling=mini.base.sampling["TURBO"], adapter=None,
    )  # fmt: skip
    order, notes = on_key(plain, text, 1, Means(mini))
    assert not notes
    return order


def _truth(pixels: Any, subject: str, key: tuple[int, int, int]) -> Any:
    """How much of each pixel is the subject's colour and not the key's."""
    over, under = np.array(ImageColor.getrgb(subject), float), np.array(key, float)
    line = over - under
    return np.clip(((pixels - under) @ line) / (line @ line), 0, 1)
