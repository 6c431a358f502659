"""The first schema: accounts, datasets, custom models, training runs, jobs. A migration never changes once released."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Id = sa.String(length=22)
Moment = sa.DateTime(timezone=True)
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """From an empty database."""
    _accounts()
    _datasets()
    _models()
    _runs()
    _jobs()


def _accounts() -> None:
    op.create_table(
        "users",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "organizations",
        sa.Column("organization_id", Id, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("name", name=op.f("uq_organizations_name")),
    )
    op.create_table(
        "members",
        sa.Column("organization_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.organization_id"],
            name=op.f("fk_members_organization_id_organizations"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_members_user_id_users")),
        sa.PrimaryKeyConstraint("organization_id", "user_id", name=op.f("pk_members")),
    )
    op.create_table(
        "api_keys",
        sa.Column("api_key_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("organization_id", Id, nullable=False),
        sa.Column("label", sa.String(length=64), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("redacted", sa.String(length=16), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("revoked_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.organization_id"],
            name=op.f("fk_api_keys_organization_id_organizations"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_api_keys_user_id_users")),
        sa.PrimaryKeyConstraint("api_key_id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.LargeBinary(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )


def _datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("dataset_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("image_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("deleted_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_datasets_user_id_users")),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_datasets")),
    )
    op.create_index(op.f("ix_datasets_user_id_updated_at"), "datasets", ["user_id", "updated_at"])
    op.create_table(
        "assets",
        sa.Column("asset_id", Id, nullable=False),
        sa.Column("dataset_id", Id, nullable=False),
        sa.Column("position", BigId, nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("stem", sa.String(length=255), nullable=False),
        sa.Column("source_sha256", sa.String(length=64), nullable=False),
        sa.Column("image_sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("file_size_bytes", BigId, nullable=False),
        sa.Column("caption", sa.Text(), nullable=True),
        sa.Column("caption_is_json", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.dataset_id"], name=op.f("fk_assets_dataset_id_datasets")),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_assets")),
        sa.UniqueConstraint("dataset_id", "file_name", name=op.f("uq_assets_dataset_id_file_name")),
        sa.UniqueConstraint("dataset_id", "source_sha256", name=op.f("uq_assets_dataset_id_source_sha256")),
    )
    op.create_index(op.f("ix_assets_dataset_id_stem"), "assets", ["dataset_id", "stem"])
    op.create_table(
        "waiting_captions",
        sa.Column("dataset_id", Id, nullable=False),
        sa.Column("stem", sa.String(length=255), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("caption_is_json", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.dataset_id"], name=op.f("fk_waiting_captions_dataset_id_datasets")
        ),
        sa.PrimaryKeyConstraint("dataset_id", "stem", name=op.f("pk_waiting_captions")),
    )


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("model_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("dataset_id", Id, nullable=True),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("base", sa.String(length=64), nullable=False),
        sa.Column("first_version", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("adapter_sha256", sa.String(length=64), nullable=True),
        sa.Column("adapter_bytes", BigId, nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_models_user_id_users")),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_models")),
        sa.UniqueConstraint("slug", "version", name=op.f("uq_models_slug_version")),
    )
    op.create_index(op.f("ix_models_dataset_id"), "models", ["dataset_id"])
    op.create_index(op.f("ix_models_user_id_created_at"), "models", ["user_id", "created_at"])
    op.create_table(
        "slugs",
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("next_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_slugs_user_id_users")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_slugs")),
    )
    op.create_table(
        "model_shares",
        sa.Column("model_id", Id, nullable=False),
        sa.Column("organization_id", Id, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.model_id"], name=op.f("fk_model_shares_model_id_models")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.organization_id"],
            name=op.f("fk_model_shares_organization_id_organizations"),
        ),
        sa.PrimaryKeyConstraint("model_id", "organization_id", name=op.f("pk_model_shares")),
    )
    op.create_index(op.f("ix_model_shares_organization_id"), "model_shares", ["organization_id"])
    op.create_table(
        "model_events",
        sa.Column("event_id", BigId, autoincrement=True, nullable=False),
        sa.Column("model_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.model_id"], name=op.f("fk_model_events_model_id_models")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_model_events")),
    )
    op.create_index(op.f("ix_model_events_model_id_event_id"), "model_events", ["model_id", "event_id"])


def _runs() -> None:
    op.create_table(
        "training_runs",
        sa.Column("run_id", Id, nullable=False),
        sa.Column("model_id", Id, nullable=False),
        sa.Column("job_id", Id, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("training_steps", sa.Integer(), nullable=False),
        sa.Column("lora_rank", sa.Integer(), nullable=False),
        sa.Column("ema", sa.Float(), nullable=False),
        sa.Column("learning_rate", sa.Float(), nullable=False),
        sa.Column("seed", BigId, nullable=False),
        sa.Column("step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("loss", sa.Float(), nullable=True),
        sa.Column("eta_seconds", sa.Integer(), nullable=True),
        sa.Column("stopped_at_step", sa.Integer(), nullable=True),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.model_id"], name=op.f("fk_training_runs_model_id_models")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_training_runs")),
    )
    op.create_index(op.f("ix_training_runs_model_id"), "training_runs", ["model_id"])
    op.create_table(
        "run_images",
        sa.Column("run_id", Id, nullable=False),
        sa.Column("image_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["training_runs.run_id"], name=op.f("fk_run_images_run_id_training_runs")),
        sa.PrimaryKeyConstraint("run_id", "image_sha256", name=op.f("pk_run_images")),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("job_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("organization_id", Id, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("order", sa.Text(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("progress_mark", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("worker_id", sa.String(length=64), nullable=True),
        sa.Column("lease_token", BigId, server_default="0", nullable=False),
        sa.Column("lease_expires_at", Moment, nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("started_at", Moment, nullable=True),
        sa.Column("finished_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_organization_id_kind_started_at"), "jobs", ["organization_id", "kind", "started_at"])
    op.create_index(op.f("ix_jobs_organization_id_status"), "jobs", ["organization_id", "status"])
    op.create_index(op.f("ix_jobs_status_kind_created_at"), "jobs", ["status", "kind", "created_at"])
    op.create_table(
        "images",
        sa.Column("image_id", Id, nullable=False),
        sa.Column("job_id", Id, nullable=False),
        sa.Column("image_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_images")),
    )
    op.create_index(op.f("ix_images_job_id"), "images", ["job_id"])
    op.create_table(
        "idempotency_keys",
        sa.Column("api_key_id", Id, nullable=False),
        sa.Column("route", sa.String(length=128), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("api_key_id", "route", "key", name=op.f("pk_idempotency_keys")),
    )
