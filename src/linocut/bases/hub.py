"""What a repository of the hub holds, and one file of it. The errors of huggingface_hub become sentences."""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linocut.errors import Busy, InvalidRequest

HUB = "https://huggingface.co"
TRIES = 5
"""In a row, without a byte."""
PAUSE_SECONDS = 1.0
SECONDS = 30.0
"""How long the hub may say nothing."""
_SAFE = re.compile(r"(?!.*(?:^|/)\.\.?(?:/|$))[^/\\\0][^\\\0]*")


@dataclass(frozen=True)
class HubFile:
    """A file as the hub lists it. ``sha256`` of a large one; ``blob`` (git's SHA-1 of it) of a small one."""

    path: str
    size: int
    sha256: str
    blob: str


@dataclass(frozen=True)
class Listing:
    """A repository at one commit."""

    repository: str
    commit: str
    files: tuple[HubFile, ...]


def listing(repository: str, revision: str) -> Listing:
    """The files of a repository at ``revision`` (a branch, a tag or a commit), resolved to its commit.

    ``InvalidRequest`` for one that is not there, or not open to this caller; ``Busy`` when the hub cannot be reached.
    """
    from huggingface_hub import HfApi

    with _told(repository, revision):
        found = HfApi(endpoint=_endpoint()).model_info(repository, revision=revision, files_metadata=True, timeout=30)
    files = []
    for one in found.siblings or ():
        if not _SAFE.fullmatch(one.rfilename):
            raise InvalidRequest(f"{repository} names a file outside of itself; nothing of it is fetched.")
        sha256 = str(one.lfs.sha256) if one.lfs else ""
        files.append(HubFile(one.rfilename, int(one.size or 0), sha256, str(one.blob_id or "")))
    if not found.sha:
        raise InvalidRequest(f"{repository} has no commit to pin.")
    return Listing(repository, str(found.sha), tuple(files))


def fetch(found: Listing, file: HubFile, partial: Path, moved: Callable[[int], object]) -> None:
    """Append what is missing of ``file`` to ``partial``; ``moved`` is told of bytes as they come (fewer than none: of
    bytes that have to come again). A line that breaks is taken up again a few times. ``Busy`` when that does not help;
    what has come stays, for the next time."""
    import httpx2
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    url = hf_hub_url(found.repository, file.path, revision=found.commit, endpoint=_endpoint())
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    tries = TRIES
    with _told(found.repository, found.commit), partial.open("ab") as stream:
        while (begin := stream.tell()) < file.size:
            ranged = {"Range": f"bytes={begin}-"} if begin else {}
            try:
                how: dict[str, Any] = {"follow_redirects": True, "timeout": SECONDS}
                with get_session().stream("GET", url, headers={**headers, **ranged}, **how) as answer:
                    hf_raise_for_status(answer)
                    if begin and answer.status_code != httpx2.codes.PARTIAL_CONTENT:
                        stream.truncate(0)
                        moved(-begin)
                    for piece in answer.iter_raw():
                        stream.write(piece)
                        moved(len(piece))
            except httpx2.TransportError:
                stream.flush()
                tries = TRIES if stream.tell() > begin else tries - 1
                if tries == 0:
                    raise
                time.sleep(PAUSE_SECONDS)


def _endpoint() -> str:
    """The hub's address, as its own tools take it."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


@contextmanager
def _told(repository: str, revision: str) -> Iterator[None]:
    """The library's errors as sentences; none repeats a header, a token or a signed address."""
    import httpx2
    from huggingface_hub import errors

    page = f"{_endpoint()}/{repository}"
    try:
        yield
    except errors.OfflineModeIsEnabled:
        raise InvalidRequest(
            "HF_HUB_OFFLINE forbids to fetch anything; unset it, or copy the base's folder here another way."
        ) from None
    except errors.GatedRepoError:
        raise InvalidRequest(
            f"{repository} is open only to those who have accepted its licence: accept it at {page}, make a token of "
            "that account, and set it in HF_TOKEN."
        ) from None
    except errors.RevisionNotFoundError:
        raise InvalidRequest(f"{repository} has no revision {revision}; look at {page}.") from None
    except errors.RepositoryNotFoundError:
        raise InvalidRequest(
            f"There is no repository {repository} at {_endpoint()}, or it is not open to you: check its name, and the "
            "token in HF_TOKEN if it is private."
        ) from None
    except errors.HFValidationError:
        raise InvalidRequest(f"{repository!r} is no repository; write owner/name.") from None
    except errors.HfHubHTTPError as refused:
        raise Busy(_refused(repository, refused)) from None
    except (httpx2.TransportError, httpx2.HTTPError, ConnectionError, TimeoutError):
        raise Busy(
            f"{_endpoint()} cannot be reached, or broke off. Is this machine offline? What has come is kept: ask again "
            "to go on, or copy the base's folder here another way."
        ) from None


def _refused(repository: str, error: Any) -> str:
    status = getattr(getattr(error, "response", None), "status_code", "no status")
    if status in (401, 403):
        return f"{_endpoint()} refuses {repository} ({status}): check the token in HF_TOKEN, and what it may read."
    return f"{_endpoint()} answers {status} for {repository}. What has come is kept: ask again in a while."
