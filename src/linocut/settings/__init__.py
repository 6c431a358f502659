"""Settings: one frozen object a process, read once from the environment (prefix ``LINOCUT_``) and the command line.

Every field is documented in docs/settings.md (a house test holds it). Each file of this room holds the fields of one
part of the house.
"""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from linocut.settings.cluster import ClusterSettings
from linocut.settings.devices import DeviceSettings
from linocut.settings.engine import EMBEDDED, ENLARGERS, ENLARGING_FILE, MATTING_BY_BORDER, MATTING_FILE, EngineSettings
from linocut.settings.limits import LimitSettings
from linocut.settings.lists import Hosts, hosts_in, networks_in, origins_in
from linocut.settings.money import MoneySettings
from linocut.settings.people import PeopleSettings
from linocut.settings.speakers import SpeakerSettings

__all__ = [
    "EMBEDDED",
    "ENLARGERS",
    "ENLARGING_FILE",
    "MATTING_BY_BORDER",
    "MATTING_FILE",
    "MIB",
    "Hosts",
    "Settings",
    "hosts_in",
    "networks_in",
    "origins_in",
]

MIB = 1024 * 1024


class Settings(
    EngineSettings, DeviceSettings, SpeakerSettings, LimitSettings, MoneySettings, PeopleSettings, ClusterSettings
):
    """What an operator can set."""

    model_config = SettingsConfigDict(
        env_prefix="LINOCUT_", env_ignore_empty=True, frozen=True, extra="ignore", allow_inf_nan=False
    )

    @property
    def carries_checkpoints(self) -> bool:
        """Whether checkpoints of runs are copied into the store, so that a run goes on at another node."""
        return self.checkpoints == "store" or (self.checkpoints == "auto" and self.storage_url.startswith("s3"))

    @property
    def controller_note(self) -> Path:
        """The file that is there while a controller of this data folder is in charge of a cluster's workers."""
        return self.data.absolute() / "controlling"

    def for_a_worker(self) -> "Settings":
        """The same for an engine process, which has one base, judges no requests, and starts nobody."""
        nothing = {"more_bases": "", "base_v3": "", "base_v4": "", "base_legacy": "", "cluster": ""}
        return self.model_copy(update=nothing)
