"""Pictures at twice their size: nearer to the truth than Lanczos where that is claimed, and named by their tool."""

import sys
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.engine.enlarging_pictures import edge_sharpness, halved, photograph, poster, psnr
from tests.engine.tiny_onnx import enlarging, network, node

from linocut.engine.tools.catalogue import TOOLS
from linocut.engine.tools.enlarging import Enlarged, enlarged, flatness, is_drawn
from linocut.engine.tools.onnx_enlargement import OnnxEnlargement
from linocut.engine.tools.resampling import resampled
from linocut.engine.tools.toolbox import Toolbox
from linocut.engine.work import Background
from linocut.errors import InvalidRequest, LinocutError, NotReady

SEEDS = range(4)


def carried(routine: Generator[Any, Any, Enlarged]) -> Enlarged:
    """Run what a routine yields, here and now."""
    go = partial(routine.send, None)
    try:
        while True:
            unit = go()
            assert isinstance(unit, Background)
            try:
                go = partial(routine.send, unit.call())
            except LinocutError as error:  # as the engine does
                go = partial(routine.throw, error)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def by(pixels: Any, wish: str = "auto", factor: int = 2, **weights: Path) -> Enlarged:
    named = {name.replace("_", "-"): path for name, path in weights.items()}
    return carried(enlarged(Toolbox("cpu", 1 << 30, TOOLS, named), pixels, wish, factor))


def test_drawn_pictures_are_enlarged_nearer_to_the_truth_than_by_lanczos() -> None:
    gains, sharper = [], []
    for seed in SEEDS:
        truth = poster(seed)
        found, plain = by(halved(truth)), resampled(halved(truth), 2)
        assert (found.component, found.notes) == ("pyanime4k", ())
        gains.append(psnr(found.pixels_HWC, truth) - psnr(plain, truth))
        sharper.append(edge_sharpness(found.pixels_HWC, truth) / edge_sharpness(plain, truth))
    print(f"PSNR gained on Lanczos, dB: {gains}; edges, of Lanczos' sharpness: {sharper}")
    assert min(gains) > 2.0
    assert min(sharper) > 1.3


def test_photographs_are_enlarged_by_lanczos_and_say_so() -> None:
    for seed in SEEDS:
        truth = photograph(seed)
        found = by(halved(truth))
        assert (found.component, found.notes) == ("lanczos", ())
        assert np.array_equal(found.pixels_HWC, resampled(halved(truth), 2))
        worse = by(halved(truth), "pyanime4k")
        print(f"Lanczos {psnr(found.pixels_HWC, truth):.2f} dB, pyanime4k {psnr(worse.pixels_HWC, truth):.2f} dB")
        assert psnr(found.pixels_HWC, truth) > psnr(worse.pixels_HWC, truth)


def test_what_a_picture_is_is_told_by_its_flats_and_edges() -> None:
    for seed in range(6):
        drawn, taken = halved(poster(seed)), halved(photograph(seed))
        assert is_drawn(drawn), flatness(drawn)
        assert not is_drawn(taken), flatness(taken)
    soft = np.broadcast_to(np.linspace(0, 255, 64).astype(np.uint8)[:, None, None], (64, 256, 3))
    assert not is_drawn(np.ascontiguousarray(soft))  # flat nearly everywhere, and no edge at all
    assert is_drawn(np.full((8, 8, 3), 7, np.uint8))  # one colour: any tool will do


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (17, 33), (256, 256)])
@pytest.mark.parametrize("tool", ["lanczos", "pyanime4k", "auto"])
def test_any_size_becomes_twice_as_large(shape: tuple[int, int], tool: str) -> None:
    pixels = halved(poster(1, 512, 512))[: shape[0], : shape[1]]
    found = by(np.ascontiguousarray(pixels), tool)
    assert found.pixels_HWC.shape == (2 * shape[0], 2 * shape[1], 3)
    assert found.pixels_HWC.dtype == np.uint8


def test_four_times_and_transparency() -> None:
    truth = poster(2)
    alpha = np.zeros(truth.shape[:2], np.uint8)
    alpha[100:400, 100:400] = 255
    quarter = halved(halved(np.dstack([truth, alpha])[..., :3]))
    small = np.dstack([quarter, alpha[::4, ::4]])
    found = by(small, factor=4)
    assert found.pixels_HWC.shape == (512, 512, 4)
    gained = psnr(found.pixels_HWC[..., :3], truth) - psnr(resampled(quarter, 4), truth)
    print(f"four times: {gained:.2f} dB more than Lanczos")
    assert gained > 0.5
    assert np.array_equal(found.pixels_HWC[..., 3], resampled(np.ascontiguousarray(small[..., 3]), 4))


def test_without_pyanime4k_lanczos_does_it_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyanime4k", None)
    small = halved(poster(3))
    found = by(small)
    assert found.component == "lanczos"
    assert "pyanime4k" in found.notes[0]
    with pytest.raises(NotReady, match="LINOCUT_ENLARGEMENT"):
        by(small, "pyanime4k")


@pytest.mark.parametrize(
    "given", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
@pytest.mark.parametrize("tool", ["lanczos", "pyanime4k"])
def test_what_is_no_picture_is_refused(given: Any, tool: str) -> None:
    with pytest.raises(InvalidRequest, match="RGB"):
        Toolbox("cpu", 1 << 30).load(tool).run(given)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_network_of_ones_own_enlarges(factor: int, tmp_path: Path) -> None:
    """Random weights with the real signature; the tiles of a large picture meet without a seam."""
    path = tmp_path / "sr.onnx"
    path.write_bytes(enlarging(factor))
    small = poster(1, 300, 280)
    found = by(small, "onnx-enlargement", onnx_enlargement=path)
    assert (found.pixels_HWC.shape, found.component) == ((560, 600, 3), "onnx-enlargement")
    near = psnr(found.pixels_HWC, np.repeat(np.repeat(small, 2, 0), 2, 1))
    assert near > 20
    whole = OnnxEnlargement(path)._through(small)
    if factor == 2:
        assert np.array_equal(found.pixels_HWC, whole)


def test_what_could_run_code_is_not_read(tmp_path: Path) -> None:
    for name, data in {
        "net.pth": b"PK\x03\x04",
        "net.pt": b"\x80\x02",
        "net.onnx": b"PK\x03\x04",
        "x.bin": b"any",
    }.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(NotReady, match="run code") as told:
            OnnxEnlargement(path)
        assert str(tmp_path) not in told.value.message


def test_other_files_are_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    with pytest.raises(NotReady, match="not there"):
        OnnxEnlargement(path)
    path.write_bytes(b"no network")
    with pytest.raises(NotReady, match="cannot be read"):
        OnnxEnlargement(path)
    same = network([node("Identity", ["in"], ["out"])], {}, [1, 3, "h", "w"], [1, 3, "h", "w"])
    for wrong in (enlarging(2, channels=1), same):
        path.write_bytes(wrong)
        with pytest.raises(NotReady, match="no network that enlarges"):
            OnnxEnlargement(path)
    (tmp_path / "net.safetensors").write_bytes(b"12345678{}")
    with pytest.raises(NotReady, match="safetensors"):
        OnnxEnlargement(tmp_path / "net.safetensors")
