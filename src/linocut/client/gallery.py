"""What was drawn."""

from collections.abc import Iterator
from typing import Any

from linocut.client.connection import Answer, Connection, segment


class Gallery(Connection):
    """The methods of ``/images``."""

    def images(self, **asked: Any) -> Answer:
        """GET /images -> a page of images, newest first; ``asked`` by the wire's names: search, operation,
        custom_model_uri, base, user_id, from_day, to_day, limit, cursor. What is None is left out."""
        return self.json_of("GET", "/images", params={name: one for name, one in asked.items() if one is not None})

    def all_images(self, **asked: Any) -> Iterator[Answer]:
        """The images of all pages, one by one."""
        cursor = asked.pop("cursor", None)
        while True:
            page = self.images(**asked, cursor=cursor)
            yield from page["images"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def image(self, image_id: str) -> Answer:
        """GET /images/{image_id} -> an image and what asked for it."""
        return self.json_of("GET", f"/images/{segment(image_id)}")

    def image_input(self, image_id: str, field: str, position: int = 0) -> bytes:
        """GET /images/{image_id}/inputs/{field}/{position} -> a picture that it was made from, a PNG file."""
        return self.send("GET", f"/images/{segment(image_id)}/inputs/{segment(field)}/{position}").content

    def delete_image(self, image_id: str) -> None:
        """DELETE /images/{image_id}."""
        self.send("DELETE", f"/images/{segment(image_id)}")
