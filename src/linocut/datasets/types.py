"""What the room takes and gives: files in, assets or reasons out, datasets, frozen samples."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from linocut.orders.types import TrainSample
from linocut.pictures.refusal import Reason
from linocut.settings import MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one dataset, one file and one ZIP may hold. Sizes are bytes."""

    max_images: int = 100
    max_file_bytes: int = 25 * MIB
    max_zip_bytes: int = 50 * MIB
    max_zip_entries: int = 2_000
    max_zip_expanded_bytes: int = 256 * MIB
    max_caption_characters: int = 10_000
    max_waiting_captions: int = 1_000


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """One part of an upload: the client's name for it, folders too, and its bytes or the file they were spooled to."""

    name: str
    content: bytes | Path


@dataclass(frozen=True, slots=True)
class AcceptedAsset:
    """A file that was taken. For a caption, ``asset_id`` is the picture that it now describes.

    ``is_animated``: a picture with more behind it, which were not taken. ``judged_by``: who found it fit to be shown;
    "" where nobody could, None where nobody was asked: for a caption, and a picture that was here already.
    ``same_as``: under which name these bytes were uploaded before; "" for a new picture. ``is_recaptioned``: a caption
    that waited for it replaced another one.
    """

    asset_id: str
    file_name: str
    is_animated: bool = False
    judged_by: str | None = None
    same_as: str = ""
    is_recaptioned: bool = False


@dataclass(frozen=True, slots=True)
class RefusedAsset:
    """A file that was not taken, and why."""

    file_name: str
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class UploadReport:
    """What became of an upload. The counts are of pictures (and of whatever was refused); total is their sum.

    ``successful`` also lists each caption that was applied; ``waiting`` names the captions whose picture is not here;
    ``notes`` are sentences: what was not clear, or is not used.
    """

    total_count: int
    success_count: int
    failure_count: int
    successful: tuple[AcceptedAsset, ...]
    failed: tuple[RefusedAsset, ...]
    waiting: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset as lists show it. ``cover_asset_id``: its first picture, None while it is empty."""

    dataset_id: str
    user_id: str
    name: str
    image_count: int
    cover_asset_id: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DatasetFile:
    """A picture of a dataset. ``file_size_bytes`` is of the upload; ``width`` x ``height`` of the stored picture."""

    asset_id: str
    file_name: str
    file_size_bytes: int
    image_sha256: str
    width: int
    height: int
    caption: str | None
    caption_is_json: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class UnreadableCaption:
    """A caption file that was refused, and the sentence that its owner was told."""

    file_name: str
    message: str


@dataclass(frozen=True, slots=True)
class DatasetDetail:
    """A dataset with its pictures in upload order, its models (newest first) and the captions still waiting."""

    dataset: Dataset
    files: tuple[DatasetFile, ...]
    custom_model_ids: tuple[str, ...]
    waiting_captions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a run trains on: samples with structured captions, sorted by content and never by id."""

    samples: tuple[TrainSample, ...]

    @property
    def image_sha256s(self) -> tuple[str, ...]:
        """Each stored picture once, sorted: the rows that keep a run's blobs alive."""
        return tuple(sorted({sample.image_sha256 for sample in self.samples}))
