"""Several bases, and the workers that serve them."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from linocut.settings.lists import items_in
from linocut.settings.times import MOST_SECONDS


class ClusterSettings(BaseSettings):
    """Several bases, and the workers that serve them."""

    more_bases: str = Field(
        default="", description="Bases served beside LINOCUT_BASE, commas between; serve starts workers for each."
    )
    base_v3: str = Field(default="", description="The base that v3 routes draw with; empty: LINOCUT_BASE.")
    base_v4: str = Field(default="", description="The base that v4 routes draw with; empty: LINOCUT_BASE.")
    base_legacy: str = Field(default="", description="The base of all other routes; empty: LINOCUT_BASE.")
    no_worker: Literal["wait", "refuse"] = Field(
        default="wait", description="What is asked of a base that no worker serves: wait for one, or refuse (503)."
    )
    affinity_seconds: float = Field(
        default=1.0,
        ge=0,
        le=60,
        description="How long a custom model's images may wait for a worker that has it loaded; 0: they do not.",
    )

    cluster: str = Field(
        default="", description="Ray cluster that runs the workers: its address, or local; empty: no Ray."
    )
    cluster_least: int = Field(default=1, ge=0, le=1024, description="Fewest workers of each base in the cluster.")
    cluster_most: int = Field(default=1, ge=1, le=1024, description="Most workers of each base in the cluster.")
    cluster_idle_seconds: float = Field(
        default=300.0,
        gt=0,
        le=MOST_SECONDS,
        description="A base that was idle for so long gives a worker of the cluster back.",
    )
    cluster_cpus: float = Field(default=1.0, ge=0, description="CPUs of a node that one worker takes.")
    cluster_gpus: float = Field(default=0.0, ge=0, description="GPUs of a node that one worker takes.")
    cluster_memory_mib: int = Field(
        default=0, ge=0, description="Memory of a node that one worker takes; 0: not asked."
    )
    cluster_device: str = Field(
        default="", description="Kind of GPU that a worker is placed on, as Ray names it (H100, say); empty: any."
    )
    checkpoints: Literal["auto", "store", "folder"] = Field(
        default="auto",
        description="Where checkpoints of runs lie: store (any node goes on), folder, or auto (store where it is s3).",
    )

    checkpoints_seconds: float = Field(
        default=20.0,
        ge=1,
        le=MOST_SECONDS,
        description="How often checkpoints are copied into the store: what another node does twice.",
    )

    @property
    def bases_beside(self) -> tuple[str, ...]:
        """The words in ``more_bases``."""
        return tuple(items_in(self.more_bases))

    @property
    def base_of_routes(self) -> dict[str, str]:
        """The word for the base of each kind of route; empty: the first one."""
        return {"v3": self.base_v3, "v4": self.base_v4, "legacy": self.base_legacy}

    @field_validator("cluster_most")
    @classmethod
    def _is_no_less(cls, value: int, info: ValidationInfo) -> int:
        least = int(info.data.get("cluster_least", 0))
        if value < least:
            raise ValueError(
                f"LINOCUT_CLUSTER_MOST is {value} and LINOCUT_CLUSTER_LEAST {least}; the most may be no less than that."
            )
        return value

    @field_validator("base_v3", "base_v4", "base_legacy")
    @classmethod
    def _is_one(cls, value: str) -> str:
        if "," in value:
            raise ValueError(f"a kind of route has one base, and {value!r} names several.")
        return value.strip()
