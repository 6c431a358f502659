"""Where blobs are kept, and whether all are there."""

import os
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.exc import DBAPIError

from linocut.cli.checks.finding import Finding
from linocut.cli.checks.records import is_new, opened
from linocut.db import schema
from linocut.errors import Internal, InvalidRequest, LinocutError, Unavailable
from linocut.folders import trouble_with
from linocut.settings import Settings
from linocut.storage.store import Store, folder_of


def storage(settings: Settings) -> Finding:
    """Whether blobs can be kept."""
    try:
        folder = folder_of(settings.storage_url or settings.data.absolute() / "store")
    except InvalidRequest as wrong:
        return Finding("storage", False, wrong.message, "Mend LINOCUT_STORAGE_URL (docs/settings.md).")
    if folder is None:
        return _bucket(settings.storage_url)
    if trouble := trouble_with(folder):
        mend = "Set LINOCUT_STORAGE_URL to a folder that this user may write to."
        if not settings.storage_url:
            mend = (trouble_with(settings.data) or trouble)[1]
        return Finding("storage", False, trouble[0], mend)
    found = f"{folder}" if folder.exists() else f"{folder}, made by the first `linocut serve`"
    return Finding("storage", True, found)


def blobs(settings: Settings) -> Finding:
    """Every stored file that a row names, read: whole, missing or damaged. Models are marked by what is found."""
    from linocut.workers import inventory  # late: it is seldom asked for

    where = settings.storage_url or str(settings.data.absolute() / "store")
    if is_new(settings):
        return Finding("blobs", True, "none yet")
    if not (settings.storage_url or Path(where).is_dir()):
        return Finding("blobs", False, f"there is no {where}", f"Put {where} back from a backup (docs/backups.md).")
    try:
        with closing(opened(settings)) as db:
            with db.read() as tx:
                version = schema.version(tx)
            if version != schema.HEAD:
                return Finding("blobs", False, "cannot be looked at: see database", "Mend the database first.")
            found = inventory.take(db, Store.open(where))
    except (LinocutError, DBAPIError, ModuleNotFoundError) as error:
        said = error.message if isinstance(error, LinocutError) else "the database does not answer"
        return Finding("blobs", False, f"cannot be looked at: {said}", "Mend the database and the storage first.")
    back = "".join(f"\n      back: the weights of model {model_id}" for model_id in found.back)
    if not found.missing:
        return Finding("blobs", True, f"{found.files} stored files, all whole{back}")
    lines = [f"      {one.how}: {', '.join(one.whose)} ({one.sha256})" for one in found.missing]
    told = f"{len(lines)} of {found.files} stored files are missing or damaged:\n" + "\n".join(lines) + back
    mend = f"Put them back into {where} from a backup (docs/backups.md), then: linocut doctor --blobs"
    return Finding("blobs", False, told, f"{mend}   (or upload the pictures again, and train the models again)")


def _bucket(url: str) -> Finding:
    """A bucket that answers, takes the credentials, and lets an object be written, read and deleted (it is)."""
    from linocut.storage.remote import RemoteStore

    bucket = f"s3://{urlsplit(url).netloc}"
    try:
        failed = RemoteStore.open(url).try_out()
    except InvalidRequest as wrong:
        verb = "mb" if wrong.details["field"] == "LINOCUT_STORAGE_URL" else "ls"
        mend = f"aws s3 {verb} {bucket}   (with the same AWS_* variables)"
        return Finding("storage", False, wrong.message, mend)
    except Unavailable:
        mend = f"curl -sS {_endpoint()}   (who answers there; AWS_ENDPOINT_URL names another)"
        return Finding("storage", False, f"{url} does not answer", mend)
    except Internal as broken:
        return Finding("storage", False, broken.message, "Set LINOCUT_STORAGE_URL to another bucket or to a folder.")
    if failed:
        mend = f"Allow this key s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on {bucket}"
        return Finding("storage", False, f"{url}: an object could not be {failed} there", mend)
    return Finding("storage", True, f"{url} answers; an object was written, read and deleted")


def _endpoint() -> str:
    named = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT")
    return named or f"https://s3.{os.environ.get('AWS_REGION', 'us-east-1')}.amazonaws.com"
