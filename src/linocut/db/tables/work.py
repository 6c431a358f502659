"""Jobs, the images that came of them, and who is told."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from linocut.db.tables.common import DIGEST_ONLY, BigId, Id, Moment, Sha256, metadata

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", Id, primary_key=True),
    Column("kind", String(16), nullable=False),  # generate | train
    Column("organization_id", Id, nullable=False),
    Column("status", String(16), nullable=False),  # QUEUED | RUNNING | DONE | FAILED
    Column("base", String(64), nullable=False, server_default=text("''")),  # family@hash: only its workers take the job
    Column("adapter", String(64)),  # sha256 of the custom model that draws: a worker that has it loaded is waited for
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
    Index(None, "status", "base", "kind", "created_at"),
    Index(None, "organization_id", "status", "base", "created_at", "job_id"),
)

turns = Table(
    "turns",  # fairness between organisations (jobs/turns.py): whose job of a base is taken next
    metadata,
    Column("organization_id", Id, primary_key=True),
    Column("base", String(64), primary_key=True),
    Column("waiting", Boolean, nullable=False),  # true while a job is queued that somebody waits for, or longer
    Column("since", Moment, nullable=False),  # when the oldest of them was queued
    Column("last_served", Moment, nullable=False),  # 1970 for one that never was
    Index(None, "base", "waiting", "last_served", "since"),
)

workers = Table(
    "workers",  # engine processes, as they tell of themselves (jobs/roster.py); those that are gone stay for a day
    metadata,
    Column("worker_id", String(64), primary_key=True),
    Column("base", String(64), nullable=False),
    Column("facts", JSON, nullable=False),  # bases.Base: for servers that have no copy of it
    Column("state", String(16), nullable=False),  # loading | serving | draining | gone
    Column("device", String(128), nullable=False),  # "" until it is known
    Column("memory_bytes", BigId),  # of the device; null where nobody can say
    Column("adapters", JSON, nullable=False),  # sha256 of the custom models that it has loaded, newest last
    Column("asked_to_drain", Boolean, nullable=False, server_default="0"),
    Column("started_at", Moment, nullable=False),
    Column("turned_at", Moment, nullable=False),  # when its engine last turned
    Column("seen_at", Moment, nullable=False),  # its heartbeat
    Index(None, "base", "state"),
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
    # The rest is of what a request drew, and null for previews of trainings.
    Column("organization_id", Id),
    Column("user_id", Id),  # who asked
    Column("operation", String(32)),  # the last part of its address: inpaint
    Column("custom_model_uri", String(128)),
    Column("base", String(64)),  # family@hash
    Column("search", Text),  # the client's prompt, folded, for searches
    Column("seed", BigId),
    Column("width", Integer),
    Column("height", Integer),
    Column("details", JSON),  # what is said of the image: notes, tools, verdict, the base's own size
    Index(None, "job_id"),
    Index(None, "image_sha256"),
    Index(None, "created_at"),
    Index(None, "organization_id", "created_at", "image_id"),
    Index(None, "organization_id", "user_id", "created_at", "image_id"),
)

drawings = Table(
    "drawings",  # what a request that draws said: it stays as long as any of its images
    metadata,
    Column("job_id", Id, primary_key=True),
    Column("path", String(128), nullable=False),  # /v1/ideogram-v3/inpaint
    Column("operation", String(32), nullable=False),
    Column("prompt", Text, nullable=False),  # the client's own, "" where there was none
    Column("custom_model_uri", String(128)),
    Column("fields", JSON, nullable=False),  # the request's, by the wire's names, without its files
    Column("notes", JSON, nullable=False),  # what was said of the request: a list of sentences
    Column("created_at", Moment, nullable=False),
    Index(None, "created_at"),
)

drawing_inputs = Table(
    "drawing_inputs",  # the pictures of such a request, so that it can be asked again
    metadata,
    Column("job_id", ForeignKey("drawings.job_id"), primary_key=True),
    Column("field", String(64), primary_key=True),  # the wire's
    Column("position", Integer, primary_key=True),  # in that field, from 0
    Column("picture_sha256", Sha256, nullable=False, index=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
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
    Column("body_sha256", Sha256, nullable=False, info=DIGEST_ONLY),
    Column("answer", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
)
