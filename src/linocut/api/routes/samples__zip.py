"""/samples.zip: the twenty posters of ``linocut demo`` with their captions, to try a training with."""

import io
import zipfile
from functools import cache

from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.samples import PICTURES

MEDIA_TYPE = "application/zip"
_MADE = (2026, 1, 1, 0, 0, 0)
"""One date for every file: the archive is the same bytes wherever it is made."""


async def samples(call: Call) -> Response:
    """The archive, as a dataset takes it."""
    await call.db.run_read(lambda _tx: None)  # the key, looked up as late as for everything else
    headers = {
        "Content-Disposition": 'attachment; filename="kettle-and-fern.zip"',
        "Cache-Control": "private, max-age=3600",
    }
    return Response(_archive(), headers=headers, media_type=MEDIA_TYPE)


@cache
def _archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(PICTURES.iterdir()):
            archive.writestr(zipfile.ZipInfo(path.name, _MADE), path.read_bytes())
    return packed.getvalue()


GET = Operation(
    "sample_pictures", "Twenty sample posters with captions, to try a training with", "datasets", Serves(samples),
    answer=MEDIA_TYPE, ours=True,
)  # fmt: skip
