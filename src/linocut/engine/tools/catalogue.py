"""Every tool that an engine can use. ``linocut doctor`` lists them. Imports no torch.

A new tool is a file in this folder and an entry here.
"""

from pathlib import Path

from linocut.engine.tools.tool import Tool, ToolFacts

MIB = 1024 * 1024


def _border_matting(device: str) -> Tool:
    from linocut.engine.tools.border_matting import BorderMatting

    del device
    return BorderMatting()


def _scene(device: str) -> Tool:
    from linocut.engine.tools.scene.scene import Scene

    del device
    return Scene()


def _onnx_matting(device: str, weights: Path) -> Tool:
    from linocut.engine.tools.onnx_matting import OnnxMatting

    del device
    return OnnxMatting(weights)


def _lettering(device: str) -> Tool:
    from linocut.engine.tools.lettering import Reader

    del device
    return Reader()


def _lettering_from(device: str, folder: Path) -> Tool:
    from linocut.engine.tools.lettering import Reader

    del device
    return Reader(folder)


def _typefaces(device: str) -> Tool:
    from linocut.engine.tools.typefaces import Typefaces

    del device
    return Typefaces()


def _typefaces_from(device: str, folder: Path) -> Tool:
    from linocut.engine.tools.typefaces import Typefaces

    del device
    return Typefaces(folder)


def _lanczos(device: str) -> Tool:
    from linocut.engine.tools.resampling import Lanczos

    del device
    return Lanczos()


def _anime4k(device: str) -> Tool:
    from linocut.engine.tools.anime4k import Anime4k

    del device
    return Anime4k()


def _onnx_enlargement(device: str, weights: Path) -> Tool:
    from linocut.engine.tools.onnx_enlargement import OnnxEnlargement

    del device
    return OnnxEnlargement(weights)


TOOLS: dict[str, ToolFacts] = {
    facts.name: facts
    for facts in (
        ToolFacts(
            name="border-matting",
            does="cuts an object off a plain backdrop, by the colours of the picture's border",
            licence="Apache-2.0 (part of linocut)",
            source="needs no weights",
            weight_bytes=0,
            reserved_bytes=128 * MIB,
            on_device=False,
            load=_border_matting,
        ),
        ToolFacts(
            name="scene",
            does="tells ground, figures and colours of a flat drawing; mini's own figures by name",
            licence="Apache-2.0 (part of linocut)",
            source="needs no weights; a sheet of drawn figures is in the package",
            weight_bytes=0,
            reserved_bytes=64 * MIB,
            on_device=False,
            load=_scene,
        ),
        ToolFacts(
            name="onnx-matting",
            does="cuts an object out before any backdrop, with a network that you bring as ONNX",
            licence="that of your file",
            source="a file of yours: LINOCUT_MATTING=FILE.onnx",
            weight_bytes=0,
            reserved_bytes=1024 * MIB,
            on_device=False,
            load_file=_onnx_matting,
        ),
        ToolFacts(
            name="lettering",
            does="reads the lettering of a picture: text, place, angle and colours of each line",
            licence="Apache-2.0 (rapidocr; networks by PaddleOCR; see NOTICE)",
            source="PP-OCRv6 small, in the wheel of rapidocr",
            weight_bytes=31_749_509,
            reserved_bytes=560 * MIB,
            on_device=False,
            load=_lettering,
            load_file=_lettering_from,
        ),
        ToolFacts(
            name="typefaces",
            does="finds the typeface of lettering: the text is drawn in each installed font, and compared",
            licence="Apache-2.0 (part of linocut; each font has its own; see NOTICE)",
            source="the system's fonts, the packages fontpkg-*, and the folder LINOCUT_FONTS",
            weight_bytes=0,
            reserved_bytes=96 * MIB,
            on_device=False,
            load=_typefaces,
            load_file=_typefaces_from,
        ),
        ToolFacts(
            name="lanczos",
            does="enlarges a picture by resampling: the best there is for photographs without weights",
            licence="MIT-CMU (Pillow)",
            source="needs no weights",
            weight_bytes=0,
            reserved_bytes=64 * MIB,
            on_device=False,
            load=_lanczos,
        ),
        ToolFacts(
            name="pyanime4k",
            does="enlarges flat art and lettering, 2 to 5 dB nearer to the truth than Lanczos",
            licence="MIT (code and network)",
            source="compiled into the package pyanime4k",
            weight_bytes=0,
            reserved_bytes=128 * MIB,
            on_device=False,
            load=_anime4k,
        ),
        ToolFacts(
            name="onnx-enlargement",
            does="enlarges with a super-resolution network that you bring as ONNX",
            licence="that of your file",
            source="a file of yours: LINOCUT_ENLARGEMENT=FILE.onnx",
            weight_bytes=0,
            reserved_bytes=192 * MIB,
            on_device=False,
            load_file=_onnx_enlargement,
        ),
    )
}
"""By name."""
