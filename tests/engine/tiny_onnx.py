"""ONNX files of a few bytes, written by hand: the networks that operators bring, at the smallest size."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Shape = Sequence[int | str]


def network(nodes: Sequence[bytes], weights: dict[str, NDArray[np.float32]], given: Shape, got: Shape) -> bytes:
    """A model whose input is called ``in`` and whose output ``out``."""
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, b"tiny")
    graph += b"".join(_field(5, _tensor(name, values)) for name, values in weights.items())
    graph += _field(11, _value("in", given)) + _field(12, _value("out", got))
    return _number(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _number(2, 13))


def node(kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: int | list[int] | str) -> bytes:
    """One operator."""
    said = b"".join(_field(1, name.encode()) for name in inputs)
    said += b"".join(_field(2, name.encode()) for name in outputs) + _field(4, kind.encode())
    return said + b"".join(_field(5, _attribute(name, value)) for name, value in attributes.items())


def enlarging(factor: int, seed: int = 0, channels: int = 3) -> bytes:
    """A super-resolution network of one convolution with random weights, and its pixels shuffled: repeats each pixel,
    and adds a little of its neighbours."""
    rng = np.random.default_rng(seed)
    count = channels * factor * factor
    kernel = rng.normal(0, 0.01, (count, channels, 3, 3)).astype(np.float32)
    for out in range(count):
        kernel[out, out // (factor * factor), 1, 1] += 1.0
    nodes = [
        node("Conv", ["in", "kernel"], ["many"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("DepthToSpace", ["many"], ["out"], blocksize=factor, mode="CRD"),
    ]
    return network(nodes, {"kernel": kernel}, [1, channels, "h", "w"], [1, channels, "H", "W"])


def reddish(side: int = 224) -> bytes:
    """A classifier of the signature that ViT classifiers have: logits for "normal" and for "not safe", which it takes a
    red picture for."""
    weights = {"to": np.array([[0.0, 8.0], [0.0, -8.0], [0.0, 0.0]], np.float32)}
    nodes = [
        node("GlobalAveragePool", ["in"], ["mean"]),
        node("Flatten", ["mean"], ["flat"], axis=1),
        node("MatMul", ["flat", "to"], ["out"]),
    ]
    return network(nodes, weights, ["n", 3, side, side], ["n", 2])


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    dims = b"".join(_number(1, size) for size in values.shape)
    return dims + _number(2, 1) + _field(8, name.encode()) + _field(9, values.astype("<f4").tobytes())


def _value(name: str, shape: Shape) -> bytes:
    dims = b"".join(
        _field(1, _number(1, size) if isinstance(size, int) else _field(2, size.encode())) for size in shape
    )
    kind = _field(1, _number(1, 1) + _field(2, dims))
    return _field(1, name.encode()) + _field(2, kind)


def _attribute(name: str, value: int | list[int] | str) -> bytes:
    said = _field(1, name.encode())
    if isinstance(value, str):
        return said + _field(4, value.encode()) + _number(20, 3)
    if isinstance(value, int):
        return said + _number(3, value) + _number(20, 2)
    return said + b"".join(_number(8, one) for one in value) + _number(20, 7)
