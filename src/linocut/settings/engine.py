"""The base, the tools beside it, and the workers that hold them."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from linocut.settings.lists import items_in
from linocut.settings.server import ServerSettings
from linocut.settings.times import MOST_SECONDS
from linocut.verdicts import SafetyMode, SafetyRule

EMBEDDED = "embedded"
"""What names a tool's own weights."""
MATTING_BY_BORDER, MATTING_FILE = "border-matting", "onnx-matting"
"""The tools that cut out: the embedded one, and the one with a file of the operator's."""
ENLARGERS = ("auto", "lanczos", "pyanime4k")
ENLARGING_FILE = "onnx-enlargement"
"""The tool that enlarges with a file of the operator's."""


class EngineSettings(ServerSettings):
    """The base, the tools beside it, and the workers that hold them."""

    base: str = Field(default="mini", description="mini, a name of the catalogue, or a folder that holds a base.")
    bases: str = Field(default="", description="Folder of pulled bases; empty: bases in the data folder.")
    accept_licence: str = Field(
        default="", description="Bases whose licence does not allow free hosting, and that are served all the same."
    )
    engine: str = Field(default="torch", pattern="^(torch|fake)$", description="torch, or fake (tests: no model).")
    purpose: str = Field(
        default="both",
        pattern="^(both|serving|training)$",
        description="What the base must have room for on the device: both, serving or training.",
    )
    precision: str = Field(
        default="auto",
        pattern="^(auto|bf16|fp32|fp8|nf4)$",
        description="Of the base's weights: auto (what fits), bf16, fp32, fp8 (torchao) or nf4 (bitsandbytes).",
    )
    text_tower: str = Field(
        default="auto",
        pattern="^(auto|device|host|released)$",
        description="Where the text tower lives: auto (what fits), device, host (its blocks visit the device), or "
        "released (given back while a training learns).",
    )
    workers: int = Field(default=1, ge=0, le=64, description="Engine processes of each base that serve starts.")
    threads: int = Field(default=0, ge=0, description="Torch threads an engine process; 0: one per core and worker.")
    adapter_cache_mib: int = Field(default=512, ge=1, description="Memory for loaded adapters, MiB an engine process.")
    engine_memory_mib: int = Field(
        default=0, ge=0, description="Memory for orders and passes beside the base, MiB an engine process; 0: all free."
    )
    tools: str = Field(
        default="", description="Tools loaded at the start, names with commas between; the others are on first use."
    )
    tools_memory_mib: int = Field(
        default=1024, ge=0, description="Memory for tools (matting and such) beside the base, MiB an engine process."
    )
    lettering: str = Field(
        default="embedded",
        description="What reads lettering: embedded, or a folder with det.onnx and rec.onnx of PP-OCR.",
    )
    matting: str = Field(
        default="border", description="What cuts objects out: border (by the colours of the border), or an ONNX file."
    )
    fonts: Path | None = Field(
        default=None, description="Folder of more fonts with which lettering is compared; empty: the system's alone."
    )
    enlargement: str = Field(
        default="auto",
        description="What enlarges pictures: auto (by what the picture is), lanczos, pyanime4k, or an ONNX file.",
    )
    safety_pictures: SafetyMode = Field(
        default="on", description="Judge pictures by a classifier: off, on (where one is installed), required."
    )
    safety_threshold: float = Field(
        default=0.8, gt=0, le=1, description="Score, 0 to 1, from which a picture is not safe."
    )
    safety_model: str = Field(
        default="", description="A picture classifier of yours as an ONNX file; empty: the one that is installed."
    )
    safety_rules: str = Field(
        default="", description="Folder with rules for prompts that take the place of shipped ones or are added."
    )
    training_choice: Literal["loss", "style"] = Field(
        default="loss", description="What chooses a run's checkpoint: its held-out loss, or the style of its previews."
    )
    keep_checkpoints: int = Field(
        default=3, ge=0, le=100, description="Checkpoints kept of each run, the best ones, so that one can be promoted."
    )
    upscale_megapixels: float = Field(
        default=16.8, gt=0, description="Most pixels of an enlarged picture, in millions (16.8: 4096 x 4096)."
    )
    lease_seconds: float = Field(
        default=90.0, gt=0, le=MOST_SECONDS, description="A worker's lease on a job, renewed by heartbeats."
    )
    engine_silent_seconds: float = Field(
        default=60.0,
        gt=0,
        le=MOST_SECONDS,
        description="An engine that has not turned for so long does not count for /readyz.",
    )
    heartbeat_seconds: float = Field(
        default=10.0, gt=0, le=MOST_SECONDS, description="How often a worker renews its lease."
    )

    @property
    def accepted_licences(self) -> frozenset[str]:
        """The names in ``accept_licence``."""
        return frozenset(name.lower() for name in items_in(self.accept_licence))

    @property
    def pulled_bases(self) -> Path:
        """Where pulled bases lie."""
        return (Path(self.bases) if self.bases else self.data / "bases").absolute()

    @property
    def bases_memory(self) -> Path:
        """What is remembered of the files of bases, so that they are not read at each start."""
        return self.data.absolute() / "bases.json"

    @property
    def tools_at_start(self) -> tuple[str, ...]:
        """The names in ``tools``."""
        return tuple(name for name in (part.strip() for part in self.tools.split(",")) if name)

    @property
    def weights_of_tools(self) -> dict[str, Path]:
        """The files or folders of tools whose weights the operator brings, by the tools' names."""
        chosen = {
            MATTING_FILE: self.matting if self.matting != "border" else "",
            ENLARGING_FILE: self.enlargement if self.enlargement not in ENLARGERS else "",
            "lettering": self.lettering if self.lettering != EMBEDDED else "",
            "typefaces": self.fonts or "",
        }
        return {tool: Path(value) for tool, value in chosen.items() if value}

    @property
    def matter(self) -> str:
        """The tool that ``matting`` names."""
        return MATTING_BY_BORDER if self.matting == "border" else MATTING_FILE

    @property
    def enlarger(self) -> str:
        """The tool that ``enlargement`` names, or auto."""
        return self.enlargement if self.enlargement in ENLARGERS else ENLARGING_FILE

    @property
    def safety(self) -> SafetyRule:
        """How pictures are judged."""
        return SafetyRule(mode=self.safety_pictures, threshold=self.safety_threshold, model=self.safety_model)

    @field_validator("matting")
    @classmethod
    def _is_matter(cls, value: str) -> str:
        if value != "border" and not value.endswith(".onnx"):
            raise ValueError(f"LINOCUT_MATTING is {value!r}; it takes border, or a file that ends in .onnx.")
        return value

    @field_validator("enlargement")
    @classmethod
    def _is_enlarger(cls, value: str) -> str:
        if value not in ENLARGERS and not value.endswith(".onnx"):
            raise ValueError(
                f"LINOCUT_ENLARGEMENT is {value!r}; it takes {', '.join(ENLARGERS)}, or a file that ends in .onnx."
            )
        return value
