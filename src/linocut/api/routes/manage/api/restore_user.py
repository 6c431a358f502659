"""/manage/api/restore_user: somebody who removed themselves comes back."""

from linocut.api.call import Call
from linocut.api.operation import Operation, Works
from linocut.api.signing_in import whose_password
from linocut.errors import Unauthenticated
from linocut.leaving import departures
from linocut.wire import RestoreUserRequest


async def restore(call: Call, ask: RestoreUserRequest) -> None:
    """With the password of then, limited as signing in is; they sign in after that. Whoever has no password asks the
    server's operator."""
    account = ask.account
    user_id = await whose_password(
        call, account, ask.password, lambda tx: departures.leaving_account(tx, account) or (None, None)
    )
    if user_id is None:
        raise Unauthenticated("Nobody of that account and password is being removed.")
    await call.db.run_write(lambda tx: departures.restore_user(tx, user_id, call.actor))


POST = Operation(
    "restore_user", "Come back while you are being removed", "manage", Works(restore), body=RestoreUserRequest,
    refusals=(401, 404, 409, 429), key_needed=False, ours=True,
)  # fmt: skip
