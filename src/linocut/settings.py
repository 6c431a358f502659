"""Settings: one frozen object a process, read once from the environment (prefix ``LINOCUT_``) and the command line.

Every field is documented in docs/settings.md (a house test holds it).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from linocut.verdicts import SafetyMode, SafetyRule
from linocut.web_addresses import ORIGIN, is_address, is_port, named

MIB = 1024 * 1024
EMBEDDED = "embedded"
"""What names a tool's own weights."""

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
MATTING_BY_BORDER, MATTING_FILE = "border-matting", "onnx-matting"
"""The tools that cut out: the embedded one, and the one with a file of the operator's."""
ENLARGERS = ("auto", "lanczos", "pyanime4k")
ENLARGING_FILE = "onnx-enlargement"
"""The tool that enlarges with a file of the operator's."""
_OWN_PORTS = {"http": "80", "https": "443"}


class Settings(BaseSettings):
    """What an operator can set."""

    model_config = SettingsConfigDict(env_prefix="LINOCUT_", env_ignore_empty=True, frozen=True, extra="ignore")

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
        description="How long a client may leave an answer unread, or take less than 1 KiB/s of it.",
    )
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
        pattern="^(auto|device|host)$",
        description="Where the text tower lives: auto (what fits), device, or host (its blocks visit the device).",
    )
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
    upscale_megapixels: float = Field(
        default=16.8, gt=0, description="Most pixels of an enlarged picture, in millions (16.8: 4096 x 4096)."
    )
    describer_url: str = Field(
        default="", description="Chat completions endpoint of the describer, such as http://127.0.0.1:11434/v1."
    )
    describer_model: str = Field(default="", description="The model that the describer's endpoint is asked for.")
    describer_key: SecretStr = Field(default=SecretStr(""), description="The key for it; empty: none is sent.")
    describer_seconds: float = Field(default=30.0, gt=0, description="Longest wait for the describer's answer.")
    describer: str = Field(
        default="embedded",
        pattern="^(embedded|endpoint)$",
        description="Who describes pictures: embedded, or endpoint (a vision model of yours).",
    )
    writer_url: str = Field(
        default="", description="Chat completions endpoint of the writer, such as http://127.0.0.1:11434/v1."
    )
    writer_model: str = Field(default="", description="The model that the writer's endpoint is asked for.")
    writer_key: SecretStr = Field(default=SecretStr(""), description="The key for it; empty: none is sent.")
    writer_seconds: float = Field(default=30.0, gt=0, description="Longest wait for the writer's answer.")
    writer: str = Field(
        default="grammar",
        pattern="^(grammar|endpoint|base)$",
        description="Who writes captions of texts (magic prompt): grammar, or endpoint (a language model of yours).",
    )
    min_training_images: int = Field(default=15, ge=1, le=100, description="Fewest pictures a dataset trains with.")
    max_dataset_images: int = Field(default=100, ge=1, description="Most pictures in a dataset.")
    max_file_mib: int = Field(default=25, ge=1, description="Largest picture or caption file, MiB.")
    max_request_mib: int = Field(default=50, ge=1, description="Largest request body, MiB.")
    max_images_in_flight: int = Field(default=10, ge=1, description="Images in progress an organisation may have.")
    link_hours: float = Field(default=24.0, gt=0, description="Hours for which an image link works.")
    png_text: bool = Field(default=True, description="Write prompt, seed, model and base into each generated PNG.")
    unsupported: str = Field(
        default="refuse", pattern="^(refuse|note)$", description="An option the base cannot honour: refuse, or note."
    )
    generate_timeout_seconds: float = Field(default=300.0, gt=0, description="Longest wait for an image's worker.")
    stop_seconds: float = Field(default=30.0, ge=0, description="How long requests under way may last at a stop.")
    lease_seconds: float = Field(default=90.0, gt=0, description="A worker's lease on a job, renewed by heartbeats.")
    engine_silent_seconds: float = Field(
        default=60.0, gt=0, description="An engine that has not turned for so long does not count for /readyz."
    )
    heartbeat_seconds: float = Field(default=10.0, gt=0, description="How often a worker renews its lease.")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level logged.")
    log_json: bool = Field(default=False, description="Log lines as JSON.")
    access_log: bool = Field(default=False, description="One log line for each request.")

    @property
    def resolved_database_url(self) -> str | Path:
        """The database in force: the URL named, else the data folder's SQLite file, whatever signs its path has."""
        return self.database_url or self.data.absolute() / "linocut.db"

    @property
    def accepted_licences(self) -> frozenset[str]:
        """The names in ``accept_licence``."""
        return frozenset(name.lower() for name in _items(self.accept_licence))

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

    @field_validator("describer", "writer")
    @classmethod
    def _is_named(cls, value: str, info: ValidationInfo) -> str:
        """The endpoint's own fields stand before it, so that they are known here."""
        if value == "endpoint":
            named(info.data, str(info.field_name))
        if value == "base":
            raise ValueError(
                "LINOCUT_WRITER is 'base', and no base that linocut loads can write: their language models are loaded "
                "as text encoders, without the head that speaks. Set grammar or endpoint (docs/writers.md)."
            )
        return value

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


@dataclass(frozen=True)
class Hosts:
    """Names of hosts, in lower case, and networks."""

    names: frozenset[str]
    networks: tuple[IPv4Network | IPv6Network, ...]


@lru_cache
def networks_in(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks out of a list with commas. ``ValueError`` with a sentence for anything else."""
    found = []
    for item in _items(text):
        try:
            found.append(ip_network(item, strict=False))
        except ValueError:
            raise ValueError(
                f"LINOCUT_TRUSTED_PROXIES has {item!r}, which is no address and no network; it takes a list such as "
                "127.0.0.1,10.0.0.0/8 (names of machines are not looked up; 0.0.0.0/0,::/0 trusts everybody)."
            ) from None
    return tuple(found)


@lru_cache
def origins_in(text: str) -> frozenset[str]:
    """Origins out of a list with commas, as browsers write them; ``*`` alone for all. ``ValueError`` with words."""
    items = _items(text)
    if items == ["*"]:
        return frozenset(items)
    return frozenset(_origin(item) for item in items)


@lru_cache
def hosts_in(text: str) -> Hosts:
    """Hosts, addresses and networks out of a list with commas. ``ValueError`` with a sentence for anything else."""
    names, networks = set(), []
    for item in _items(text):
        try:
            networks.append(ip_network(item.strip("[]"), strict=False))
        except ValueError:
            if not _HOST.fullmatch(item) or item.replace(".", "").isdecimal():
                raise ValueError(
                    f"LINOCUT_WEBHOOK_HOSTS has {item!r}, which is no host and no network; it takes a list such as "
                    "hooks.example.org,10.1.0.0/16 (no scheme, no port, no *)."
                ) from None
            names.add(item.lower())
    return Hosts(frozenset(names), tuple(networks))


def _origin(item: str) -> str:
    match = ORIGIN.fullmatch(item)
    if match is None or not is_port(match[3]):
        raise ValueError(
            f"LINOCUT_CORS_ORIGINS has {item!r}, which is no origin; it takes a list such as "
            "https://app.example.org,http://localhost:5173 (scheme, host and port, no path and no slash at the "
            "end), or * alone for all pages."
        )
    port = f":{match[3]}" if match[3] and match[3] != _OWN_PORTS[match[1]] else ""
    return f"{match[1]}://{match[2]}{port}".lower()


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
