"""/v1/.well-known/jwks.json: the public keys that webhooks are signed with."""

import msgspec
from starlette.responses import Response

from linocut import ids
from linocut.api.body import JSON
from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.webhooks import keys
from linocut.wire import JsonWebKey, JsonWebKeySet

CACHED_SECONDS = 3600


async def get(call: Call) -> Response:
    """The keys; the first one is made when it is first asked for."""
    found = await call.db.run_read(lambda tx: keys.published(tx, ids.now()))
    if not found:
        await call.db.run_write(keys.ensure)
        found = await call.db.run_read(lambda tx: keys.published(tx, ids.now()))
    answer = JsonWebKeySet(keys=[JsonWebKey(kid=one.key_id, x=one.public) for one in found])
    headers = {"Cache-Control": f"public, max-age={CACHED_SECONDS}"}
    return Response(msgspec.json.encode(answer), headers=headers, media_type=JSON)


GET = Operation(
    "get_webhook_keys", "The public keys that webhooks are signed with", "generate", Serves(get),
    answer=JsonWebKeySet, key_needed=False, ours=True,
)  # fmt: skip
