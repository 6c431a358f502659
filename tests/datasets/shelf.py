"""A user with datasets: what the tests of the room put files into."""

import io
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from linocut.accounts.organizations import ensure_user
from linocut.datasets import service
from linocut.datasets.types import DatasetDetail, DatasetFile, IncomingFile, Limits, UploadReport
from linocut.db.database import Database
from linocut.pictures.decoder import Decoder
from linocut.storage.store import Store


@dataclass(frozen=True)
class Shelf:
    """Rows, blobs, a decoder and one user."""

    db: Database
    store: Store
    decoder: Decoder
    user_id: str
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def open(cls, db: Database, folder: Path, decoder: Decoder, user: str = "owner") -> "Shelf":
        with db.transaction() as tx:
            user_id = ensure_user(tx, user)
        return cls(db, Store.open(folder), decoder, user_id)

    def within(self, **limits: int) -> "Shelf":
        """The same shelf with other limits."""
        return replace(self, limits=replace(self.limits, **limits))

    def create(self, name: str = "tea") -> str:
        with self.db.transaction() as tx:
            return service.create(tx, self.user_id, name).dataset_id

    def upload(self, dataset_id: str, *files: tuple[str, bytes | Path]) -> UploadReport:
        parts = [IncomingFile(name, content) for name, content in files]
        arguments = (self.db, self.store, self.decoder, self.user_id, dataset_id)
        return service.ingest(*arguments, parts, self.limits)

    def get(self, dataset_id: str) -> DatasetDetail:
        with self.db.read() as tx:
            return service.get(tx, self.user_id, dataset_id)

    def files(self, dataset_id: str) -> dict[str, DatasetFile]:
        return {file.file_name: file for file in self.get(dataset_id).files}

    def captions(self, dataset_id: str) -> dict[str, str | None]:
        return {file.file_name: file.caption for file in self.get(dataset_id).files}

    def image(self, file: DatasetFile) -> Image.Image:
        return Image.open(io.BytesIO(self.store.get(file.image_sha256)))


def refusals(report: UploadReport) -> list[tuple[str, str]]:
    """(file name, reason) of everything refused, after checking that each has its sentence."""
    for failed in report.failed:
        assert failed.message.endswith("."), failed
        assert len(failed.message.split()) >= 4, failed
    assert report.total_count == report.success_count + report.failure_count
    assert report.failure_count == len(report.failed)
    return [(failed.file_name, failed.reason) for failed in report.failed]
