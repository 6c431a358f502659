"""Draw images, draw over pictures, and say what is on them."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx2

from linocut.client.connection import DRAWING_SECONDS, Answer, Connection, Image, pictures_of, segment
from linocut.client.failures import error_of
from linocut.errors import Busy


class Drawing(Connection):
    """The methods of the routes that draw or describe."""

    def generate(self, prompt: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/generate; ``fields`` by the wire's names: seed, num_images, resolution or aspect_ratio,
        rendering_speed, magic_prompt, negative_prompt, custom_model_uri, enable_copyright_detection; style_type,
        style_preset, style_codes, color_palette (a dict); and, as lists of pictures, style_reference_images,
        character_reference_images and character_reference_images_mask. Other drawing methods take them likewise."""
        path = "/v1/ideogram-v3/generate"
        if any(pictures_of(value) for value in fields.values()):
            return self.draw_with(path, {}, {"prompt": prompt, **fields})
        return self.json_of("POST", path, json={"prompt": prompt, **fields}, timeout=DRAWING_SECONDS)

    def generate_v4(
        self, *, text_prompt: str | None = None, json_prompt: Mapping[str, Any] | None = None, **fields: Any
    ) -> Answer:
        """POST /v1/ideogram-v4/generate with one of the two prompts."""
        prompts = {"text_prompt": text_prompt, "json_prompt": json_prompt}
        body = {name: value for name, value in prompts.items() if value is not None} | fields
        return self.json_of("POST", "/v1/ideogram-v4/generate", json=body, timeout=DRAWING_SECONDS)

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
        return self.json_of("POST", "/v1/ideogram-v4/async/generate", json=body, params={"webhook_url": webhook_url})

    def generation(self, generation_id: str) -> Answer:
        """GET /v1/generations/{generation_id} -> pending, completed with its ``data``, or failed."""
        return self.json_of("GET", f"/v1/generations/{segment(generation_id)}")

    def remix(self, image: Image, prompt: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/remix; ``fields`` by the wire's names (image_weight, aspect_ratio, seed, …)."""
        return self.draw_with("/v1/ideogram-v3/remix", {"image": image}, {"prompt": prompt, **fields})

    def remix_v4(self, image: Image, text_prompt: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v4/remix; without ``image_weight`` the words of the instruction choose it."""
        return self.draw_with("/v1/ideogram-v4/remix", {"image": image}, {"text_prompt": text_prompt, **fields})

    def inpaint(self, image: Image, mask: Image, prompt: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/inpaint: black of the mask is repainted, the rest stays as it is."""
        return self.draw_with("/v1/ideogram-v3/inpaint", {"image": image, "mask": mask}, {"prompt": prompt, **fields})

    def replace_background(self, image: Image, prompt: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/replace-background: the object stays, and ``prompt`` is drawn behind it."""
        return self.draw_with("/v1/ideogram-v3/replace-background", {"image": image}, {"prompt": prompt, **fields})

    def generate_transparent(self, prompt: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/generate-transparent: PNG files whose ground is transparent."""
        return self.draw_with("/v1/ideogram-v3/generate-transparent", {}, {"prompt": prompt, **fields})

    def remove_background(self, image: Image) -> Answer:
        """POST /v1/remove-background: the object of a picture, as a PNG file of its size."""
        return self.draw_with("/v1/remove-background", {"image": image}, {})

    def upscale(self, image: Image, **fields: Any) -> Answer:
        """POST /upscale: twice the size; ``fields`` of its image_request (prompt, resemblance, detail, seed, …)."""
        return self.draw_with("/upscale", {"image_file": image}, {"image_request": fields})

    def layerize_text(self, image: Image, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/layerize-text -> links to the picture without its lettering, and the lettering as blocks
        of text; ``fields``: prompt (what is behind the letters), seed."""
        return self.draw_with("/v1/ideogram-v3/layerize-text", {"image": image}, fields)

    def reframe(self, image: Image, resolution: str, **fields: Any) -> Answer:
        """POST /v1/ideogram-v3/reframe: the picture as it is, and around it what fills ``resolution``."""
        return self.draw_with("/v1/ideogram-v3/reframe", {"image": image}, {"resolution": resolution, **fields})

    def generate_legacy(self, prompt: str, **fields: Any) -> Answer:
        """POST /generate; ``fields`` are those of its ``image_request`` (model, resolution, …)."""
        body = {"image_request": {"prompt": prompt, **fields}}
        return self.json_of("POST", "/generate", json=body, timeout=DRAWING_SECONDS)

    def remix_legacy(self, image: Image, prompt: str, **fields: Any) -> Answer:
        """POST /remix; ``fields`` are those of its ``image_request`` (image_weight, model, …)."""
        return self.draw_with("/remix", {"image_file": image}, {"image_request": {"prompt": prompt, **fields}})

    def edit_legacy(self, image: Image, mask: Image, prompt: str, model: str = "V_2", **fields: Any) -> Answer:
        """POST /edit: black of the mask is drawn anew."""
        told = {"prompt": prompt, "model": model, **fields}
        return self.draw_with("/edit", {"image_file": image, "mask": mask}, told)

    def reframe_legacy(self, image: Image, resolution: str, model: str = "V_2", **fields: Any) -> Answer:
        """POST /reframe: the picture, and around it what fills ``resolution`` (RESOLUTION_1536_640)."""
        return self.draw_with("/reframe", {"image_file": image}, {"resolution": resolution, "model": model, **fields})

    def magic_prompt(self, text_prompt: str, aspect_ratio: str = "AUTO") -> Answer:
        """POST /v1/ideogram-v4/magic-prompt: the structured prompt that a generate of this text draws from."""
        body = {"text_prompt": text_prompt, "aspect_ratio": aspect_ratio}
        return self.json_of("POST", "/v1/ideogram-v4/magic-prompt", json=body)

    def edit(
        self, images: Sequence[Image] = (), prompt: str = "", *, image_urls: Sequence[str] = (), **fields: Any
    ) -> Answer:
        """POST /v1/edit: a picture (a file, or a link of this server) changed by an instruction; ``fields`` by the
        wire's names (num_images, seed, resolution, aspect_ratio, magic_prompt, transparent_background)."""
        given = {"images": list(images) or None, "image_urls": list(image_urls) or None}
        return self.draw_with("/v1/edit", {}, {"prompt": prompt, **given, **fields})

    def describe_v4(self, image_file: Image, **fields: Any) -> Answer:
        """POST /v1/ideogram-v4/describe -> ``json_prompt``, the structured prompt of a picture; ``fields`` by the
        wire's names (include_bbox, include_style_descriptions, include_tags)."""
        return self.draw_with("/v1/ideogram-v4/describe", {"image_file": image_file}, fields)

    def describe(self, image_file: Image, **fields: Any) -> Answer:
        """POST /describe -> ``descriptions``, plain sentences; ``fields``: describe_model_version."""
        return self.draw_with("/describe", {"image_file": image_file}, fields)

    def download(self, link: str) -> bytes:
        """The bytes behind an image link (no key is sent: the link is signed)."""
        try:
            response = httpx2.get(link, timeout=60.0)
        except httpx2.TransportError as lost:
            raise Busy(f"The image could not be fetched from {self.url}; try the link again.") from lost
        if response.is_error:
            raise error_of(response)
        return response.content
