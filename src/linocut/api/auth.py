"""Who is asking. Looked at before anything of the body: a stranger's gigabyte is never read."""

from collections.abc import Callable

from sqlalchemy import Connection
from starlette.datastructures import Headers

from linocut.accounts import keys
from linocut.accounts.types import Caller
from linocut.errors import Unauthenticated
from linocut.runtime import Runtime

LookUp = Callable[[Connection], Caller]


def look_up(headers: Headers, runtime: Runtime) -> LookUp:
    """Finds whose key came in ``Api-Key`` (or as a bearer token: FACTS 11), in any snapshot or transaction.

    It raises ``Unauthenticated`` for a key that is none, or none any more. So does this, when no key was sent.
    """
    key = headers.get("api-key", "").strip() or _bearer(headers.get("authorization", ""))
    if not key:
        raise Unauthenticated
    return lambda tx: keys.authenticate(tx, key, runtime.digest_secret)


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
