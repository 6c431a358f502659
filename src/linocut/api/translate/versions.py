"""The rules of each version of the API, as tables: what a request may say, and what that means to generation."""

from linocut.generation.types import Rules, Size
from linocut.sizes import parse_size

_V3_RATIOS = {
    "1x1": (1024, 1024),
    "2x1": (1408, 704),
    "3x1": (1536, 512),
    "16x9": (1312, 736),
    "16x10": (1280, 800),
    "3x2": (1248, 832),
    "4x3": (1152, 864),
    "5x4": (1120, 896),
}
_V4_RATIOS = {
    "1x1": (2048, 2048),
    "2x1": (2880, 1440),
    "3x2": (2496, 1664),
    "5x4": (2240, 1792),
    "16x9": (2560, 1440),
    "16x10": (2560, 1600),
    "4x3": (2304, 1728),
    "3x1": (3072, 1024),
    "4x1": (3072, 1024),  # listed for magic prompts only, without a size of its own: the widest there is
}
_V3_WIDE = (
    "1408x576 1472x576 1536x576 1344x640 1408x640 1472x640 1536x640 1152x704 1216x704 1280x704 1344x704 1408x704 "
    "1472x704 1312x736 1088x768 1216x768 1280x768 1344x768 1280x800 960x832 1024x832 1088x832 1152x832 1216x832 "
    "1248x832 1152x864 960x896 1024x896 1088x896 1120x896 1152x896 1024x960 1088x960 1536x512"
)
_V4_WIDE = (
    "2880x1440 2496x1664 2240x1792 2560x1440 2560x1600 2304x1728 3168x1296 2944x1152 3328x1248 3072x1280 3072x1024 "
    "1120x896 1152x864 1248x832 1280x800 1280x720 1440x720"
)


def _with_tall(wide: dict[str, Size]) -> dict[str, Size]:
    return wide | {"x".join(reversed(ratio.split("x"))): (size[1], size[0]) for ratio, size in wide.items()}


def _sizes(squares: set[Size], wide: str) -> frozenset[Size]:
    listed = {parse_size(text) for text in wide.split()}
    return frozenset(squares | listed | {(height, width) for width, height in listed})


V3 = Rules(
    name="Ideogram 3",
    item="v3",
    prompt_field="prompt",
    takes_json_prompt=False,
    most_images=8,
    speeds=("FLASH", "TURBO", "BALANCED", "DEFAULT", "QUALITY"),
    resolutions=_sizes({(1024, 1024)}, _V3_WIDE),
    ratios=_with_tall(_V3_RATIOS),
    text_chooses_ratio=False,
    always_rewrites=False,
)
V4 = Rules(
    name="Ideogram 4",
    item="v4",
    prompt_field="text_prompt",
    takes_json_prompt=True,
    most_images=1,
    speeds=("TURBO", "BALANCED", "DEFAULT", "QUALITY"),
    resolutions=_sizes({(2048, 2048), (1024, 1024)}, _V4_WIDE),
    ratios=_with_tall(_V4_RATIOS),
    text_chooses_ratio=True,
    always_rewrites=True,
)

FIRST_MODEL_VERSION = {3: 1, 4: 0}
"""Where the version numbers of a model's uri begin, by the version of the train route (DECISIONS 22)."""
