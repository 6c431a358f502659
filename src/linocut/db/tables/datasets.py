"""Datasets and what was put into them."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from linocut.db.tables.common import DIGEST_ONLY, BigId, Id, Moment, Sha256, metadata

datasets = Table(
    "datasets",
    metadata,
    Column("dataset_id", Id, primary_key=True),
    Column("user_id", ForeignKey("users.user_id"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("image_count", Integer, nullable=False, server_default="0"),  # guards the 100-image limit under concurrency
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    Index(None, "user_id", "updated_at"),
)

assets = Table(
    "assets",
    metadata,
    Column("asset_id", Id, primary_key=True),
    Column("dataset_id", ForeignKey("datasets.dataset_id"), nullable=False),
    Column("position", BigId, nullable=False),  # upload order inside the dataset
    Column("file_name", String(255), nullable=False),  # as uploaded; numbered when another content had the name
    Column("stem", String(255), nullable=False),  # what a caption file's stem is matched with
    # Of the uploaded bytes: the same content twice is stored once.
    Column("source_sha256", Sha256, nullable=False, info=DIGEST_ONLY),
    Column("image_sha256", Sha256, nullable=False),  # of the stored file, PNG or JPEG
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("file_size_bytes", BigId, nullable=False),
    Column("caption", Text),  # plain text, or the normalised JSON caption
    Column("caption_is_json", Boolean, nullable=False, server_default="0"),
    Column("created_at", Moment, nullable=False),
    Column("measures", JSON),  # pictures.types.Measures; null in rows older than the report, until it is asked for
    UniqueConstraint("dataset_id", "source_sha256"),
    UniqueConstraint("dataset_id", "file_name"),
    Index(None, "dataset_id", "stem"),
)

waiting_captions = Table(
    "waiting_captions",  # captions whose picture has not arrived
    metadata,
    Column("dataset_id", ForeignKey("datasets.dataset_id"), primary_key=True),
    Column("stem", String(255), primary_key=True),
    Column("file_name", String(255), nullable=False),
    Column("caption", Text, nullable=False),
    Column("caption_is_json", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)

unreadable_captions = Table(
    "unreadable_captions",  # caption files that were refused: the report names them until a good one of that stem comes
    metadata,
    Column("dataset_id", ForeignKey("datasets.dataset_id"), primary_key=True),
    Column("file_name", String(255), primary_key=True),
    Column("stem", String(255), nullable=False),
    Column("message", Text, nullable=False),  # the sentence that its owner was told
    Column("created_at", Moment, nullable=False),
)
