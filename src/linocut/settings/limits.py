"""How much one may ask, and how answers are given."""

from pydantic import Field
from pydantic_settings import BaseSettings

from linocut.settings.times import MOST_SECONDS


class LimitSettings(BaseSettings):
    """How much one may ask, and how answers are given."""

    min_training_images: int = Field(default=15, ge=1, le=100, description="Fewest pictures a dataset trains with.")
    max_dataset_images: int = Field(default=100, ge=1, description="Most pictures in a dataset.")
    max_file_mib: int = Field(default=25, ge=1, description="Largest picture or caption file, MiB.")
    max_request_mib: int = Field(default=50, ge=1, description="Largest request body, MiB.")
    max_lora_mib: int = Field(
        default=512, ge=1, description="Largest LoRA file to import, MiB; in float32 it may take twice as much."
    )
    max_images_in_flight: int = Field(default=10, ge=1, description="Images in progress an organisation may have.")
    link_hours: float = Field(default=24.0, gt=0, le=876_000, description="Hours for which an image link works.")
    image_days: int = Field(
        default=30, ge=0, le=36500, description="Days that drawn images are kept, and what asked for them; 0: for ever."
    )
    thumbnails_mib: int = Field(
        default=256, ge=0, description="Most room for pictures that were made small, MiB; 0: each is made anew."
    )
    png_text: bool = Field(default=True, description="Write prompt, seed, model and base into each generated PNG.")
    unsupported: str = Field(
        default="refuse", pattern="^(refuse|note)$", description="An option the base cannot honour: refuse, or note."
    )
    generate_timeout_seconds: float = Field(
        default=300.0, gt=0, le=MOST_SECONDS, description="Longest wait for an image's worker."
    )
