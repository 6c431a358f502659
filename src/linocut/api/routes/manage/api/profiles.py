"""/manage/api/profiles: the caller in each of their organisations."""

from sqlalchemy import Connection

from linocut.accounts import keys, members, organizations
from linocut.api.call import Call
from linocut.api.operation import Operation, Reads
from linocut.api.translate import people
from linocut.wire import ApiProfile, GetApiProfilesResponse


def get(call: Call, tx: Connection) -> GetApiProfilesResponse:
    """One profile an organisation, the one joined first comes first. A member sees their own keys, an admin all."""
    return GetApiProfilesResponse(
        profiles=[_profile(call, tx, one) for one in organizations.organizations_of(tx, call.caller.user_id)]
    )


def _profile(call: Call, tx: Connection, organization_id: str) -> ApiProfile:
    role = members.role_of(tx, organization_id, call.caller.user_id) or "MEMBER"
    whose = call.caller.user_id if role == "MEMBER" else None
    listed = keys.list_keys(tx, user_id=whose, organization_id=organization_id)
    mine = organizations.organization(tx, organization_id)
    alone = len(members.listed(tx, organization_id)) == 1
    return ApiProfile(
        type="INDIVIDUAL" if alone else "TEAM_API",
        name=mine.name,
        organization_id=organization_id,
        role=role,
        api_keys=[people.key(one) for one in listed if one.revoked_at is None],
        is_metronome_2_user=False,
        max_num_inflight_requests_permitted=call.runtime.settings.max_images_in_flight,
        copyright_detection_enabled=mine.detects_copyright,
    )


GET = Operation(
    "get_api_profiles", "Yourself in each of your organisations, with the keys that you may see", "manage", Reads(get),
    answer=GetApiProfilesResponse, refusals=(403,),
)  # fmt: skip
