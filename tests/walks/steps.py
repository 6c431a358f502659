"""The steps that walks are made of, over HTTP only."""

import time
from typing import Any

import httpx2
from tests.api.live import Account
from tests.api.pictures import png, zipped

V3_TRAIN = "/v1/ideogram-v3/train-model"
V3_GENERATE = "/v1/ideogram-v3/generate"
V4_GENERATE = "/v1/ideogram-v4/generate"
MAGIC_PROMPT = "/v1/ideogram-v4/magic-prompt"


FEWEST = 4
"""Pictures that the servers of these walks ask for before they train."""


def fill(account: Account, pictures: int = FEWEST) -> str:
    """A new dataset with so many captioned pictures, half of them in a ZIP; its id."""
    dataset_id = str(ok(account.http.post("/datasets", json={"name": "Tea posters"}))["dataset_id"])
    half = pictures // 2
    files: list[tuple[str, tuple[str, bytes]]] = []
    for number in range(half):
        files += [("files", (f"p{number}.png", png(number))), ("files", (f"p{number}.txt", b"a tea poster"))]
    rest = {f"z{number}.png": png(number) for number in range(half, pictures)} | {
        f"z{half}.txt": b"a tea poster, green"
    }
    files.append(("files", ("rest.zip", zipped(rest))))
    report = ok(account.http.post(f"/datasets/{dataset_id}/upload_assets", files=files))
    assert report["success_count"] == pictures
    return dataset_id


def train(account: Account, dataset_id: str, name: str = "Tea posters", **given: Any) -> str:
    """Start the plain training; the model's id."""
    body = {"dataset_id": dataset_id, "model_name": name, **given}
    return str(ok(account.http.post(V3_TRAIN, json=body))["model_id"])


def model(account: Account, model_id: str) -> dict[str, Any]:
    """The model as it is now."""
    return dict(ok(account.http.get(f"/models/{model_id}"))["model"])


def finish(account: Account, model_id: str, seconds: float = 60) -> dict[str, Any]:
    """Poll until the training has ended; the model then. Statuses only ever go forward meanwhile."""
    order = ["CREATING", "TRAINING", "COMPLETED", "ERRORED", "ARCHIVED"]
    deadline, reached = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        now = model(account, model_id)
        assert order.index(now["status"]) >= reached
        reached = order.index(now["status"])
        if reached >= 2:
            return now
        time.sleep(0.03)
    raise TimeoutError(f"the training did not end: {now}")


def trained(account: Account, name: str = "Tea posters") -> dict[str, Any]:
    """A model that is COMPLETED, its last previews too: its events have ended."""
    done = finish(account, train(account, fill(account), name))
    assert done["status"] == "COMPLETED"
    assert account.http.get(f"/models/{done['model_id']}/events").status_code == 200
    return model(account, done["model_id"])


def ok(response: httpx2.Response) -> dict[str, Any]:
    """The body of a 200."""
    assert response.status_code == 200, response.text
    return dict(response.json())
