"""One method an operation. Method names say what happens; arguments and answers have the wire's names."""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import quote

import httpx2

from linocut.client.failures import error_of
from linocut.errors import Busy, InvalidRequest, Unauthenticated

Answer = dict[str, Any]
Image = Path | bytes | BinaryIO | str
"""A picture: its file, its bytes, a file that is open, or the link to an image that the server drew."""
FINAL_STATUSES = frozenset({"COMPLETED", "ERRORED", "ARCHIVED"})
_GENERATE_SECONDS = 330.0
"""Longer than the server's own longest wait for an image, so that its sentence arrives instead of a time-out."""
_UPLOAD_SECONDS = 600.0
"""A hundred pictures of many megapixels take minutes to decode on a small machine."""


class Client:
    """A connection to a linocut server (or to any server that speaks the same API).

    Every method raises a ``LinocutError`` that carries the server's sentence, ``Busy`` when it cannot be reached.
    """

    def __init__(self, api_key: str, url: str) -> None:
        if not api_key.isascii() or not api_key.isprintable():
            raise Unauthenticated("The API key holds signs that no key has; copy it again, on one line.")
        self._http = httpx2.Client(
            base_url=_address(url), headers={"Api-Key": api_key}, timeout=httpx2.Timeout(60.0, connect=10.0)
        )
        self.url = url.rstrip("/")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    # datasets -----------------------------------------------------------------------------------------------------

    def create_dataset(self, name: str) -> Answer:
        """POST /datasets -> the Dataset."""
        return self._json("POST", "/datasets", json={"name": name})

    def datasets(self, search: str | None = None) -> list[Answer]:
        """GET /datasets -> Datasets, most recently updated first."""
        answer = self._json("GET", "/datasets", params={"search": search} if search is not None else {})
        return list(answer["datasets"])

    def dataset(self, dataset_id: str) -> Answer:
        """GET /datasets/{dataset_id} -> the dataset with its files."""
        return self._json("GET", f"/datasets/{_part(dataset_id)}")

    def upload(
        self, dataset_id: str, files: Sequence[Path | tuple[str, Path]], *, idempotency_key: str | None = None
    ) -> Answer:
        """POST /datasets/{dataset_id}/upload_assets, all ``files`` in one request -> what became of each.

        A file is sent under its own name, or under the one given with it, which may hold folders: ``cups/red.png``.
        """
        named = [(file.name, file) if isinstance(file, Path) else file for file in files]
        parts = [("files", (sent_name(name), path.read_bytes(), "application/octet-stream")) for name, path in named]
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        path = f"/datasets/{_part(dataset_id)}/upload_assets"
        return self._json("POST", path, files=parts, headers=headers, timeout=_UPLOAD_SECONDS)

    def report(self, dataset_id: str) -> Answer:
        """GET /datasets/{dataset_id}/report -> what to know of the dataset before it is trained on."""
        return self._json("GET", f"/datasets/{_part(dataset_id)}/report")

    def assets(self, dataset_id: str) -> list[Answer]:
        """GET /datasets/{dataset_id}/assets -> its pictures in upload order, with their captions."""
        return list(self._json("GET", f"/datasets/{_part(dataset_id)}/assets")["assets"])

    def picture(self, dataset_id: str, asset_id: str) -> bytes:
        """GET /datasets/{dataset_id}/assets/{asset_id} -> the stored picture, a PNG file."""
        return self._send("GET", _asset(dataset_id, asset_id)).content

    def delete_asset(self, dataset_id: str, asset_id: str) -> None:
        """DELETE /datasets/{dataset_id}/assets/{asset_id}: the picture and its caption."""
        self._send("DELETE", _asset(dataset_id, asset_id))

    def caption(self, dataset_id: str, asset_id: str) -> str | Answer | None:
        """GET /datasets/{dataset_id}/assets/{asset_id}/caption -> text, a structured caption, or None."""
        found: str | Answer | None = self._json("GET", f"{_asset(dataset_id, asset_id)}/caption")["caption"]
        return found

    def set_caption(self, dataset_id: str, asset_id: str, caption: str | Mapping[str, Any] | None) -> Answer:
        """PUT /datasets/{dataset_id}/assets/{asset_id}/caption; None takes it away."""
        return self._json("PUT", f"{_asset(dataset_id, asset_id)}/caption", json={"caption": caption})

    def delete_dataset(self, dataset_id: str) -> None:
        """DELETE /datasets/{dataset_id}."""
        self._send("DELETE", f"/datasets/{_part(dataset_id)}")

    # training and custom models -------------------------------------------------------------------------------------

    def train(self, dataset_id: str, model_name: str, *, api: str = "v3", idempotency_key: str | None = None) -> Answer:
        """POST /v1/ideogram-{api}/train-model with the server's own recipe."""
        body = {"dataset_id": dataset_id, "model_name": model_name}
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._json("POST", f"/v1/ideogram-{api}/train-model", json=body, headers=headers)

    def train_advanced(self, dataset_id: str, model_name: str, *, api: str = "v3", **numbers: float) -> Answer:
        """POST …/train-model-advanced: ``numbers`` are training_steps, lora_rank, ema, learning_rate, seed."""
        body = {"dataset_id": dataset_id, "model_name": model_name, **numbers}
        return self._json("POST", f"/v1/ideogram-{api}/train-model-advanced", json=body)

    def models(self, scope: str | None = None, status: Sequence[str] = ()) -> list[Answer]:
        """GET /models -> custom models, newest first."""
        params: list[tuple[str, str]] = [("status", one) for one in status]
        if scope is not None:
            params.append(("scope", scope))
        return list(self._json("GET", "/models", params=params)["models"])

    def model(self, model_id: str) -> Answer:
        """GET /models/{model_id} -> the custom model."""
        return dict(self._json("GET", f"/models/{_part(model_id)}")["model"])

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
        return self._json("POST", f"/models/{_part(model_id)}/cancel")

    def share(self, model_id: str, organization_id: str) -> Answer:
        """PUT /models/{model_id}/share."""
        return self._json("PUT", f"/models/{_part(model_id)}/share", json={"organization_id": organization_id})

    def unshare(self, model_id: str, organization_id: str | None = None) -> None:
        """DELETE /models/{model_id}/share: take it back from the organisation, or (None) from all."""
        params = {} if organization_id is None else {"organization_id": organization_id}
        self._send("DELETE", f"/models/{_part(model_id)}/share", params=params)

    def weights(self, model_id: str, format: str | None = None) -> bytes:
        """GET /models/{model_id}/weights -> a safetensors file. ``format``: diffusers (the library's
        ``load_lora_weights`` reads it), comfyui or kohya; None: as the server stores it, as for diffusers."""
        asked = {"format": format} if format is not None else {}
        return self._send("GET", f"/models/{_part(model_id)}/weights", params=asked).content

    def delete_model(self, model_id: str) -> None:
        """DELETE /models/{model_id}: archive it."""
        self._send("DELETE", f"/models/{_part(model_id)}")

    def bases(self) -> list[Answer]:
        """GET /bases -> the base that is served, its licence and what it can do; then those that are known by name."""
        return list(self._json("GET", "/bases")["bases"])

    # images -----------------------------------------------------------------------------------------------------------

    def generate(self, prompt: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/generate; ``fields`` by the wire's names: seed, num_images, resolution or aspect_ratio,
        rendering_speed, magic_prompt, negative_prompt, custom_model_uri, enable_copyright_detection; style_type,
        style_preset, style_codes, color_palette (a dict); and, as lists of pictures, style_reference_images,
        character_reference_images and character_reference_images_mask. Other drawing methods take them likewise."""
        path = "/v1/ideogram-v3/generate"
        if any(_pictures(value) for value in fields.values()):
            return self._draw(path, {}, {"prompt": prompt, **fields})
        return self._json("POST", path, json={"prompt": prompt, **fields}, timeout=_GENERATE_SECONDS)

    def generate_v4(
        self, *, text_prompt: str | None = None, json_prompt: Mapping[str, Any] | None = None, **fields: Any
    ) -> Answer:
        """POST /v1/ideogram-v4/generate with one of the two prompts."""
        prompts = {"text_prompt": text_prompt, "json_prompt": json_prompt}
        body = {name: value for name, value in prompts.items() if value is not None} | fields
        return self._json("POST", "/v1/ideogram-v4/generate", json=body, timeout=_GENERATE_SECONDS)

    def generate_async(
        self,
        *,
        webhook_url: str,
        text_prompt: str | None = None,
        json_prompt: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Answer:
        """POST /v1/ideogram-v4/async/generate -> its ``generation_id``; the result is sent to ``webhook_url``."""
        prompts = {"text_prompt": text_prompt, "json_prompt": json_prompt}
        body = {name: value for name, value in prompts.items() if value is not None} | fields
        return self._json("POST", "/v1/ideogram-v4/async/generate", json=body, params={"webhook_url": webhook_url})

    def generation(self, generation_id: str) -> Answer:
        """GET /v1/generations/{generation_id} -> pending, completed with its ``data``, or failed."""
        return self._json("GET", f"/v1/generations/{_part(generation_id)}")

    def remix(self, image: Image, prompt: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/remix; ``fields`` by the wire's names (image_weight, aspect_ratio, seed, …)."""
        return self._draw("/v1/ideogram-v3/remix", {"image": image}, {"prompt": prompt, **fields})

    def remix_v4(self, image: Image, text_prompt: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v4/remix; without ``image_weight`` the words of the instruction choose it."""
        return self._draw("/v1/ideogram-v4/remix", {"image": image}, {"text_prompt": text_prompt, **fields})

    def inpaint(self, image: Image, mask: Image, prompt: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/inpaint: black of the mask is repainted, the rest stays as it is."""
        return self._draw("/v1/ideogram-v3/inpaint", {"image": image, "mask": mask}, {"prompt": prompt, **fields})

    def replace_background(self, image: Image, prompt: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/replace-background: the object stays, and ``prompt`` is drawn behind it."""
        return self._draw("/v1/ideogram-v3/replace-background", {"image": image}, {"prompt": prompt, **fields})

    def generate_transparent(self, prompt: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/generate-transparent: PNG files whose ground is transparent."""
        return self._draw("/v1/ideogram-v3/generate-transparent", {}, {"prompt": prompt, **fields})

    def remove_background(self, image: Image) -> Answer:
        """POST /v1/remove-background: the object of a picture, as a PNG file of its size."""
        return self._draw("/v1/remove-background", {"image": image}, {})

    def upscale(self, image: Image, **fields: Any) -> Answer:
        """POST /upscale: twice the size; ``fields`` of its image_request (prompt, resemblance, detail, seed, …)."""
        return self._draw("/upscale", {"image_file": image}, {"image_request": fields})

    def layerize_text(self, image: Image, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/layerize-text -> links to the picture without its lettering, and the lettering as blocks
        of text; ``fields``: prompt (what is behind the letters), seed."""
        return self._draw("/v1/ideogram-v3/layerize-text", {"image": image}, fields)

    def reframe(self, image: Image, resolution: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/reframe: the picture as it is, and around it what fills ``resolution``."""
        return self._draw("/v1/ideogram-v3/reframe", {"image": image}, {"resolution": resolution, **fields})

    def generate_legacy(self, prompt: str, **fields: Any) -> Answer:
        """POST /generate; ``fields`` are those of its ``image_request`` (model, resolution, …)."""
        body = {"image_request": {"prompt": prompt, **fields}}
        return self._json("POST", "/generate", json=body, timeout=_GENERATE_SECONDS)

    def remix_legacy(self, image: Image, prompt: str, **fields: Any) -> Answer:
        """POST /remix; ``fields`` are those of its ``image_request`` (image_weight, model, …)."""
        return self._draw("/remix", {"image_file": image}, {"image_request": {"prompt": prompt, **fields}})

    def edit_legacy(self, image: Image, mask: Image, prompt: str, model: str = "V_2", **fields: Any) -> Answer:
        """POST /edit: black of the mask is drawn anew."""
        told = {"prompt": prompt, "model": model, **fields}
        return self._draw("/edit", {"image_file": image, "mask": mask}, told)

    def reframe_legacy(self, image: Image, resolution: str, model: str = "V_2", **fields: Any) -> Answer:
        """POST /reframe: the picture, and around it what fills ``resolution`` (RESOLUTION_1536_640)."""
        return self._draw("/reframe", {"image_file": image}, {"resolution": resolution, "model": model, **fields})

    def magic_prompt(self, text_prompt: str, aspect_ratio: str = "AUTO") -> Answer:
        """POST /v1/ideogram-v4/magic-prompt: the structured prompt that a generate of this text draws from."""
        body = {"text_prompt": text_prompt, "aspect_ratio": aspect_ratio}
        return self._json("POST", "/v1/ideogram-v4/magic-prompt", json=body)

    def edit(
        self, images: Sequence[Image] = (), prompt: str = "", *, image_urls: Sequence[str] = (), **fields: Any
    ) -> Answer:
        """POST /v1/edit: a picture (a file, or a link of this server) changed by an instruction; ``fields`` by the
        wire's names (num_images, seed, resolution, aspect_ratio, magic_prompt, transparent_background)."""
        given = {"images": list(images) or None, "image_urls": list(image_urls) or None}
        return self._draw("/v1/edit", {}, {"prompt": prompt, **given, **fields})

    def describe_v4(self, image_file: Image, **fields: Any) -> Answer:
        """POST /v1/ideogram-v4/describe -> ``json_prompt``, the structured prompt of a picture; ``fields`` by the
        wire's names (include_bbox, include_style_descriptions, include_tags)."""
        return self._draw("/v1/ideogram-v4/describe", {"image_file": image_file}, fields)

    def describe(self, image_file: Image, **fields: Any) -> Answer:
        """POST /describe -> ``descriptions``, plain sentences; ``fields``: describe_model_version."""
        return self._draw("/describe", {"image_file": image_file}, fields)

    def download(self, link: str) -> bytes:
        """The bytes behind an image link (no key is sent: the link is signed)."""
        try:
            response = httpx2.get(link, timeout=60.0)
        except httpx2.TransportError as lost:
            raise Busy(f"The image could not be fetched from {self.url}; try the link again.") from lost
        if response.is_error:
            raise error_of(response)
        return response.content

    # transport --------------------------------------------------------------------------------------------------------

    def _draw(self, path: str, images: Mapping[str, Image], fields: Mapping[str, Any]) -> Answer:
        """A form of pictures and texts, without the fields that are None; what is neither text nor number is sent as
        JSON."""
        parts: list[tuple[str, Any]] = [(name, _file(name, one)) for name, one in images.items()]
        for name, value in fields.items():
            if pictures := _pictures(value):
                parts += [(name, _file(name, one)) for one in pictures]
            elif value is not None:
                text = value if isinstance(value, str) else json.dumps(value)
                parts.append((name, (None, text.encode())))
        return self._json("POST", path, files=parts, timeout=_GENERATE_SECONDS)

    def _send(self, method: str, path: str, **how: Any) -> httpx2.Response:
        try:
            response = self._http.request(method, path, **how)
        except httpx2.TransportError as lost:
            raise Busy(f"No server answers at {self.url}; start one with `linocut serve`, or give --url.") from lost
        if response.is_error:
            raise error_of(response)
        return response

    def _json(self, method: str, path: str, **how: Any) -> Answer:
        response = self._send(method, path, **how)
        try:
            answer = response.json()
        except json.JSONDecodeError as other:
            raise Busy(f"What answers at {self.url} is not a linocut server.") from other
        return dict(answer)


def _address(url: str) -> str:
    """The address without a slash at its end. ``InvalidRequest`` for what no server can have."""
    try:
        parts = httpx2.URL(url)
    except httpx2.InvalidURL:
        parts = httpx2.URL("")
    if parts.scheme not in ("http", "https") or not parts.host:
        raise InvalidRequest(f"{url!r} is not the address of a server; write it as http://127.0.0.1:8731.")
    return url.rstrip("/")


def _file(name: str, image: Image) -> tuple[str | None, bytes]:
    """A picture as a part of a form; a link is a part of text."""
    if isinstance(image, str):
        return None, image.encode()
    if isinstance(image, bytes):
        return f"{name}.png", image
    return f"{name}.png", image.read_bytes() if isinstance(image, Path) else image.read()


def _pictures(value: Any) -> list[Image]:
    """The pictures that a field's value is; none where it is something else, or texts alone."""
    items = list(value) if isinstance(value, list | tuple) else [value]
    return items if any(isinstance(one, Path | bytes) or hasattr(one, "read") for one in items) else []


def _asset(dataset_id: str, asset_id: str) -> str:
    return f"/datasets/{_part(dataset_id)}/assets/{_part(asset_id)}"


def sent_name(name: str) -> str:
    """A file name as text: one that is not UTF-8 on the disk is read as Western, so that two stay apart."""
    try:
        return os.fsencode(name).decode()
    except UnicodeDecodeError:
        return os.fsencode(name).decode("cp1252", errors="replace")


def _part(identifier: str) -> str:
    """An id as one path segment, whatever a caller passes."""
    return quote(identifier, safe="")
