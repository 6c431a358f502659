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


def _lettering(device: str) -> Tool:
    from linocut.engine.tools.lettering import Reader

    del device
    return Reader()


def _lettering_from(device: str, folder: Path) -> Tool:
    from linocut.engine.tools.lettering import Reader

    del device
    return Reader(folder)


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
    )
}
"""By name."""
