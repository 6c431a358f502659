"""Train custom models, follow them, use them and share them."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from linocut.client.connection import Answer, Connection, segment

UPLOAD_SECONDS = 600.0
"""A LoRA may have hundreds of megabytes."""
FINAL_STATUSES = frozenset({"COMPLETED", "ERRORED", "ARCHIVED"})


class Training(Connection):
    """The methods of the train routes, of ``/models`` and of ``/bases``."""

    def train(
        self,
        dataset_id: str,
        model_name: str,
        *,
        api: str = "v3",
        idempotency_key: str | None = None,
        dataset_kind: str | None = None,
    ) -> Answer:
        """POST /v1/ideogram-{api}/train-model with the server's own recipe; ``dataset_kind``: style, subject or
        character."""
        body = {"dataset_id": dataset_id, "model_name": model_name, **_extras(dataset_kind)}
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self.json_of("POST", f"/v1/ideogram-{api}/train-model", json=body, headers=headers)

    def train_advanced(
        self,
        dataset_id: str,
        model_name: str,
        *,
        api: str = "v3",
        idempotency_key: str | None = None,
        dataset_kind: str | None = None,
        batch_size: int | None = None,
        **numbers: float,
    ) -> Answer:
        """POST …/train-model-advanced: ``numbers`` are training_steps, lora_rank, ema, learning_rate, seed."""
        body = {
            "dataset_id": dataset_id,
            "model_name": model_name,
            **_extras(dataset_kind, batch_size),
            **numbers,
        }
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self.json_of("POST", f"/v1/ideogram-{api}/train-model-advanced", json=body, headers=headers)

    def plan(
        self,
        dataset_id: str,
        model_name: str,
        *,
        api: str = "v3",
        dataset_kind: str | None = None,
        batch_size: int | None = None,
        **numbers: float,
    ) -> Answer:
        """POST …/train-model/plan: what the training would be; an advanced one with ``numbers`` or ``batch_size``."""
        advanced = "-advanced" if numbers or batch_size is not None else ""
        path = f"/v1/ideogram-{api}/train-model{advanced}/plan"
        body = {"dataset_id": dataset_id, "model_name": model_name, **_extras(dataset_kind, batch_size), **numbers}
        return self.json_of("POST", path, json=body)

    def models(self, scope: str | None = None, status: Sequence[str] = ()) -> list[Answer]:
        """GET /models -> custom models, newest first."""
        params: list[tuple[str, str]] = [("status", one) for one in status]
        if scope is not None:
            params.append(("scope", scope))
        return list(self.json_of("GET", "/models", params=params)["models"])

    def model(self, model_id: str) -> Answer:
        """GET /models/{model_id} -> the custom model."""
        return dict(self.json_of("GET", f"/models/{segment(model_id)}")["model"])

    def watch(self, model_id: str, every_seconds: float = 0.5) -> Iterator[Answer]:
        """Poll the model until its status is final; yields it each time, the final one last."""
        while True:
            model = self.model(model_id)
            yield model
            if model["status"] in FINAL_STATUSES:
                return
            time.sleep(every_seconds)

    def cancel(self, model_id: str) -> Answer:
        """POST /models/{model_id}/cancel."""
        return self.json_of("POST", f"/models/{segment(model_id)}/cancel")

    def uses(self, model_id: str) -> list[Answer]:
        """GET /models/{model_id}/uses -> who has drawn with it; for its owner."""
        return list(self.json_of("GET", f"/models/{segment(model_id)}/uses")["uses"])

    def promote(self, model_id: str, step: int) -> Answer:
        """POST /models/{model_id}/promote -> the new version, made of the checkpoint that was kept after ``step``."""
        return dict(self.json_of("POST", f"/models/{segment(model_id)}/promote", json={"step": step})["model"])

    def sharing(self, model_id: str) -> list[Answer]:
        """GET /models/{model_id}/share -> the owner's organisations, and which of them it is shared with."""
        return list(self.json_of("GET", f"/models/{segment(model_id)}/share")["organizations"])

    def share(self, model_id: str, organization_id: str) -> Answer:
        """PUT /models/{model_id}/share."""
        return self.json_of("PUT", f"/models/{segment(model_id)}/share", json={"organization_id": organization_id})

    def unshare(self, model_id: str, organization_id: str | None = None) -> None:
        """DELETE /models/{model_id}/share: take it back from the organisation, or (None) from all."""
        params = {} if organization_id is None else {"organization_id": organization_id}
        self.send("DELETE", f"/models/{segment(model_id)}/share", params=params)

    def weights(self, model_id: str, format: str | None = None) -> bytes:
        """GET /models/{model_id}/weights -> a safetensors file. ``format``: diffusers (the library's
        ``load_lora_weights`` reads it), comfyui or kohya; None: as the server stores it, as for diffusers."""
        asked = {"format": format} if format is not None else {}
        return self.send("GET", f"/models/{segment(model_id)}/weights", params=asked).content

    def card(self, model_id: str) -> str:
        """GET /models/{model_id}/card -> a README for the hub, in Markdown."""
        return self.send("GET", f"/models/{segment(model_id)}/card").text

    def import_model(
        self,
        file: Path | bytes,
        name: str,
        *,
        alpha: float | None = None,
        base: str | None = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """POST /models/import: a LoRA that was trained elsewhere, a safetensors file -> the custom model, COMPLETED.
        ``alpha``: for a file that does not say its own. ``base``: what it was trained on, of several that it fits."""
        content = file if isinstance(file, bytes) else file.read_bytes()
        parts: list[tuple[str, Any]] = [("name", (None, name.encode()))]
        if alpha is not None:
            parts.append(("alpha", (None, f"{alpha:g}".encode())))
        if base is not None:
            parts.append(("base", (None, base.encode())))
        parts.append(("file", ("lora.safetensors", content, "application/octet-stream")))
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        answer = self.json_of("POST", "/models/import", files=parts, headers=headers, timeout=UPLOAD_SECONDS)
        return dict(answer["model"])

    def delete_model(self, model_id: str) -> None:
        """DELETE /models/{model_id}: archive it."""
        self.send("DELETE", f"/models/{segment(model_id)}")

    def bases(self) -> list[Answer]:
        """GET /bases -> the base that is served, its licence and what it can do; then those that are known by name."""
        return list(self.json_of("GET", "/bases")["bases"])


def _extras(dataset_kind: str | None, batch_size: int | None = None) -> dict[str, Answer]:
    given = {"dataset_kind": dataset_kind, "batch_size": batch_size}
    extras = {name: value for name, value in given.items() if value is not None}
    return {"x_linocut": extras} if extras else {}
