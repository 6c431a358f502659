"""What the server says of itself."""

from typing import Annotated

import msgspec
from msgspec import Meta


class About(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /``: where its reference and its description are."""

    name: Annotated[str, Meta(examples=["linocut"])]
    version: str
    docs: str
    openapi: str
