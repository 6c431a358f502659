"""Settings: one frozen object a process, read once from the environment (prefix ``LINOCUT_``) and the command line.

Every field is documented in docs/settings.md (a house test holds it).
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 1024 * 1024


class Settings(BaseSettings):
    """What an operator can set."""

    model_config = SettingsConfigDict(env_prefix="LINOCUT_", frozen=True, extra="ignore")

    data: Path = Field(default=Path("linocut-data"), description="Folder of the database, blobs and training runs.")
    database_url: str = Field(default="", description="SQLAlchemy URL; empty: SQLite inside the data folder.")
    database_busy_seconds: float = Field(default=10.0, gt=0, description="Longest wait for the database, then 503.")
    database_check_seconds: float = Field(
        default=5.0, ge=0, description="How long a start looks for damage in a SQLite file; 0: only at its header."
    )
    storage_url: str = Field(default="", description="Object store URL (file:// or s3://); empty: the data folder.")
    host: str = Field(default="127.0.0.1", description="Address the server listens on.")
    port: int = Field(default=8731, ge=0, le=65535, description="Port the server listens on; 0 picks a free one.")
    public_url: str = Field(default="", description="Origin in the links sent to clients; empty: as the client asked.")
    base: str = Field(default="mini", description="Name of the embedded base, or a folder that holds a base.")
    engine: str = Field(default="torch", pattern="^(torch|fake)$", description="torch, or fake (tests: no model).")
    workers: int = Field(default=1, ge=0, le=64, description="Engine processes that serve starts.")
    threads: int = Field(default=0, ge=0, description="Torch threads an engine process; 0: one per core and worker.")
    adapter_cache_mib: int = Field(default=512, ge=1, description="Memory for loaded adapters, MiB an engine process.")
    engine_memory_mib: int = Field(
        default=0, ge=0, description="Memory for orders and passes beside the base, MiB an engine process; 0: all free."
    )
    tools: str = Field(
        default="", description="Tools loaded at the start, names with commas between; the others are on first use."
    )
    tools_memory_mib: int = Field(
        default=256, ge=0, description="Memory for tools (matting and such) beside the base, MiB an engine process."
    )
    min_training_images: int = Field(default=15, ge=1, le=100, description="Fewest pictures a dataset trains with.")
    max_dataset_images: int = Field(default=100, ge=1, description="Most pictures in a dataset.")
    max_file_mib: int = Field(default=25, ge=1, description="Largest picture or caption file, MiB.")
    max_request_mib: int = Field(default=50, ge=1, description="Largest request body, MiB.")
    max_images_in_flight: int = Field(default=10, ge=1, description="Images in progress an organisation may have.")
    link_hours: float = Field(default=24.0, gt=0, description="Hours for which an image link works.")
    generate_timeout_seconds: float = Field(default=300.0, gt=0, description="Longest wait for an image's worker.")
    stop_seconds: float = Field(default=30.0, ge=0, description="How long requests under way may last at a stop.")
    lease_seconds: float = Field(default=90.0, gt=0, description="A worker's lease on a job, renewed by heartbeats.")
    heartbeat_seconds: float = Field(default=10.0, gt=0, description="How often a worker renews its lease.")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level logged.")
    log_json: bool = Field(default=False, description="Log lines as JSON.")

    @property
    def resolved_database_url(self) -> str:
        """The database in force: the one named, else the data folder's SQLite file."""
        return self.database_url or f"sqlite:///{self.data.absolute()}/linocut.db"

    @property
    def tools_at_start(self) -> tuple[str, ...]:
        """The names in ``tools``."""
        return tuple(name for name in (part.strip() for part in self.tools.split(",")) if name)

    @property
    def sqlite_file(self) -> Path | None:
        """The file of a SQLite database; None for another database."""
        if not self.database_url:
            return self.data.absolute() / "linocut.db"
        if not self.database_url.startswith("sqlite"):
            return None
        from sqlalchemy import make_url  # late: it costs more to import than everything else here

        named = make_url(self.database_url).database
        return Path(named).absolute() if named else None

    @property
    def damage_note(self) -> Path:
        """Where a process that meets damage in the database tells the others (``db/checkup.py``)."""
        file = self.sqlite_file or self.data.absolute() / "database"
        return file.with_name(f"{file.name}-damaged")
