"""Every tool that an engine can use. ``linocut doctor`` lists them. Imports no torch.

A new tool is a file in this folder and an entry here.
"""

from linocut.engine.tools.tool import Tool, ToolFacts

MIB = 1024 * 1024


def _border_matting(device: str) -> Tool:
    from linocut.engine.tools.border_matting import BorderMatting

    del device
    return BorderMatting()


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
    )
}
"""By name."""
