"""The registry of custom models: create, list, get, share, archive, and resolve a uri for a caller.

A model that a caller may not see and a model that does not exist give the same ``NotFound``.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from linocut.accounts.audit import Actor, record
from linocut.accounts.organizations import is_member
from linocut.accounts.types import Caller
from linocut.bases import Base
from linocut.custom_models import availability, repository
from linocut.custom_models.events import add_event, events_after
from linocut.custom_models.lifecycle import (
    CANCELLED,
    complete,
    create,
    fail,
    forget_checkpoints,
    move_run,
    not_found,
    set_status,
    status_of,
    stop_for_good,
    tell,
    uri_of_model,
)
from linocut.custom_models.slugs import parse_uri
from linocut.custom_models.states import is_final_model
from linocut.custom_models.types import WITH_LETTERING, ModelEvent, ModelView, Progress, RunView, Scope
from linocut.errors import Conflict, Forbidden, InvalidRequest, NotFound
from linocut.orders import AdapterRef

__all__ = [
    "CANCELLED",
    "ModelEvent",
    "ModelView",
    "Progress",
    "RunView",
    "add_event",
    "archive",
    "base_of_uri",
    "complete",
    "create",
    "events_after",
    "fail",
    "get_visible",
    "id_of",
    "learned_lettering",
    "list_visible",
    "move_run",
    "owned_row",
    "resolve_uri",
    "set_status",
    "share",
    "status_of",
    "stop_for_good",
    "tell",
    "unshare",
    "uri_of_model",
    "weights_of",
]


def list_visible(
    tx: Connection, caller: Caller, scope: Scope | None = None, statuses: Sequence[str] = ()
) -> list[ModelView]:
    """The caller's models and those shared with the caller's organisation, newest first, without their runs.

    ``statuses`` narrow the owned ones only; shared ones are COMPLETED in any case.
    """
    rows = repository.visible_rows(tx, caller, scope, statuses)
    runs = repository.runs_of(tx, [row["model_id"] for row in rows])
    return [
        repository.view_of(row, runs[row["model_id"]], is_owned=row["user_id"] == caller.user_id, with_runs=False)
        for row in rows
    ]


def get_visible(tx: Connection, caller: Caller, model_id: str) -> ModelView:
    """One model: whole, with its runs, for its owner; less for a member of an organisation it is shared with."""
    row = _visible_row(tx, caller, model_id)
    runs = repository.runs_of_model(tx, model_id)
    return repository.view_of_read(row, runs, is_owned=row["user_id"] == caller.user_id, with_runs=True)


def resolve_uri(tx: Connection, caller: Caller, uri: str, base: Base | str) -> AdapterRef:
    """The adapter behind a ``custom_model_uri``, for a caller, on the resident base (or its identity).

    ``InvalidRequest``: another form, or trained on another base. ``NotFound``: absent, archived or not the caller's
    to use; the three cannot be told apart. ``Lost``: its weights were found missing or damaged.
    """
    row = _usable_row(tx, caller, uri)
    if row is None:
        raise NotFound(f"There is no custom model {uri}, or none that you may use.")
    resident = base if isinstance(base, str) else base.identity
    if row["base"] != resident:
        raise InvalidRequest(
            f"The custom model {uri} was trained on the base {row['base']}, but this server draws with {resident}. "
            "Train it again here, or ask a server that runs its base.",
            field="custom_model_uri",
        )
    if row["unavailable_reason"] is not None:
        raise availability.unavailable()
    return AdapterRef(sha256=row["adapter_sha256"], size_bytes=row["adapter_bytes"])


def base_of_uri(tx: Connection, caller: Caller, uri: str) -> str | None:
    """The identity of the base that a custom model draws with; None where ``resolve_uri`` would find no such model."""
    row = _usable_row(tx, caller, uri)
    return None if row is None else str(row["base"])


def learned_lettering(tx: Connection, uri: str) -> bool | None:
    """Whether any caption that the model of a uri was trained with has words to be written; None where no run tells.

    Call it for a uri that was resolved for its caller.
    """
    row = repository.model_of_uri(tx, *parse_uri(uri))
    runs = repository.runs_of_model(tx, row["promoted_from"] or row["model_id"]) if row else ()
    told = [run["scores"][WITH_LETTERING] for run in runs if WITH_LETTERING in run["scores"]]
    return any(told) if told else None


def id_of(tx: Connection, uri: str) -> str | None:
    """The id of the model that has this uri, whoever asks: for rows and logs, not for answers."""
    row = repository.model_of_uri(tx, *parse_uri(uri))
    return None if row is None else str(row["model_id"])


def weights_of(tx: Connection, caller: Caller, model_id: str) -> AdapterRef:
    """The adapter that the owner may download, also once the model is archived. ``Conflict`` while there is none."""
    row = owned_row(tx, caller, model_id)
    if row["adapter_sha256"] is None:
        raise Conflict(f"This model has no weights: it is {row['status']}. Weights exist once it is COMPLETED.")
    return AdapterRef(sha256=row["adapter_sha256"], size_bytes=row["adapter_bytes"])


def share(tx: Connection, caller: Caller, model_id: str, organization_id: str) -> ModelView:
    """Let an organisation see and use the model; again is the same as once. Its owner must be a member of it."""
    row = owned_row(tx, caller, model_id)
    if not is_member(tx, organization_id, caller.user_id):
        raise NotFound("There is no organisation of that organization_id with you as a member.")
    if row["status"] == "ARCHIVED":
        raise Conflict("This model is archived; only a model that is not can be shared.")
    if repository.add_share(tx, model_id, organization_id):
        record(tx, Actor.of(caller), "model.shared", model_id, organization_id)
        repository.update_model(tx, model_id, {})
    return get_visible(tx, caller, model_id)


def unshare(tx: Connection, caller: Caller, model_id: str, organization_id: str | None = None) -> None:
    """Take the model back from an organisation (None: from all). Nothing happens where it is not shared."""
    owned_row(tx, caller, model_id)
    if repository.remove_shares(tx, model_id, organization_id):
        record(tx, Actor.of(caller), "model.unshared", model_id, organization_id)
        repository.update_model(tx, model_id, {})


def archive(tx: Connection, caller: Caller, model_id: str) -> ModelView:
    """Archive a model: its uri answers no generation from now on, its owner still reads it. Again is the same as once.

    A training that still goes on is cancelled first, and at once: its job ends here, so that its worker has lost its
    lease and can write nothing more. Its checkpoints are not kept any longer.
    """
    row = owned_row(tx, caller, model_id)
    if not is_final_model(row["status"]):
        stop_for_good(tx, model_id)
    if row["status"] != "ARCHIVED":
        set_status(tx, model_id, "ARCHIVED")
        forget_checkpoints(tx, model_id)
    return get_visible(tx, caller, model_id)


def _visible_row(tx: Connection, caller: Caller, model_id: str) -> repository.Row:
    row = repository.model_row(tx, model_id)
    if not _may_see(tx, caller, row) or row is None:
        raise not_found()
    return row


def _usable_row(tx: Connection, caller: Caller, uri: str) -> repository.Row | None:
    row = repository.model_of_uri(tx, *parse_uri(uri))
    if not _may_see(tx, caller, row) or row is None or row["status"] != "COMPLETED":
        return None
    return row


def owned_row(tx: Connection, caller: Caller, model_id: str) -> repository.Row:
    """The row of a model that the caller owns; ``Forbidden`` for one that is only shared with the caller."""
    row = _visible_row(tx, caller, model_id)
    if row["user_id"] != caller.user_id:
        raise Forbidden("This model is shared with you; only its owner may do that.")
    return row


def _may_see(tx: Connection, caller: Caller, row: repository.Row | None) -> bool:
    """For a model that is not there the shares are asked all the same: how long an answer takes tells nobody which."""
    if row is not None and row["user_id"] == caller.user_id:
        return True
    return repository.is_shared_with(tx, caller, row["model_id"] if row is not None else "")
