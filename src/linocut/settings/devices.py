"""The devices that a training takes."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings


class DeviceSettings(BaseSettings):
    """The devices that a training takes."""

    training_devices: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Devices of one machine that learn one training together: GPUs, or processes where there is none.",
    )
    training_shards: Literal["off", "on"] = Field(
        default="off", description="Divide the base's network among these devices, where it fits on none: off or on."
    )
