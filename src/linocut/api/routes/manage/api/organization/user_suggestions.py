"""/manage/api/organization/user_suggestions: whom one might mean."""

from sqlalchemy import Connection

from linocut.accounts import members, people
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.errors import InvalidRequest
from linocut.wire import ApiOrganizationUserSuggestion, GetApiOrganizationUserSuggestionsResponse
from linocut.wire.people import UserSuggestionsQuery
from linocut.wire.types import UNSET

MOST = 50


def get(call: Call, tx: Connection) -> GetApiOrganizationUserSuggestionsResponse:
    """Users of this server whose handle begins so: for whoever may add members."""
    query = call.query(UserSuggestionsQuery)
    members.require(tx, query.organization_id, call.caller.user_id, "ADMIN")
    if not 1 <= query.maxItems <= MOST:
        raise InvalidRequest(f"maxItems must be 1 to {MOST}.", field="maxItems")
    found = people.suggestions(tx, query.user_handle_prefix, query.maxItems)
    return GetApiOrganizationUserSuggestionsResponse(
        user_suggestions=[
            ApiOrganizationUserSuggestion(
                display_handle=one.handle,
                joined=members.role_of(tx, query.organization_id, one.user_id) is not None,
                name=one.full_name or UNSET,
            )
            for one in found
        ]
    )


GET = Operation(
    "get_api_organization_user_suggestions", "Users whose handle begins so", "manage", Reads(get),
    query=UserSuggestionsQuery, answer=GetApiOrganizationUserSuggestionsResponse, refusals=(403, 404),
)  # fmt: skip
