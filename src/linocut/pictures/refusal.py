"""Why a file is not taken. Light, because the decoding process starts with it."""

from typing import Literal

Reason = Literal[
    "FAILED_SAFETY_CHECK",
    "FILE_TOO_LARGE",
    "INTERNAL_ERROR",
    "INVALID_CAPTION",
    "INVALID_CAPTION_JSON",
    "INVALID_IMAGE",
    "INVALID_ZIP",
    "TOO_MANY_IMAGES",
]
"""The contract's ``DatasetAssetFailureReason``."""


class Refused(Exception):
    """One file cannot be taken: the contract's reason, and a sentence for its owner. The other files go on.
    ``component``: who found a picture unfit to be shown."""

    def __init__(self, reason: Reason, message: str, component: str = "") -> None:
        super().__init__(message)
        self.component = component
        self.reason: Reason = reason
        self.message = message
