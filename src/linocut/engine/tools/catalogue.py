"""Every tool that an engine can use. ``linocut doctor`` lists them. Imports no torch.

A new tool is a file in this folder and an entry here. A job that has an embedded tool, and may have one whose weights
the operator brings, has a line in ``BROUGHT``.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from linocut.engine.tools.tool import MIB, Tool, ToolFacts
from linocut.errors import NotReady


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


def _onnx_matting(file: Path) -> ToolFacts:
    """A network from a file that the operator has named."""

    def load(device: str) -> Tool:
        from linocut.engine.tools.onnx_matting import OnnxMatting

        del device
        return OnnxMatting(file)

    size = file.stat().st_size if file.is_file() else 0
    return ToolFacts(
        name=f"onnx-matting {file.name}",
        does="cuts an object out with a network, before any backdrop",
        licence="the file's own",
        source=f"a file named by the operator: {file.name}",
        weight_bytes=size,
        reserved_bytes=2 * size + 1024 * MIB,
        on_device=False,
        load=load,
    )


EMBEDDED = {"matting": ("border", "border-matting")}
"""By job: how a setting calls the embedded tool, and its name."""
BROUGHT: dict[str, tuple[str, Callable[[Path], ToolFacts]]] = {"matting": (".onnx", _onnx_matting)}
"""By job: how the names of files end that may be brought for it, and the tool of such a file."""


def tools_with(chosen: Mapping[str, str]) -> tuple[dict[str, ToolFacts], dict[str, str]]:
    """(every tool by name, the name of the tool of each job), where ``chosen`` says for a job ``"border"`` and the
    like, or a file. A job that it leaves out has its embedded tool. ``NotReady`` for a file of another kind."""
    known, jobs = dict(TOOLS), {}
    for job, (short, name) in EMBEDDED.items():
        said = chosen.get(job) or short
        if said != short:
            ending, facts_of = BROUGHT[job]
            if not said.endswith(ending):
                raise NotReady(
                    f"LINOCUT_{job.upper()} is {said!r}; it takes {short}, or a file whose name ends in {ending}."
                )
            facts = facts_of(Path(said))
            known[facts.name], name = facts, facts.name
        jobs[job] = name
    return known, jobs
