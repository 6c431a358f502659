"""Lists that are long hold up nobody: they are read and written beside the loop. /readyz tells hung from loading."""

import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from tests.api.live import Account, Live, running

from linocut.runtime import ready_folder


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/models", "linocut.custom_models.service.list_visible"),
        ("/models", "linocut.api.routes.models.ListModelsResponse"),
        ("/datasets", "linocut.datasets.service.list_for"),
        ("/datasets", "linocut.api.routes.datasets.ListDatasetsResponse"),
        ("/datasets/{dataset}", "linocut.datasets.service.get"),
        ("/datasets/{dataset}", "linocut.api.routes.datasets._dataset_id.dataset_detail"),
    ],
)
def test_a_list_that_takes_long_holds_up_nobody(
    live: Live, account: Account, monkeypatch: pytest.MonkeyPatch, path: str, what: str
) -> None:
    """Neither the reading of the rows nor the writing of the answer is done on the loop."""
    dataset = account.http.post("/datasets", json={"name": "x"}).json()["dataset_id"]
    begun, may_end = threading.Event(), threading.Event()
    module, _, name = what.rpartition(".")
    work: Callable[..., object] = getattr(__import__(module, fromlist=[name]), name)

    def slow(*arguments: object, **named: object) -> object:
        begun.set()
        assert may_end.wait(60)
        return work(*arguments, **named)

    monkeypatch.setattr(what, slow)
    answers: list[httpx2.Response] = []
    asking = threading.Thread(target=lambda: answers.append(account.http.get(path.format(dataset=dataset))))
    asking.start()
    try:
        assert begun.wait(60)
        assert live.public.get("/healthz", timeout=10).status_code == 200
        headers = {"Api-Key": account.api_key}
        assert live.public.get("/models/none", headers=headers, timeout=10).status_code == 404
    finally:
        may_end.set()
        asking.join()
    assert answers[0].status_code == 200


def test_a_stranger_is_refused_a_list_all_the_same(live: Live) -> None:
    for path in ("/models", "/datasets", "/datasets/none"):
        assert live.public.get(path, headers={"Api-Key": "wrong"}).status_code == 401
    assert live.account().http.get("/datasets/none").status_code == 404


def test_readyz_tells_hung_from_loading(tmp_path: Path) -> None:
    with running(tmp_path, engine_silent_seconds=5.0) as live:
        loading = live.public.get("/readyz")
        assert (loading.status_code, "still loading" in loading.json()["error"]) == (503, True)
        file = ready_folder(live.settings) / "hung"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            assert live.public.get("/readyz").status_code == 200
            os.utime(file, (time.time() - 6, time.time() - 6))
            hung = live.public.get("/readyz")
            assert (hung.status_code, hung.json()["error"]) == (
                503, "No engine has turned for 5 seconds: it hangs, or one pass takes longer than that.",
            )  # fmt: skip
            assert "linocut_ready 0" in live.public.get("/metrics").text
            os.utime(file)
            assert live.public.get("/readyz").status_code == 200
