"""Where the server stores, listens and speaks to."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from linocut.settings.lists import Hosts, hosts_in, networks_in, origins_in
from linocut.settings.times import MOST_SECONDS
from linocut.web_addresses import is_address


class ServerSettings(BaseSettings):
    """Where the server stores, listens and speaks to."""

    data: Path = Field(default=Path("linocut-data"), description="Folder of the database, blobs and training runs.")
    database_url: str = Field(default="", description="SQLAlchemy URL; empty: SQLite inside the data folder.")
    database_busy_seconds: float = Field(
        default=10.0, gt=0, le=3600, description="Longest wait for the database, then 503."
    )
    database_check_seconds: float = Field(
        default=5.0,
        ge=0,
        le=MOST_SECONDS,
        description="How long a start looks for damage in a SQLite file; 0: only at its header.",
    )
    storage_url: str = Field(default="", description="Object store URL (file:// or s3://); empty: the data folder.")
    host: str = Field(default="127.0.0.1", description="Address the server listens on.")
    port: int = Field(default=8731, ge=0, le=65535, description="Port the server listens on; 0 picks a free one.")
    public_url: str = Field(default="", description="Origin in the links sent to clients; empty: as the client asked.")
    trusted_proxies: str = Field(
        default="", description="Proxies whose X-Forwarded headers count: addresses and networks, commas between."
    )
    cors_origins: str = Field(
        default="", description="Origins whose pages may call the API, commas between; * for all; empty: none."
    )
    webhook_hosts: str = Field(
        default="",
        description="Hosts and networks of your own that webhooks may lead to, commas between; empty: public ones.",
    )
    webhook_tries: int = Field(default=8, ge=1, le=20, description="Most tries to deliver a webhook.")
    webhook_seconds: float = Field(default=10.0, gt=0, le=60, description="Longest that one try may take.")
    max_connections: int = Field(default=4096, ge=16, description="Open connections; over that, the worst are cut.")
    max_connections_per_address: int = Field(
        default=512, ge=8, description="Open connections of one address; a trusted proxy may have any number."
    )
    max_unread_answers: int = Field(
        default=32, ge=1, description="Requests that one connection may send without reading the answers."
    )
    client_read_seconds: float = Field(
        default=20.0,
        gt=0,
        le=MOST_SECONDS,
        description="How long a client may leave an answer unread, or take less than 1 KiB/s of it.",
    )
    drain_seconds: float = Field(
        default=0.0,
        ge=0,
        le=600,
        description="How long a stopping API still answers while /readyz says 503: what your proxy takes to notice.",
    )
    stop_seconds: float = Field(
        default=30.0, ge=0, le=MOST_SECONDS, description="How long requests under way may last at a stop."
    )
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level logged.")
    log_json: bool = Field(default=False, description="Log lines as JSON.")
    access_log: bool = Field(default=False, description="One log line for each request.")

    @property
    def resolved_database_url(self) -> str | Path:
        """The database in force: the URL named, else the data folder's SQLite file, whatever signs its path has."""
        return self.database_url or self.data.absolute() / "linocut.db"

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

    @property
    def thumbnails(self) -> Path:
        """The folder of pictures that were made small (``pictures/thumbnails.py``)."""
        return self.data.absolute() / "thumbnails"

    @property
    def deliverer_note(self) -> Path:
        """The file that is there while a process of this data folder delivers webhooks."""
        return self.data.absolute() / "delivering"

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """``trusted_proxies``, read."""
        return networks_in(self.trusted_proxies)

    @property
    def allowed_origins(self) -> frozenset[str]:
        """``cors_origins``, as browsers write them."""
        return origins_in(self.cors_origins)

    @property
    def allowed_webhook_hosts(self) -> "Hosts":
        """``webhook_hosts``, read."""
        return hosts_in(self.webhook_hosts)

    @field_validator("public_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value and not is_address(value):
            raise ValueError(
                f"LINOCUT_PUBLIC_URL is {value!r}; it takes a scheme, a host and, if need be, a path, such as "
                "https://img.example.org."
            )
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        networks_in(value)
        return value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        origins_in(value)
        return value

    @field_validator("webhook_hosts")
    @classmethod
    def _are_hosts(cls, value: str) -> str:
        hosts_in(value)
        return value
