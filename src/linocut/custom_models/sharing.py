"""With which organisations a model is shared, and with which its owner could share it."""

from dataclasses import dataclass

from sqlalchemy import Connection

from linocut.accounts.members import how_many
from linocut.accounts.organizations import organization, organizations_of
from linocut.accounts.types import Caller
from linocut.custom_models.repository import shared_with
from linocut.custom_models.service import owned_row


@dataclass(frozen=True)
class Sharing:
    """An organisation. ``members``: how many belong to it."""

    organization_id: str
    name: str
    members: int
    is_shared: bool


def sharing_of(tx: Connection, caller: Caller, model_id: str) -> list[Sharing]:
    """The owner's organisations, oldest membership first; then those that the model is still shared with though its
    owner has left them. ``NotFound``; ``Forbidden`` for a model that is only shared with the caller."""
    owned_row(tx, caller, model_id)
    shared = shared_with(tx, model_id)
    listed = dict.fromkeys([*organizations_of(tx, caller.user_id), *shared])
    return [Sharing(one, organization(tx, one).name, how_many(tx, one), one in shared) for one in listed]
