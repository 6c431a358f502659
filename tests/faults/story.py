"""What a client does through all the crashes, and what it was promised: every acknowledged answer is remembered."""

import io
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx2
import numpy as np
from PIL import Image

GIVEN_UP = "The engine stopped 3 times at this work"
"""How an answer begins that says what is promised of a generation whose engine died three times under it: no image, but
a sentence. How often random kills hit one image three times depends on the disk and the cores; clients ask again."""

RANK = {"CREATING": 0, "TRAINING": 1, "COMPLETED": 2, "ERRORED": 2, "ARCHIVED": 3}
IMAGES = 15


def picture(number: int) -> bytes:
    """A small PNG, different for every number."""
    pixels = np.random.default_rng(number).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((48, 48)).save(stream, "PNG")
    return stream.getvalue()


@dataclass
class Promises:
    """What the server acknowledged."""

    datasets: dict[str, set[str]] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)  # model_id -> the highest status seen
    links: list[str] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)


class Client(threading.Thread):
    """Creates, uploads, trains and draws, again and again, until told to stop; a failed call is tried again."""

    def __init__(self, url: str, api_key: str, promises: Promises, seed: int) -> None:
        super().__init__(daemon=True)
        self.promises, self.random = promises, random.Random(seed)
        self.http = httpx2.Client(base_url=url, headers={"Api-Key": api_key}, timeout=10.0)
        self.stopping = threading.Event()
        self.broken: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.cut = self.given_up = 0

    def run(self) -> None:
        try:
            while not self.stopping.is_set():
                self.live_once()
        except AssertionError as broken:
            self.broken.append(str(broken))

    def live_once(self) -> None:
        """One dataset, one or two models of it, and an image of each."""
        answer = self.call("POST", "/datasets", json={"name": "through the crashes"})
        if answer is None:
            return
        dataset_id = answer["dataset_id"]
        with self.promises.guard:
            self.promises.datasets[dataset_id] = set()
        numbers = [self.random.randrange(10**9) for _ in range(IMAGES)]
        for part in (numbers[:7], numbers[7:]):
            self.upload(dataset_id, part)
        for _ in range(self.random.randint(1, 2)):
            self.train(dataset_id)

    def upload(self, dataset_id: str, numbers: list[int]) -> None:
        files = [("files", (f"{n}.png", picture(n), "image/png")) for n in numbers]
        report = self.call("POST", f"/datasets/{dataset_id}/upload_assets", files=files)
        if report is not None:
            assert report["success_count"] == len(numbers), report
            with self.promises.guard:
                self.promises.datasets[dataset_id] |= {a["file_name"] for a in report["successful_assets"]}

    def train(self, dataset_id: str) -> None:
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        body = {"dataset_id": dataset_id, "model_name": f"Model {self.random.randrange(10**6)}", "training_steps": 100}
        started = self.call("POST", "/v1/ideogram-v3/train-model-advanced", json=body, headers=headers)
        if started is None:
            return
        with self.promises.guard:
            self.promises.models[started["model_id"]] = "CREATING"
        while not self.stopping.is_set():
            answer = self.call("GET", f"/models/{started['model_id']}")
            if answer is None:
                return
            model = answer["model"]
            self.promised_status(model)
            if model["status"] in ("COMPLETED", "ERRORED"):
                break
            time.sleep(0.05)
        else:
            return
        if model["status"] == "COMPLETED":
            drawn = self.call(
                "POST",
                "/v1/ideogram-v3/generate",
                json={"prompt": "a cat", "custom_model_uri": model["custom_model_uri"]},
            )
            if drawn is not None:
                with self.promises.guard:
                    self.promises.links += [image["url"] for image in drawn["data"]]

    def promised_status(self, model: dict[str, Any]) -> None:
        """No status goes backwards, and COMPLETED is never half visible."""
        with self.promises.guard:
            before = self.promises.models[model["model_id"]]
            assert RANK[model["status"]] >= RANK[before], f"{before} became {model['status']}"
            self.promises.models[model["model_id"]] = model["status"]
        complete = model["status"] == "COMPLETED"
        assert bool(model.get("custom_model_uri")) == complete, model
        assert model["is_available_for_generation"] == complete, model

    def call(self, method: str, path: str, **how: Any) -> dict[str, Any] | None:
        """The answer, trying again through crashes; None when the thread is told to stop."""
        while not self.stopping.is_set():
            try:
                answer = self.http.request(method, path, **how)
            except httpx2.TransportError:
                self.cut += 1
                time.sleep(0.1)
                continue
            self.statuses[answer.status_code] += 1
            if answer.status_code in (503, 429):
                assert int(answer.headers["retry-after"]) >= 1
                time.sleep(0.1)
                continue
            if answer.status_code == 500 and str(answer.json().get("error")).startswith(GIVEN_UP):
                self.given_up += 1
                continue
            assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
            return dict(answer.json())
        return None


def check_promises(url: str, api_key: str, promises: Promises) -> None:
    """Everything acknowledged is still there, whole."""
    with promises.guard:
        datasets = {k: set(v) for k, v in promises.datasets.items()}
        models, links = dict(promises.models), list(promises.links)
    with httpx2.Client(base_url=url, headers={"Api-Key": api_key}, timeout=10.0) as http:
        for dataset_id, names in datasets.items():
            detail = http.get(f"/datasets/{dataset_id}").raise_for_status().json()
            listed = [file["file_name"] for file in detail["files"]]
            assert names <= set(listed)
            assert len(listed) == len(set(listed)) == detail["file_count"]
        for model_id, seen in models.items():
            model = http.get(f"/models/{model_id}").raise_for_status().json()["model"]
            assert RANK[model["status"]] >= RANK[seen]
        for link in links:
            Image.open(io.BytesIO(httpx2.get(link, timeout=10.0).raise_for_status().content)).load()
