"""Who is asking. Looked at before anything of the body: a stranger's gigabyte is never read."""

from starlette.datastructures import Headers

from linocut.accounts import keys
from linocut.accounts.types import Caller
from linocut.errors import Unauthenticated
from linocut.runtime import Runtime


async def caller_of(headers: Headers, runtime: Runtime) -> Caller:
    """The caller whose key stands in ``Api-Key`` (or as a bearer token: FACTS 11). ``Unauthenticated``."""
    key = key_in(headers)
    return await runtime.db.run_read(lambda tx: keys.authenticate(tx, key, runtime.digest_secret))


def key_in(headers: Headers) -> str:
    """The text of the key that was sent, unchecked. ``Unauthenticated`` when there is none."""
    key = headers.get("api-key", "").strip() or _bearer(headers.get("authorization", ""))
    if not key:
        raise Unauthenticated
    return key


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
