"""An S3 bucket as an object store. Credentials and endpoint come from the usual ``AWS_*`` variables (docs/settings.md).

Nothing here waits for minutes: every request has time-outs, few retries and an end, and what the store fails at is told
as ``Unavailable``. A store that comes back is used at the next call; nothing remembers that it was gone.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import MemoryStore, S3Store

from linocut.errors import Internal, InvalidRequest, Unavailable
from linocut.observe import log
from linocut.storage.keys import BLOBS
from linocut.storage.local import PIECE_BYTES

CONNECT_SECONDS = 3.0
QUIET_SECONDS = 10.0
"""How long the store may keep silent within one request."""
REQUEST_SECONDS = 120.0
"""The longest whole request: a large file over a slow line."""
RETRIES, RETRY_SECONDS = 3, 5.0
"""More tries after a failed one, none once so much time has passed."""
HASTY_SECONDS = 3.0
"""The longest look or removal, tries and all about twice that. Every writer of the database waits for some of these."""

REFUSED = "The object store refuses this server's credentials; its operator must renew them."
NO_BUCKET = "The server's bucket is gone from its object store; its operator must make it again."
NO_ANSWER = "The server's object store does not answer; try again shortly."


class RemoteStore:
    """The same verbs as ``LocalStore``, on a bucket. A put is durable once it is acknowledged.

    ``hasty`` is the same bucket with shorter time-outs, for the quick verbs.
    """

    def __init__(self, bucket: S3Store | MemoryStore, hasty: S3Store | MemoryStore | None = None) -> None:
        self._bucket = bucket
        self._hasty = hasty or bucket

    @classmethod
    def open(cls, url: str) -> "RemoteStore":
        """The store at ``s3://bucket/prefix``. One that does not answer is opened all the same: it may come back.

        ``InvalidRequest`` when it answers that the credentials are wrong or that there is no such bucket.
        """
        patient = {"timeout": _span(REQUEST_SECONDS), "read_timeout": _span(QUIET_SECONDS)}
        backoff = {"init_backoff": _span(0.1), "max_backoff": _span(1.0), "base": 2}
        retries = {"max_retries": RETRIES, "backoff": backoff}
        bucket = _bucket(url, patient, {**retries, "retry_timeout": _span(RETRY_SECONDS)})
        hasty = _bucket(
            url, {"timeout": _span(HASTY_SECONDS)}, {**retries, "retry_timeout": _span(HASTY_SECONDS * 0.9)}
        )
        _check(hasty, url)
        return cls(bucket, hasty)

    def write(self, key: str, data: bytes) -> None:
        """Put ``data`` at ``key``, also where it lies already: that renews its age."""
        try:
            with _told():
                self._bucket.put(key, data)
        except FileNotFoundError as gone:
            raise Unavailable(NO_BUCKET) from gone

    def read(self, key: str) -> bytes:
        """The bytes at ``key``; ``FileNotFoundError``."""
        with _told():
            return bytes(self._bucket.get(key).bytes())

    def pieces(self, key: str) -> Iterator[bytes]:
        """The bytes at ``key``, as they come; ``FileNotFoundError`` before the first."""
        with _told():
            for piece in self._bucket.get(key).stream(min_chunk_size=PIECE_BYTES):
                yield bytes(piece)

    def written_at(self, key: str) -> datetime | None:
        """When ``key`` was last written; None when nothing lies there."""
        try:
            with _told():
                written_at: datetime = self._hasty.head(key)["last_modified"]
        except FileNotFoundError:
            return None
        return written_at

    def listing(self) -> Iterator[tuple[str, datetime]]:
        """Every key with the moment it was last written, a page of the store's at a time."""
        with _told():
            for page in self._bucket.list(f"{BLOBS}/"):
                yield from ((found["path"], found["last_modified"]) for found in page)

    def delete(self, key: str) -> None:
        """Remove ``key``; nothing happens when there is none."""
        try:
            with _told():
                self._hasty.delete(key)
        except FileNotFoundError:
            return

    def sweep(self, older_than_seconds: float) -> int:
        """Nothing to do: an upload that was cut off leaves no object."""
        return 0

    def try_out(self) -> str | None:
        """Write, read and delete an object of its own: what could not be done with it, None when all could.

        ``Unavailable`` when the store does not answer; ``Internal`` when other bytes come back than were written.
        """
        key, data = f"check/{secrets.token_hex(16)}", secrets.token_bytes(1024)
        doing, read = "written", b""
        try:
            with _told():
                self._hasty.put(key, data)
                doing = "read"
                read = bytes(self._hasty.get(key).bytes())
                doing = "deleted"
                self._hasty.delete(key)
        except FileNotFoundError:
            pass
        except Unavailable as trouble:
            if doing == "written" and trouble.message != REFUSED:
                raise
            return doing  # what answers the one and not the other does not allow it: services tell it in many ways
        if read != data:
            raise Internal("The object store gives other bytes back than were written; keep nothing in it.")
        return None


def _span(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _bucket(url: str, times: dict[str, timedelta], retries: dict[str, object]) -> S3Store:
    # Who names an endpoint that begins with http:// means it; there is no second setting to say so.
    options = {"connect_timeout": _span(CONNECT_SECONDS), "allow_http": True, **times}
    return S3Store.from_url(url, client_options=options, retry_config=retries)


def _check(bucket: S3Store, url: str) -> None:
    """Ask for what is not there: the way in which the store says no tells whether it would ever say yes."""
    try:
        with _told():
            bucket.get("check")
    except FileNotFoundError as absent:
        if "NoSuchBucket" in str(absent):
            raise InvalidRequest(
                f"The object store has no bucket {urlsplit(url).netloc}; make it, or correct LINOCUT_STORAGE_URL.",
                field="LINOCUT_STORAGE_URL",
            ) from absent
    except Unavailable as trouble:
        if trouble.message == REFUSED:
            raise InvalidRequest(
                f"The object store refuses the credentials for {url}; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY "
                "and AWS_REGION, and that they may list, read, write and delete there.",
                field="AWS_SECRET_ACCESS_KEY",
            ) from trouble


@contextmanager
def _told() -> Iterator[None]:
    """The store's faults as ``Unavailable``, their details in the log; ``FileNotFoundError`` stays as it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (PermissionDeniedError, UnauthenticatedError) as refused:
        log("storage").error("the object store refuses the credentials", error=_short(refused))
        raise Unavailable(REFUSED) from refused
    except (BaseError, OSError) as trouble:
        log("storage").warning("the object store failed", error=_short(trouble))
        raise Unavailable(NO_ANSWER) from trouble


def _short(error: Exception) -> str:
    """The library's first lines; what follows is its inner structure."""
    return str(error).partition("\n\nDebug source")[0][:1000]
