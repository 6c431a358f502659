"""Every table on one page. Ids are 22-character text (``ids.new_id``); times are UTC; a blob is named by its sha256."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from linocut.db.moment import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = String(22)
Sha256 = String(64)
Moment = UtcDateTime()
BigId = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only in INTEGER PRIMARY KEY

users = Table(
    "users",
    metadata,
    Column("user_id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),  # the handle
    Column("created_at", Moment, nullable=False),
    Column("email", String(254)),  # in lower case; null for a user that only keys know
    Column("full_name", String(128)),
    Column("password_hash", String(255)),  # argon2id, as its library writes it; null: no sign-in by password
    Column("deleted_at", Moment),
    Index(None, "email", unique=True),
)

organizations = Table(
    "organizations",
    metadata,
    Column("organization_id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("copyright_detection_enabled", Boolean, nullable=False, server_default="0"),
    Column("deleted_at", Moment),
)

members = Table(
    "members",
    metadata,
    Column("organization_id", ForeignKey("organizations.organization_id"), primary_key=True),
    Column("user_id", ForeignKey("users.user_id"), primary_key=True),
    Column("role", String(16), nullable=False),  # OWNER | ADMIN | MEMBER
    Column("created_at", Moment, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("api_key_id", Id, primary_key=True),
    Column("user_id", ForeignKey("users.user_id"), nullable=False),
    Column("organization_id", ForeignKey("organizations.organization_id"), nullable=False),
    Column("label", String(64)),
    Column("digest", LargeBinary(32), nullable=False, unique=True),  # keyed BLAKE2b-256 of the key's text
    Column("redacted", String(16), nullable=False),  # lino_, 4 characters and bullets: all that is ever shown again
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),  # for ever; a deleted key is one
    Column("disabled_at", Moment),  # deactivated: it works no longer, and is still listed
    Column("expires_at", Moment),
    Column("scopes", JSON),  # what it may do (accounts/scopes.py); null: everything
    Column("last_used_at", Moment),  # to the minute
    Column("last_used_from", String(64)),
)

sessions = Table(
    "sessions",  # somebody who has signed in on /manage
    metadata,
    Column("session_id", Id, primary_key=True),
    Column("user_id", ForeignKey("users.user_id"), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),  # as of a key's text
    Column("address", String(64)),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Index(None, "user_id"),
)

one_time_links = Table(
    "one_time_links",  # good once, for an hour; an invite's for longer
    metadata,
    Column("link_id", Id, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("purpose", String(16), nullable=False),  # owner | sign-in | invite
    Column("user_id", Id),  # whom it signs in
    Column("invite_id", Id),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)

invites = Table(
    "invites",
    metadata,
    Column("invite_id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.organization_id"), nullable=False),
    Column("email", String(254), nullable=False),
    Column("role", String(16), nullable=False),
    Column("status", String(16), nullable=False),  # PENDING | ACCEPTED | CANCELLED
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index(None, "organization_id", "status"),
)

sign_in_failures = Table(
    "sign_in_failures",  # who guesses is stopped, by account and by address
    metadata,
    Column("failure_id", BigId, primary_key=True, autoincrement=True),
    Column("account", String(254), nullable=False),
    Column("address", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "account", "at"),
    Index(None, "address", "at"),
)

secrets = Table(
    "secrets",  # keys of this installation, made once: the digest key, the link-signing key
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", LargeBinary(64), nullable=False),
)

audit_log = Table(
    "audit_log",  # what was done to accounts, by whom (accounts/audit.py); nothing updates or deletes a row
    metadata,
    Column("number", BigId, primary_key=True, autoincrement=False),  # from 1, without a gap
    Column("at", Moment, nullable=False),
    Column("user_id", Id),  # all three null: a verb on the server's machine
    Column("api_key_id", Id),
    Column("address", String(64)),
    Column("action", String(32), nullable=False),
    Column("organization_id", Id),
    Column("object_id", String(255)),
    Column("details", JSON, nullable=False),
    Column("seal", LargeBinary(32), nullable=False),  # keyed, over the seal before it and this row
    Index(None, "organization_id", "number"),
)

audit_head = Table(
    "audit_head",  # one row: how many entries there are, and the last one's seal
    metadata,
    Column("head_id", Integer, primary_key=True, autoincrement=False),
    Column("entries", BigId, nullable=False),
    Column("seal", LargeBinary(32), nullable=False),
)

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
    Column("source_sha256", Sha256, nullable=False),  # of the uploaded bytes: the same content twice is stored once
    Column("image_sha256", Sha256, nullable=False),  # of the stored, re-encoded PNG
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
    Column("unavailable_reason", Text),  # one sentence for the owner, while the stored adapter is missing or damaged
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("slug", "version"),
    Index(None, "user_id", "created_at"),
    Index(None, "dataset_id"),
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
    Column("seed", BigId, nullable=False),
    Column("step", Integer, nullable=False, server_default="0"),
    Column("loss", Float),
    Column("eta_seconds", Integer),
    Column("stopped_at_step", Integer),
    Column("scores", JSON, nullable=False),
    Column("error", Text),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index(None, "model_id"),
)

run_images = Table(
    "run_images",  # the blobs that a frozen run refers to: they outlive their dataset
    metadata,
    Column("run_id", ForeignKey("training_runs.run_id"), primary_key=True),
    Column("image_sha256", Sha256, primary_key=True),
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

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", Id, primary_key=True),
    Column("kind", String(16), nullable=False),  # generate | train
    Column("organization_id", Id, nullable=False),
    Column("status", String(16), nullable=False),  # QUEUED | RUNNING | DONE | FAILED
    Column("order", Text, nullable=False),  # orders.order_to_json
    Column("images", Integer, nullable=False),  # images in flight that this job counts for
    Column("attempts", Integer, nullable=False, server_default="0"),  # lost since the last progress: crashes, hangs
    Column("progress_mark", Integer, nullable=False, server_default="0"),  # a crash with progress resets the attempts
    Column("cancel_requested", Boolean, nullable=False, server_default="0"),
    Column("worker_id", String(64)),
    Column("lease_token", BigId, nullable=False, server_default="0"),  # fencing: grows with every lease
    Column("lease_expires_at", Moment),
    Column("result", JSON),
    Column("error", JSON),  # errors.LinocutError.to_json
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),  # of the latest lease
    Column("finished_at", Moment),
    Column("user_id", Id),  # who asked, with which key, for or with which custom model: for the log
    Column("api_key_id", Id),
    Column("model_id", Id),
    Index(None, "status", "kind", "created_at"),
    Index(None, "organization_id", "status", "created_at", "job_id"),
)

turns = Table(
    "turns",  # fairness between organisations (jobs/turns.py): whose job is taken next
    metadata,
    Column("organization_id", Id, primary_key=True),
    Column("waiting", Boolean, nullable=False),  # true while a job is queued that somebody waits for, or longer
    Column("since", Moment, nullable=False),  # when the oldest of them was queued
    Column("last_served", Moment, nullable=False),  # 1970 for one that never was
    Index(None, "waiting", "last_served", "since"),
)

job_inputs = Table(
    "job_inputs",  # the pictures that a job works on: they stay until it has ended
    metadata,
    Column("job_id", ForeignKey("jobs.job_id"), primary_key=True),
    Column("role", String(32), primary_key=True),  # the wire's field: image, mask, images
    Column("position", Integer, primary_key=True),  # in that field, from 0
    Column("picture_sha256", Sha256, nullable=False),  # an upright PNG in sRGB, or a mask in one channel
    Column("bytes", BigId, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
)

images = Table(
    "images",  # drawn images: what a signed link leads to
    metadata,
    Column("image_id", Id, primary_key=True),
    Column("job_id", Id, nullable=False),
    Column("image_sha256", Sha256, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "job_id"),
)

generations = Table(
    "generations",  # what was asked for asynchronously, and how its webhook stands; it goes with its job
    metadata,
    Column("generation_id", Id, primary_key=True),
    Column("job_id", Id, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("organization_id", Id, nullable=False),
    Column("begun", JSON, nullable=False),  # api.drawing.Begun: what the answer is made of, beside the job
    Column("created_at", Moment, nullable=False),
    Column("webhook_url", Text, nullable=False),
    Column("webhook_tries", Integer, nullable=False, server_default="0"),  # those that have failed or succeeded
    Column("webhook_next_at", Moment, nullable=False),  # while a try is under way: when it counts as lost
    Column("webhook_ended_at", Moment),  # delivered, or given up
    Column("webhook_error", Text),  # why the last try failed; null once it is delivered
    Index(None, "job_id"),
    Index(None, "webhook_ended_at", "webhook_next_at"),
)

webhook_keys = Table(
    "webhook_keys",  # what signs webhooks: the newest does
    metadata,
    Column("key_id", Id, primary_key=True),
    Column("seed", LargeBinary(32), nullable=False),  # of an Ed25519 key
    Column("created_at", Moment, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("api_key_id", Id, primary_key=True),
    Column("route", String(128), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("body_sha256", Sha256, nullable=False),
    Column("answer", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
)
