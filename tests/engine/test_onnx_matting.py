"""A network of the operator's that cuts out, at the smallest size: its signatures, and files that are none."""

from pathlib import Path

import numpy as np
import pytest
from tests.engine.matting_pictures import composite, overlap
from tests.engine.tiny_onnx import Shape, network, node

from linocut.engine.tools.catalogue import MIB
from linocut.engine.tools.onnx_matting import OnnxMatting
from linocut.engine.tools.toolbox import Toolbox
from linocut.errors import InvalidRequest, NotReady

FREE: Shape = (1, 3, "h", "w")


def reddish(shape: Shape, *, in_shares: bool, channels: int = 3) -> bytes:
    """A network of one convolution that finds what is redder than blue: as shares, or before the logistic function."""
    kernel = np.zeros((1, channels, 1, 1), np.float32)
    kernel[0, 0], kernel[0, 2] = 12.0, -12.0
    nodes = [node("Conv", ["in", "kernel"], ["logits" if in_shares else "out"], kernel_shape=[1, 1])]
    if in_shares:
        nodes.append(node("Sigmoid", ["logits"], ["out"]))
    return network(nodes, {"kernel": kernel}, shape, [1, 1, *shape[2:]])


def file(folder: Path, data: bytes, name: str = "birefnet.onnx") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("in_shares", [True, False])
@pytest.mark.parametrize(("shape", "name"), [((1, 3, 160, 160), "isnet-general-use.onnx"), (FREE, "birefnet.onnx")])
def test_it_cuts_out_by_what_the_network_says(tmp_path: Path, shape: Shape, name: str, in_shares: bool) -> None:
    """A yellow object before a dark ground is redder than blue there alone; the cut has the picture's size."""
    mask = composite("star", "plain", 3)[1]
    part = mask[..., None] / 255
    picture = np.rint(part * [235, 190, 70] + (1 - part) * [60, 60, 200]).astype(np.uint8)
    found = OnnxMatting(file(tmp_path, reddish(shape, in_shares=in_shares), name)).run(picture)
    assert found.sure, found.doubts
    assert found.alpha_HW.shape == mask.shape
    assert overlap(found.alpha_HW, mask) > 0.95 > 3 * overlap(np.full_like(mask, 255), mask)
    assert found.by == f"onnx-matting ({name})"


def test_files_are_normalised_as_their_networks_were_trained(tmp_path: Path) -> None:
    """Grey is nothing to a network that was trained about its own mean, and something to another."""
    bias = network(
        [node("Conv", ["in", "kernel"], ["out"], kernel_shape=[1, 1])],
        {"kernel": np.full((1, 3, 1, 1), 1 / 3, np.float32)}, (1, 3, 32, 32), (1, 1, 32, 32),
    )  # fmt: skip
    grey = np.full((32, 32, 3), 128, np.uint8)
    seen = {}
    for name in ("isnet.onnx", "u2net.onnx"):
        tool = OnnxMatting(file(tmp_path, bias, name))
        seen[name] = float(tool._shares(grey).mean())
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    assert seen["isnet.onnx"] == pytest.approx(128 / 255 - 0.5, abs=1e-4)
    assert seen["u2net.onnx"] == pytest.approx(float(((128 / 255 - mean) / deviation).mean()), abs=1e-4)


def test_it_says_when_it_finds_nothing_and_when_it_cannot_decide(tmp_path: Path) -> None:
    tool = OnnxMatting(file(tmp_path, reddish((1, 3, 64, 64), in_shares=True)))
    blue = np.zeros((64, 64, 3), np.uint8) + np.array([20, 20, 220], np.uint8)
    assert tool.run(blue).doubts == ("No object stands out from the backdrop.",)
    assert tool.run(blue).is_empty
    undecided = np.full((64, 64, 3), 0, np.uint8) + np.array([118, 110, 101], np.uint8)
    assert "The network is undecided about much of the picture." in tool.run(undecided).doubts
    with pytest.raises(InvalidRequest, match="RGB"):
        tool.run(np.zeros((8, 8, 3), np.uint8))


def test_files_that_do_not_fit_are_told_by_what_they_should_be(tmp_path: Path) -> None:
    wrong = {
        "four channels": (reddish((1, 4, 64, 64), in_shares=True, channels=4), "no network that cuts out"),
        "too small": (reddish((1, 3, 16, 16), in_shares=True), "no network that cuts out"),
        "too large": (reddish((1, 3, 5000, 64), in_shares=True), "no network that cuts out"),
        "an enlarger": (
            network([node("DepthToSpace", ["in"], ["out"], blocksize=1)], {}, (1, 3, 64, 64), (1, 3, 64, 64)),
            "no network that cuts out",
        ),
        "noise": (b"no network at all", "cannot be read as an ONNX network"),
        "what torch saves": (b"\x80\x04x", "torch's own format"),
    }
    for data, words in wrong.values():
        with pytest.raises(NotReady, match=words):
            OnnxMatting(file(tmp_path, data))
    with pytest.raises(NotReady, match="the file that LINOCUT_MATTING names is not there"):
        OnnxMatting(tmp_path / "missing.onnx")


def test_the_toolbox_has_it_with_a_file_and_not_without(tmp_path: Path) -> None:
    path = file(tmp_path, reddish((1, 3, 64, 64), in_shares=True))
    toolbox = Toolbox("cpu", 2048 * MIB, weights={"onnx-matting": path})
    assert isinstance(toolbox.load("onnx-matting"), OnnxMatting)
    with pytest.raises(NotReady, match=r"LINOCUT_MATTING=FILE\.onnx"):
        Toolbox("cpu", 2048 * MIB).load("onnx-matting")
    with pytest.raises(NotReady, match="LINOCUT_TOOLS_MEMORY_MIB"):
        Toolbox("cpu", 256 * MIB, weights={"onnx-matting": path}).load("onnx-matting")
