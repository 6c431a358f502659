"""Custom models, their runs and what happened to them."""

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from linocut.db.tables.common import BigId, Id, Moment, Sha256, metadata

models = Table(
    "models",
    metadata,
    Column("model_id", Id, primary_key=True),
    Column("user_id", ForeignKey("users.user_id"), nullable=False),
    Column("dataset_id", Id),  # null once the dataset is deleted
    Column("name", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("error", Text),  # one sentence for the owner, when ERRORED
    Column("base", String(64), nullable=False),  # family@hash
    Column("first_version", Integer, nullable=False),  # 1 by a v3 route, 0 by a v4 route
    Column("slug", String(64)),  # with version: the uri, given at COMPLETED
    Column("version", Integer),
    Column("adapter_sha256", Sha256),
    Column("adapter_bytes", BigId),
    Column("imported", JSON(none_as_null=True)),  # of a LoRA from elsewhere: layout, rank, alpha, notes; null: trained
    Column("promoted_from", Id),  # of a version that was made of a checkpoint: the model whose run left it
    Column("promoted_step", Integer),
    Column("unavailable_reason", Text),  # one sentence for the owner, while the stored adapter is missing or damaged
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("slug", "version"),
    Index(None, "user_id", "created_at"),
    Index(None, "dataset_id"),
    Index(None, "promoted_from"),
)

slugs = Table(
    "slugs",  # a slug belongs to its first user; versions count up from there
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("user_id", ForeignKey("users.user_id"), nullable=False),
    Column("next_version", Integer, nullable=False),
)

model_shares = Table(
    "model_shares",
    metadata,
    Column("model_id", ForeignKey("models.model_id"), primary_key=True),
    Column("organization_id", ForeignKey("organizations.organization_id"), primary_key=True),
    Column("created_at", Moment, nullable=False),
    Index(None, "organization_id"),
)

training_runs = Table(
    "training_runs",
    metadata,
    Column("run_id", Id, primary_key=True),
    Column("model_id", ForeignKey("models.model_id"), nullable=False),
    Column("job_id", Id, nullable=False),
    Column("status", String(16), nullable=False),
    Column("training_steps", Integer, nullable=False),
    Column("lora_rank", Integer, nullable=False),
    Column("ema", Float, nullable=False),
    Column("learning_rate", Float, nullable=False),
    Column("batch_size", Integer),  # null: of a run that an older linocut began
    Column("seed", BigId, nullable=False),
    Column("step", Integer, nullable=False, server_default="0"),
    Column("loss", Float),
    Column("eta_seconds", Integer),
    Column("stopped_at_step", Integer),
    Column("scores", JSON, nullable=False),
    Column("error", Text),
    Column("kept_steps", JSON),  # of the checkpoints below, so that a run is read in one row
    Column("dataset_kind", String(16)),
    Column("notes", JSON),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index(None, "model_id"),
)

checkpoints = Table(
    "checkpoints",  # of a run, scored, and kept so that they can be promoted
    metadata,
    Column("run_id", ForeignKey("training_runs.run_id"), primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("score", Float, nullable=False),
    Column("adapter_sha256", Sha256, nullable=False),
    Column("adapter_bytes", BigId, nullable=False),
)

run_images = Table(
    "run_images",  # the blobs that a frozen run refers to: they outlive their dataset
    metadata,
    Column("run_id", ForeignKey("training_runs.run_id"), primary_key=True),
    Column("image_sha256", Sha256, primary_key=True),
)

run_files = Table(
    "run_files",  # checkpoints of runs that are not finished, in the store: any node goes on from them
    metadata,
    Column("run_id", ForeignKey("training_runs.run_id"), primary_key=True),
    Column("path", String(255), primary_key=True),  # in the run's folder
    Column("file_sha256", Sha256, nullable=False),
    Column("bytes", BigId, nullable=False),
    Column("lease_token", BigId, nullable=False),  # of the lease under which they were written
)

model_events = Table(
    "model_events",  # what GET /models/{id}/events sends; event_id is the Last-Event-ID
    metadata,
    Column("event_id", BigId, primary_key=True, autoincrement=True),
    Column("model_id", ForeignKey("models.model_id"), nullable=False),
    Column("kind", String(16), nullable=False),  # status | progress | preview | score
    Column("data", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "model_id", "event_id"),
)
