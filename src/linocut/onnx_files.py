"""Networks that an operator brings as ONNX files. Nothing in such a file can run code; what may is refused by name."""

from pathlib import Path
from typing import Any

from linocut.errors import NotReady

_TORCHS_OWN = (".pth", ".pt", ".ckpt", ".bin", ".pkl")
_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")


def open_network(tool: str, path: Path, variable: str, threads: int = 0) -> Any:
    """An onnxruntime session over the file that ``variable`` names, on the CPU; ``threads`` 0: one a core.

    ``NotReady`` with a sentence that names the tool and never the path: for no file, for torch's own format, for a file
    that onnxruntime does not take.
    """
    if not path.is_file():
        raise NotReady(f"The tool {tool} has no weights: the file that {variable} names is not there.")
    with path.open("rb") as stream:
        start = stream.read(4)
    if path.suffix.lower() in _TORCHS_OWN or start.startswith(_STARTS):
        raise NotReady(
            f"The weights of the tool {tool} are in torch's own format (.pth and its like), which can run code when "
            f"it is read; it is not read. Export the network as ONNX and name that file in {variable}."
        )
    if path.suffix.lower() == ".safetensors":
        raise NotReady(
            f"The weights of the tool {tool} are safetensors, which hold no network; export it as ONNX and name that "
            f"file in {variable}."
        )
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as wrong:  # onnxruntime raises types of its own for each fault of a file
        raise NotReady(f"The weights of the tool {tool} cannot be read as an ONNX network.") from wrong
