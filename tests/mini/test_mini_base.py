"""The shipped base: loads with the stock pipeline, stays small, draws the same picture twice and what it is told.

Colours are measured from pixels; the measure is first tried on true drawings and on noise.
"""

from __future__ import annotations

import json
import math
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

import linocut
from linocut.prompting import expand
from linocut.prompting.lexicon import COLOURS, hex_to_rgb
from pretrain.tokenizer import wrap

BASE = Path(linocut.__file__).parent / "mini"
FACTS = json.loads((BASE / "linocut.json").read_text(encoding="utf-8"))
PIXELS = FACTS["native_pixels"]
ASKED = (("red", "blue"), ("yellow", "navy"), ("white", "red"), ("black", "yellow"))


@pytest.fixture(scope="module")
def pipe() -> Iterator[Any]:
    """The stock pipeline from the shipped folder, with every socket refused while it loads and draws."""
    from diffusers import Ideogram4Pipeline

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the base asked for the network")

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", refuse)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        loaded = Ideogram4Pipeline.from_pretrained(BASE, dtype=torch.float32)
    loaded.set_progress_bar_config(disable=True)
    yield loaded
    torch.set_num_threads(before)
    patch.undo()


def draw(
    pipe: Any, prompts: list[str], seed: int, *, speed: str = "FLASH", size: tuple[int, int] = (PIXELS, PIXELS)
) -> np.ndarray:
    """uint8 batch x height x width x 3 of plain prompts, by the numbers of linocut.json; size is (width, height)."""
    numbers = FACTS["sampling"][speed]
    captions = [json.dumps(expand(p, size, seed), separators=(",", ":"), ensure_ascii=False) for p in prompts]
    longest = max(len(pipe.tokenizer(wrap(caption))["input_ids"]) for caption in captions)
    # The pipeline shifts its mean by the resolution; the file's mean is the one after the shift.
    shift = 0.5 * math.log(size[0] * size[1] / 512**2)
    images = pipe(
        captions, width=size[0], height=size[1], num_inference_steps=numbers["steps"],
        guidance_scale=numbers["guidance"], guidance_schedule=None, mu=numbers["mu"] - shift, std=numbers["std"],
        max_sequence_length=longest,
        generator=[torch.Generator().manual_seed(seed + i) for i in range(len(prompts))],
    ).images  # fmt: skip
    return np.stack([np.asarray(image.convert("RGB")) for image in images])


def colours(picture: np.ndarray) -> tuple[str, str]:
    """(colour name in the middle, colour name in the four corners); '' where no one colour holds the place."""
    h, w = picture.shape[:2]
    y, x = int(h * 0.44), int(w * 0.44)
    edge = max(4, h // 12)
    corners = [
        picture[ys, xs].reshape(-1, 3)
        for ys in (slice(0, edge), slice(-edge, None))
        for xs in (slice(0, edge), slice(-edge, None))
    ]
    return _name(picture[y : h - y, x : w - x].reshape(-1, 3)), _name(np.concatenate(corners))


def _name(pixels: np.ndarray) -> str:
    """The asked-for colour nearest to the median, '' when the pixels spread too far around it."""
    middle = np.median(pixels, axis=0)
    if np.median(np.linalg.norm(pixels - middle, axis=1)) > 40:
        return ""
    names = sorted({name for pair in ASKED for name in pair})
    return min(names, key=lambda name: float(np.linalg.norm(middle - np.array(hex_to_rgb(COLOURS[name])))))


def truth(shape: str, ground: str) -> np.ndarray:
    image = Image.new("RGB", (PIXELS, PIXELS), COLOURS[ground])
    ImageDraw.Draw(image).ellipse((24, 24, PIXELS - 24, PIXELS - 24), fill=COLOURS[shape])
    return np.asarray(image)


def test_the_measure_reads_true_drawings_and_not_noise() -> None:
    assert [colours(truth(*pair)) for pair in ASKED] == list(ASKED)
    rng = np.random.default_rng(0)
    noise = [colours(rng.integers(0, 256, (PIXELS, PIXELS, 3), dtype=np.uint8)) for _ in ASKED]
    assert sum(found == asked for found, asked in zip(noise, ASKED, strict=True)) == 0


def test_size_and_formats() -> None:
    files = [path for path in BASE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 24 * 2**20
    assert {path.suffix for path in files} <= {".json", ".jinja", ".safetensors", ".md"}


def test_facts() -> None:
    assert {name: type(FACTS[name]) for name in ("name", "version", "family")} == {
        "name": str,
        "version": int,
        "family": str,
    }
    steps = [FACTS["sampling"][speed]["steps"] for speed in ("FLASH", "TURBO", "DEFAULT", "QUALITY")]
    assert steps == sorted(steps)
    assert PIXELS % FACTS["size_multiple"] == 0


def test_every_text_tap_is_the_embedding(pipe: Any) -> None:
    ids = torch.tensor([[5, 300, 7, 40]])
    taps = pipe._get_text_encoder_hidden_states(pipe.text_encoder, ids, torch.ones_like(ids), torch.arange(4)[None])
    table = pipe.text_encoder.language_model.embed_tokens.weight[ids]
    assert all(torch.equal(tap, table) for tap in taps)


def test_any_text_passes_the_tokenizer(pipe: Any) -> None:
    words = pipe.tokenizer
    for text in ('{"a":[0,1000,37]}', "Grüße \u4f60\u597d \U0001f3a8\n\ttabs", "#A0B1C2 #a0b1c2", "TEA tea 12345", ""):
        assert words.decode(words(text, add_special_tokens=False)["input_ids"]) == text
    numbers = [words(f"7,{n}", add_special_tokens=False)["input_ids"] for n in range(1001)]
    assert {len(ids) for ids in numbers} == {3}


def test_same_latents_same_picture(pipe: Any) -> None:
    prompt = ["a red circle on a blue background"]
    assert np.array_equal(draw(pipe, prompt, 3), draw(pipe, prompt, 3))
    assert not np.array_equal(draw(pipe, prompt, 3), draw(pipe, prompt, 4))


@pytest.mark.long
def test_colours_of_ground_and_shape(pipe: Any) -> None:
    prompts = [f"a {shape} circle on a {ground} background" for shape, ground in ASKED]
    found = [colours(picture) for seed in (0, 100, 200) for picture in draw(pipe, prompts, seed)]
    wanted = list(ASKED) * 3
    grounds = sum(f[1] == w[1] for f, w in zip(found, wanted, strict=True))
    shapes = sum(f[0] == w[0] for f, w in zip(found, wanted, strict=True))
    assert grounds >= 11, found
    assert shapes >= 10, found


def test_other_aspects(pipe: Any) -> None:
    picture = draw(pipe, ["a white circle on a red background"], 1, size=(160, 96))[0]
    assert picture.shape == (96, 160, 3)
    assert colours(picture) == ("white", "red")
