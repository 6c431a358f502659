"""What the processes without torch must know of a base: family, identity, sizes, recipes, licence."""

from typing import Annotated, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Finite = Annotated[float, msgspec.Meta(ge=-1000, le=1000)]
"""Neither NaN nor infinite: a worker would never answer, or die of it."""
Positive = Annotated[float, msgspec.Meta(gt=0, le=1000)]

FAMILIES = ("ideogram4", "flux2", "flux2_dev", "qwen_image", "qwen_image_edit", "z_image", "sdxl")
"""The architectures that ``engine/families/`` has a file for (a house test holds the two together)."""

TAKE_NEGATIVE_TEXT = frozenset(FAMILIES) - {"flux2_dev"}
"""The families whose guidance can lead away from a text of the caller's (``Family.takes_negative_text``; a test holds
the two together)."""

TAKE_REFERENCES = frozenset({"flux2", "flux2_dev", "qwen_image_edit"})
"""The families whose network can look at other pictures while it draws (``Family.takes_references``)."""

MOST_REFERENCES = 11
"""The most pictures to look at that one request brings: ten of a style, and one of a character."""

TAKE_INSTRUCTIONS = frozenset({"qwen_image_edit"})
"""The families that were taught to be told how to change a picture."""

READ_STRUCTURE = frozenset({"ideogram4"})
"""The families that were taught structured captions; the others read plain words."""

HEAD_PART = "prompt_enhancer_head"
"""The part that lets a language model without a head write; no picture depends on it."""

FAMILY_NAMES = {
    "ideogram4": "Ideogram 4",
    "flux2": "FLUX.2 klein",
    "flux2_dev": "FLUX.2 dev",
    "qwen_image": "Qwen-Image",
    "qwen_image_edit": "Qwen-Image-Edit",
    "z_image": "Z-Image",
    "sdxl": "Stable Diffusion XL",
}
"""What sentences call them."""

DatasetKind = Literal["style", "subject", "character"]
DATASET_KINDS: tuple[DatasetKind, ...] = ("style", "subject", "character")
"""What a dataset may be of: a look of many things, one thing, or somebody."""

FEW_PICTURES = 15

SPEEDS = ("FLASH", "TURBO", "DEFAULT", "QUALITY")
"""The published rendering speeds."""


class Sampling(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one rendering speed draws: Euler steps, guidance weight, and what shifts the schedule.

    Only a base's family knows what its schedule makes of ``mu`` and ``std``: of Ideogram 4's they are the logit-normal
    mean and deviation, FLUX.2, Qwen-Image and Z-Image add ``mu`` to the mean of their own shift, SDXL takes neither.
    ``by_size``: Ideogram 4's ``mu`` is that of 512 x 512 pixels, and half the logarithm of the area beyond that is
    added to it (the library's own shift). The last ``polish_steps`` run with ``polish_guidance``.
    """

    steps: Count
    guidance: Finite
    mu: Finite = 0.0
    std: Positive = 1.0
    by_size: bool = False
    polish_steps: Annotated[int, msgspec.Meta(ge=0)] = 0
    polish_guidance: Finite = 1.0


class KindRecipe(msgspec.Struct, frozen=True):
    """What is done otherwise for one kind of dataset. ``steps``: the recipe's times this; ``few_steps``: times this too
    for fewer than ``FEW_PICTURES``, and at ``few_rate`` (0: the recipe's learning rate). ``sigma``: added to the mean
    of the noise levels' logit, so above 0 is nearer to pure noise.
    """

    steps: Positive = 1.0
    few_steps: Positive = 1.0
    few_rate: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 0.0
    sigma: Finite = 0.0


class TrainingDefaults(msgspec.Struct, frozen=True):
    """The base's own training recipe; ``runs/recipes.py`` turns it and a dataset's size into numbers.

    ``pixels``: side of the square whose area a training picture is scaled down to; never more than
    ``native_pixels``, which 0 stands for. ``kinds``: by kind of dataset (``DATASET_KINDS``), what is done otherwise.
    """

    lora_rank: Count
    learning_rate: Positive
    training_steps: Count
    batch_size: Count
    ema: Share
    caption_dropout: Share
    warmup_steps: Annotated[int, msgspec.Meta(ge=0)]
    weight_decay: Finite
    sigma_mean: Finite
    sigma_std: Positive
    pixels: Annotated[int, msgspec.Meta(ge=0)] = 0
    kinds: dict[DatasetKind, KindRecipe] = {}


class Licence(msgspec.Struct, frozen=True):
    """Under what a base is given away. ``hosting``: whether it may be served to others and earn money as it is; where
    it may not, a server asks its operator first (``--accept-licence``). ``note`` says more in a sentence."""

    name: str
    url: str = ""
    hosting: bool = True
    note: str = ""


UNKNOWN_LICENCE = Licence("not known", note="Nobody has said which licence this base has; look where it came from.")


class Base(msgspec.Struct, frozen=True):
    """A base as the API sees it. ``identity`` is ``family@hash(weights, config)``; sizes are pixels.

    ``knows``: what a base that was taught a small world knows, in short, for a sentence. Such a base speaks the
    language of ``linocut.prompting``. Empty for one that was shown pictures of everything. ``known_as``: its name in
    our catalogue; empty for one that is described by its own ``linocut.json`` alone. ``is_distilled``: its
    ``model_index.json`` says that it was taught to draw without guidance. ``cfg_normalization`` and
    ``cfg_truncation``: Z-Image's, as in its pipeline. ``max_references``: how many pictures it can look at while it
    draws one, where it looks at any.
    """

    identity: str
    name: str
    family: str
    native_pixels: Count
    size_multiple: Count
    max_text_tokens: Count
    sampling: dict[str, Sampling]
    training: TrainingDefaults
    knows: str = ""
    known_as: str = ""
    licence: Licence = UNKNOWN_LICENCE
    is_distilled: bool = False
    cfg_normalization: Finite = 0.0
    cfg_truncation: Finite = 1.0
    max_references: Annotated[int, msgspec.Meta(ge=1, le=MOST_REFERENCES)] = MOST_REFERENCES

    @property
    def takes_negative_text(self) -> bool:
        """Whether its guidance can lead away from a text of the caller's; there is none where every speed draws
        without guidance."""
        guided = any(speed.guidance > 1.0 for speed in self.sampling.values())
        return self.family in TAKE_NEGATIVE_TEXT and guided and not self.is_distilled

    @property
    def takes_references(self) -> bool:
        """Whether it can look at other pictures while it draws."""
        return self.family in TAKE_REFERENCES

    @property
    def takes_instructions(self) -> bool:
        """Whether it was taught to be told how to change a picture."""
        return self.family in TAKE_INSTRUCTIONS

    @property
    def reads_structure(self) -> bool:
        """Whether it was taught structured captions, or reads plain words."""
        return self.family in READ_STRUCTURE

    @property
    def draws_transparent(self) -> bool:
        """Whether what it draws on a plain ground can be cut out: not of a base that was taught a small world."""
        return not self.knows

    @property
    def training_pixels(self) -> int:
        """Side of the square whose area a training picture is scaled down to."""
        return min(self.training.pixels or self.native_pixels, self.native_pixels)
