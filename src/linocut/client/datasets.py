"""Datasets: make them, fill them, look at them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from linocut.client.connection import Answer, Connection, segment

_UPLOAD_SECONDS = 600.0
"""A hundred pictures of many megapixels take minutes to decode on a small machine."""


class Datasets(Connection):
    """The methods of ``/datasets``."""

    def create_dataset(self, name: str) -> Answer:
        """POST /datasets -> the Dataset."""
        return self.json_of("POST", "/datasets", json={"name": name})

    def datasets(self, search: str | None = None) -> list[Answer]:
        """GET /datasets -> Datasets, most recently updated first."""
        answer = self.json_of("GET", "/datasets", params={"search": search} if search is not None else {})
        return list(answer["datasets"])

    def dataset(self, dataset_id: str) -> Answer:
        """GET /datasets/{dataset_id} -> the dataset with its files."""
        return self.json_of("GET", f"/datasets/{segment(dataset_id)}")

    def upload(
        self, dataset_id: str, files: Sequence[Path | tuple[str, Path]], *, idempotency_key: str | None = None
    ) -> Answer:
        """POST /datasets/{dataset_id}/upload_assets, all ``files`` in one request -> what became of each.

        A file is sent under its own name, or under the one given with it, which may hold folders: ``cups/red.png``.
        """
        named = [(file.name, file) if isinstance(file, Path) else file for file in files]
        parts = [("files", (sent_name(name), path.read_bytes(), "application/octet-stream")) for name, path in named]
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        path = f"/datasets/{segment(dataset_id)}/upload_assets"
        return self.json_of("POST", path, files=parts, headers=headers, timeout=_UPLOAD_SECONDS)

    def report(self, dataset_id: str, base: str | None = None) -> Answer:
        """GET /datasets/{dataset_id}/report -> what to know of the dataset before it is trained on, on that base."""
        path = f"/datasets/{segment(dataset_id)}/report"
        return self.json_of("GET", path, params={} if base is None else {"base": base})

    def assets(self, dataset_id: str) -> list[Answer]:
        """GET /datasets/{dataset_id}/assets -> its pictures in upload order, with their captions."""
        return list(self.json_of("GET", f"/datasets/{segment(dataset_id)}/assets")["assets"])

    def picture(self, dataset_id: str, asset_id: str) -> bytes:
        """GET /datasets/{dataset_id}/assets/{asset_id} -> the stored picture, a PNG or JPEG file."""
        return self.send("GET", _asset(dataset_id, asset_id)).content

    def delete_asset(self, dataset_id: str, asset_id: str) -> None:
        """DELETE /datasets/{dataset_id}/assets/{asset_id}: the picture and its caption."""
        self.send("DELETE", _asset(dataset_id, asset_id))

    def caption(self, dataset_id: str, asset_id: str) -> str | Answer | None:
        """GET /datasets/{dataset_id}/assets/{asset_id}/caption -> text, a structured caption, or None."""
        found: str | Answer | None = self.json_of("GET", f"{_asset(dataset_id, asset_id)}/caption")["caption"]
        return found

    def set_caption(self, dataset_id: str, asset_id: str, caption: str | Mapping[str, Any] | None) -> Answer:
        """PUT /datasets/{dataset_id}/assets/{asset_id}/caption; None takes it away."""
        return self.json_of("PUT", f"{_asset(dataset_id, asset_id)}/caption", json={"caption": caption})

    def delete_dataset(self, dataset_id: str) -> None:
        """DELETE /datasets/{dataset_id}."""
        self.send("DELETE", f"/datasets/{segment(dataset_id)}")


def _asset(dataset_id: str, asset_id: str) -> str:
    return f"/datasets/{segment(dataset_id)}/assets/{segment(asset_id)}"


def sent_name(name: str) -> str:
    """A file name as text: one that is not UTF-8 on the disk is read as Western, so that two stay apart."""
    try:
        return os.fsencode(name).decode()
    except UnicodeDecodeError:
        return os.fsencode(name).decode("cp1252", errors="replace")
