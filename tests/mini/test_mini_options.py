"""The options on the embedded base, measured: each threshold fails without the option, and with it shuffled."""

import json
from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageColor, ImageDraw, ImageOps
from tests.mini.test_mini_editing import Mini, poster

from linocut.captions import Worded, caption_text, normalise
from linocut.dress import Dress, Palette
from linocut.engine.adapters.apply import Adapter
from linocut.engine.adapters.file import adapter_bytes
from linocut.engine.noise import normals
from linocut.files import sha256_hex
from linocut.generation.looks import dress_of
from linocut.generation.styles import PALETTES, PRESETS
from linocut.generation.types import Look
from linocut.lora_files.stored import AdapterMetadata
from linocut.orders import AdapterRef, GenerateOrder, PictureRef
from linocut.pictures.intake import StoredPicture
from linocut.pictures.seen import seen
from linocut.runtime import in_a_look, negative, worded
from linocut.samples.style import style_distance, style_vector

SIDE = 128
NEAR = 48
"""Of 255, in each channel: a pixel has about a colour."""


def said(mini: Mini, text: str, dress: Dress = Dress()) -> str:
    return in_a_look(mini.base, worded(mini.base, text, SIDE, SIDE, make_up=True), text, dress).caption


def asked(mini: Mini, caption: str, seeds: tuple[int, ...] = (1,), **more: Any) -> GenerateOrder:
    return GenerateOrder(
        base=mini.base.identity, organization_id="o", caption=caption, width=SIDE, height=SIDE, output_width=SIDE,
        output_height=SIDE, seeds=seeds, sampling=mini.base.sampling["FLASH"], **{"adapter": None, **more},
    )  # fmt: skip


def share(pixels_HWC: Any, colour: str) -> float:
    return float((np.abs(pixels_HWC - np.asarray(ImageColor.getrgb(colour))).max(axis=-1) < NEAR).mean())


def told(capsys: pytest.CaptureFixture[str], *what: object) -> None:
    with capsys.disabled():
        print("\n", *what)


OWN: dict[str, Palette] = {
    "three": (("#12867F", 0.6), ("#FA7A62", 0.25), ("#FBF3DA", 0.15)),
    "four": (("#2B1B5E", 0.5), ("#D428A6", 0.25), ("#2CC6DC", 0.15), ("#FAD02C", 0.1)),
}


@pytest.mark.long
def test_a_palette_s_share_rises_in_the_order_of_its_weights(mini: Mini, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the eight presets and two of the client's own. Without the option there is next to nothing of them, and with
    another's palette too."""
    text = "a cat"
    palettes = {**PALETTES, **OWN}
    orders = [asked(mini, said(mini, text))]
    orders += [asked(mini, said(mini, text, Dress(palette=one, insists=True))) for one in palettes.values()]
    [plain, *drawn] = mini.draw(orders)
    shares = {name: shares_of(picture, one) for (name, one), picture in zip(palettes.items(), drawn, strict=True)}
    without = [sum(shares_of(plain, one)) for one in palettes.values()]
    another = [sum(shares_of(drawn[index - 1], one)) for index, one in enumerate(palettes.values())]
    told(capsys, "shares of a palette:", {name: np.round(one, 2).tolist() for name, one in shares.items()})
    told(capsys, "without it:", np.round(without, 2), "with another's:", np.round(another, 2))
    for (name, one), before in zip(shares.items(), without, strict=True):
        assert sum(one) > max(0.9, before + 0.2), name
        assert all(first > second - 0.005 for first, second in pairwise(one)), name
    assert np.mean(without) < 0.4
    assert np.mean(another) < 0.3


def shares_of(pixels_HWC: Any, palette: Palette) -> list[float]:
    """How much of a picture has about each colour; a pixel is of the one that it is nearest to."""
    values = np.asarray([ImageColor.getrgb(colour) for colour, _ in palette])
    apart = np.abs(pixels_HWC[..., None, :] - values).max(axis=-1)
    nearest = np.where(apart.min(axis=-1) < NEAR, apart.argmin(axis=-1), -1)
    return [float((nearest == index).mean()) for index in range(len(palette))]


@pytest.mark.long
def test_presets_give_really_different_pictures(mini: Mini, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("ART_DECO", "BAUHAUS", "BLUEPRINT", "HALFTONE_PRINT", "JAZZY", "DARK_AURA", "WATERCOLOR", "HIGH_CONTRAST")
    drawn = mini.draw([asked(mini, said(mini, "a cat with the word TEA", PRESETS[name])) for name in names])
    small = [np.asarray(Image.fromarray(one.astype(np.uint8)).resize((16, 16))).astype(float) for one in drawn]
    apart = [float(np.abs(small[a] - small[b]).mean()) for a in range(len(names)) for b in range(a)]
    told(capsys, f"between two presets at least {min(apart):.1f} of 255, on average {np.mean(apart):.1f}")
    assert min(apart) > 25
    assert np.mean(apart) > 60


@pytest.mark.long
def test_what_is_named_negatively_gets_rarer(mini: Mini, capsys: pytest.CaptureFixture[str]) -> None:
    """A caption that leaves the ground's colour open is blue in a sixth of the pictures' pixels. Led away from blue
    there is none; led away from something else it stays."""
    open_caption = caption_text({
        "high_level_description": "a poster with a star",
        "compositional_deconstruction": {"background": "", "elements": [{"type": "obj", "desc": "a star"}]},
    })  # fmt: skip
    seeds = tuple(range(100, 106))
    texts = ("", "blue", "a yellow star")
    orders = [
        asked(mini, open_caption, seeds, negative=negative(mini.base, text).caption if text else "") for text in texts
    ]
    shares = [float(np.mean([share(p, "#2358CE") for p in pictures])) for pictures in mini.draw_all(orders)]
    told(capsys, "share of blue by negative text:", dict(zip(texts, np.round(shares, 3).tolist(), strict=True)))
    assert shares[0] > 0.12
    assert shares[1] < 0.25 * shares[0]
    assert shares[2] > 0.8 * shares[0]


REFERENCES = {
    "stripes": ("#FBF3DA", "#2E9E44", "#7A1630"), "columns": ("#14235A", "#8CC8F0", "#FAD02C"),
    "dots": ("#F79ABE", "#FFFFFF", "#7A35B4"), "dusk": ("#101B45", "#FA7A62", "#FBF3DA"),
}  # fmt: skip
"""Two colours of the ground, and the figure's."""


def reference(kind: str) -> Image.Image:
    """A picture with a style of its own, drawn by code."""
    ground, other, figure = REFERENCES[kind]
    picture = Image.new("RGB", (512, 512), ground)
    if kind == "dusk":
        picture = ImageOps.colorize(Image.linear_gradient("L").resize((512, 512)), ground, other)
    pen = ImageDraw.Draw(picture)
    for i in range(0, 512, 128):
        if kind == "stripes":
            pen.rectangle((0, i, 511, i + 63), fill=other)
        if kind == "columns":
            pen.rectangle((i, 0, i + 63, 511), fill=other)
    if kind == "dots":
        for place in range(64):
            x, y = 64 * (place % 8), 64 * (place // 8)
            pen.ellipse((x + 16, y + 16, x + 44, y + 44), fill=other)
    pen.ellipse((150, 150, 360, 360), fill=figure)
    return picture


@pytest.mark.long
def test_style_references_move_colours_and_texture_towards_them(
    mini: Mini,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the style's distance (colours where they stand, texture by direction and scale). Without the references, with
    the references of another, and with the words alone, it is farther."""
    text = "a house"
    pictures = [reference(kind) for kind in REFERENCES]
    stored = [kept(mini, picture) for picture in pictures]
    words = [
        said(mini, text, dress_of(Look(style_references=(one,)), own_model=False, looks_at_them=False))
        for one in stored
    ]
    refs = [PictureRef(sha256=one.sha256, width=one.width, height=one.height) for one in stored]
    orders = [asked(mini, caption, styles=(ref,)) for caption, ref in zip(words, refs, strict=True)]
    orders += [asked(mini, caption) for caption in words] + [asked(mini, said(mini, text))]
    drawn = [Image.fromarray(one.astype(np.uint8)) for one in mini.draw(orders)]
    styles = [[style_vector(picture)] for picture in pictures]
    with_it = [style_distance(one, style) for one, style in zip(drawn, styles, strict=False)]
    shuffled = [style_distance(one, style) for one, style in zip(drawn, styles[1:] + styles[:1], strict=False)]
    worded_only = [style_distance(one, style) for one, style in zip(drawn[4:], styles, strict=False)]
    without = [style_distance(drawn[-1], style) for style in styles]
    told(capsys, "distance to the references:", np.round(with_it, 2), "shuffled:", np.round(shuffled, 2))
    told(capsys, "by words alone:", np.round(worded_only, 2), "without them:", np.round(without, 2))
    assert max(with_it) < 0.9
    assert all(mine < 0.6 * other for mine, other in zip(with_it, shuffled, strict=True))
    assert all(mine < 0.6 * plain for mine, plain in zip(with_it, without, strict=True))
    assert np.mean(with_it) < 0.95 * np.mean(worded_only)


def kept(mini: Mini, picture: Image.Image) -> StoredPicture:
    out = BytesIO()
    picture.save(out, "PNG")
    sha256 = sha256_hex(out.getvalue())
    mini.blobs[sha256] = out.getvalue()
    return StoredPicture(sha256, len(out.getvalue()), *picture.size, has_alpha=False, seen=seen(picture))


@pytest.mark.long
def test_boxes_and_colours_of_a_structured_prompt_are_obeyed(mini: Mini, capsys: pytest.CaptureFixture[str]) -> None:
    """Four figures in four places: the asked colour is in its box, and hardly anywhere else."""
    boxes = ([80, 80, 480, 480], [80, 520, 480, 920], [520, 80, 920, 480], [520, 520, 920, 920])
    colours = ("#E02828", "#2060d0", "#FAD02C", "#2E9E44")
    orders = [
        asked(mini, said(mini, json.dumps({
            "compositional_deconstruction": {"elements": [
                {"desc": "a solid circle", "type": "obj", "color_palette": [colour], "bbox": box}
            ], "background": "plain white"},
            "high_level_description": "one circle", "tags": ["x"],
        })))
        for box, colour in zip(boxes, colours, strict=True)
    ]  # fmt: skip
    inside, outside, elsewhere = [], [], []
    for number, picture in enumerate(mini.draw(orders)):
        top, left, bottom, right = (round(edge * SIDE / 1000) for edge in boxes[number])
        cut = picture[top:bottom, left:right]
        colour, whole = colours[number], share(picture, colours[number])
        inside.append(share(cut, colour))
        outside.append((whole * SIDE**2 - inside[-1] * cut.shape[0] * cut.shape[1]) / SIDE**2)
        elsewhere.append(share(cut, colours[number - 1]))
    told(capsys, "in its box:", np.round(inside, 2), "outside:", np.round(outside, 3), "another's colour:", elsewhere)
    assert min(inside) > 0.55  # a circle fills pi / 4 of its box
    assert max(outside) < 0.02
    assert max(elsewhere) < 0.05


@pytest.mark.long
def test_a_drawing_over_a_picture_with_a_custom_model(mini: Mini, capsys: pytest.CaptureFixture[str]) -> None:
    """The model's weights change what is drawn, and keep what is kept."""
    targets = mini.family.lora_targets()
    adapter = Adapter(
        down={name: normals((2, i), "down", name) for name, (i, _) in targets.items()},
        up={name: 0.15 * normals((o, 2), "up", name) for name, (_, o) in targets.items()}, scale=0.3, sha256="",
    )  # fmt: skip
    data = adapter_bytes(adapter, AdapterMetadata(base=mini.base.identity, rank=2, alpha=0.6))
    mini.blobs[sha256_hex(data)] = data
    own = AdapterRef(sha256=sha256_hex(data), size_bytes=len(data))
    picture = poster(1)
    mask = Image.new("L", picture.size, 255)
    ImageDraw.Draw(mask).rectangle((128, 0, 255, 255), fill=0)
    spoken = Worded(caption_text(normalise(json.loads(said(mini, "a yellow star")))), "")
    place = kept(mini, mask)
    ways: list[dict[str, Any]] = [
        {"level": 0.7}, {"keep": "mask", "mask": PictureRef(sha256=place.sha256, width=256, height=256)},
    ]  # fmt: skip
    orders = [mini.order(picture, spoken, "FLASH", **way) for way in ways]
    orders += [mini.order(picture, spoken, "FLASH", adapter=own, **way) for way in ways]
    remix, inpaint, own_remix, own_inpaint = mini.draw(orders)
    moved = [float(np.abs(one - other).mean()) for one, other in ((remix, own_remix), (inpaint, own_inpaint))]
    told(capsys, "a custom model moves a remix and an inpainting by", np.round(moved, 1), "of 255")
    assert min(moved) > 1
    before = np.asarray(picture).astype(float)
    assert (own_inpaint[:, :128] == before[:, :128]).all()
    assert torch.get_num_threads() == 1
