"""/manage/api/organization/export: all that belongs to an organisation, as one archive."""

from collections.abc import Iterator

from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from linocut.accounts.audit import record
from linocut.accounts.organizations import organization
from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.api.organization import place
from linocut.ids import now
from linocut.leaving.export import Source, export, safe
from linocut.wire.people import OrganizationQuery


async def send(call: Call) -> Response:
    """A ZIP that is made while it is sent. An owner may; the session is looked up again for each page of rows, so one
    that ends ends the archive."""

    def begin(tx: Connection) -> str:
        where = place(call, tx, "OWNER")
        record(tx, call.actor, "organization.exported", where.organization_id, where.organization_id)
        return where.organization_id

    organization_id = await call.db.run_write(begin)
    name = await call.db.run_read(lambda tx: organization(tx, organization_id).name)
    headers = {
        "Content-Disposition": f'attachment; filename="{safe(name)}-{now():%Y-%m-%d}.zip"',
        "Cache-Control": "no-store",
    }
    pieces: Iterator[bytes] = export(Source(call.db, call.runtime.store), organization_id)
    return StreamingResponse(pieces, headers=headers, media_type="application/zip")


GET = Operation(
    "export_organization", "Export an organisation's data as an archive", "manage", Serves(send),
    query=OrganizationQuery, answer="application/zip", answers_head=False, refusals=(403, 404), ours=True,
)  # fmt: skip
