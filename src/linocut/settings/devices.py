"""The devices that a training takes."""

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

SHORTEST_SECRET = 16
_ADDRESS = re.compile(r"[^\s:/]+:\d{1,5}")


def is_address(text: str) -> bool:
    """Whether it is HOST:PORT, with a name or an IPv4 address."""
    return bool(_ADDRESS.fullmatch(text)) and 0 < int(text.rpartition(":")[2]) < 65536


class DeviceSettings(BaseSettings):
    """The devices that a training takes."""

    training_devices: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Devices of one machine that learn one training together: GPUs, or processes where there is none.",
    )
    training_remote_devices: int = Field(
        default=0,
        ge=0,
        le=63,
        description="Devices of other machines that learn with these; each is lent by linocut lend, or placed by Ray.",
    )
    training_listen: str = Field(
        default="", description="HOST:PORT where a worker waits for them; with a Ray cluster it is found by itself."
    )
    training_secret: SecretStr = Field(
        default=SecretStr(""),
        description="What lenders and their worker know, at least 16 characters; with Ray one is made by itself.",
    )
    training_shards: Literal["off", "on"] = Field(
        default="off", description="Divide the base's network among these devices, where it fits on none: off or on."
    )

    @field_validator("training_listen")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and not is_address(value):
            raise ValueError(
                f"LINOCUT_TRAINING_LISTEN is {value!r}; it takes a name or an IPv4 address, and a port: 10.0.0.5:8800."
            )
        if value.rpartition(":")[0] in ("0.0.0.0", "localhost"):
            raise ValueError(
                f"LINOCUT_TRAINING_LISTEN is {value!r}, which each machine takes for itself. Give the address by "
                "which the others reach this one."
            )
        return value

    @field_validator("training_secret")
    @classmethod
    def _is_long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(
                f"LINOCUT_TRAINING_SECRET is shorter than {SHORTEST_SECRET} characters; take a longer one."
            )
        return value
