"""The orders: draw these images, draw over this picture, cut its object out, train this adapter. ``kinds.py`` says what
each kind is."""

from typing import Literal

import msgspec

from linocut.bases import Sampling


class AdapterRef(msgspec.Struct, frozen=True, kw_only=True):
    """A trained adapter: the sha256 of its safetensors file and its size in bytes."""

    sha256: str
    size_bytes: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What every order says: the identity of its base, and whose it is."""

    base: str
    organization_id: str


class PictureRef(msgspec.Struct, frozen=True, kw_only=True):
    """A stored picture of a request: the sha256 of its PNG, and its size in pixels."""

    sha256: str
    width: int
    height: int


class GenerateOrder(Order, frozen=True, kw_only=True, tag="generate"):
    """Draw one image a seed.

    ``caption`` is the exact text for the text encoder. ``width`` x ``height`` is what the base draws (multiples of its
    grid); ``output_width`` x ``output_height`` is what the client asked for. ``sampling`` is the speed's; the base's
    family makes its plan of it. ``adapter`` None: the bare base. ``provenance`` is written into each picture's file
    (prompt, model, version), and caption, seed and base with it; no pixel depends on it. Empty: nothing is written.

    ``negative``: the exact text that the guidance leads away from; "" for the family's own empty one. ``references``:
    pictures that the network looks at while it draws, in the order in which the caption speaks of them;
    ``reference_mask``: of the last of them, only what is white under it. ``styles``: pictures whose colours and texture
    the first latents are brought towards, for a base that looks at none.
    """

    caption: str
    width: int
    height: int
    output_width: int
    output_height: int
    seeds: tuple[int, ...]
    sampling: Sampling
    adapter: AdapterRef | None
    provenance: dict[str, str] = {}
    negative: str = ""
    references: tuple[PictureRef, ...] = ()
    reference_mask: PictureRef | None = None
    styles: tuple[PictureRef, ...] = ()


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where a picture lies on the answer: scaled to ``width`` x ``height``, its corner at (``left``, ``top``). What
    reaches beyond the answer is cut off."""

    left: int
    top: int
    width: int
    height: int


class EditOrder(GenerateOrder, frozen=True, kw_only=True, tag="edit"):
    """Draw one image a seed over a picture.

    ``level`` in (0, 1]: how much noise is laid over the picture at the start; 1: nothing is seen of it. ``keep``:
    which of the answer's pixels are the picture's own again, to the last bit: none, all on which the picture lies,
    those of them where ``mask`` (of the picture's size, in one channel) is white, or those of the object that the
    tool ``matting`` finds on it. ``mask`` is None but for the third, ``matting`` empty but for the fourth.
    ``cut_free``: the tool that makes the ground of what was drawn transparent, empty where it stays.
    """

    picture: PictureRef
    placement: Placement
    level: float
    keep: Literal["nothing", "picture", "mask", "object"]
    mask: PictureRef | None
    matting: str = ""
    cut_free: str = ""


class CutoutOrder(Order, frozen=True, kw_only=True, tag="cutout"):
    """Cut the object out of a picture, with the tool ``matting``: one image of its size, with transparency."""

    picture: PictureRef
    matting: str


class KeyedOrder(GenerateOrder, frozen=True, kw_only=True, tag="keyed"):
    """Draw one image a seed whose ground is transparent: ``caption`` asks for a plain ground of the colour ``key``
    (red, green, blue), which is cut away. The images are ``scale`` (1, 2 or 4) times as large as the output that is
    asked for, enlarged by the tool ``enlarger``."""

    key: tuple[int, int, int]
    scale: int
    enlarger: str = "auto"


class UpscaleOrder(GenerateOrder, frozen=True, kw_only=True, tag="upscale"):
    """Enlarge a picture to twice its size, then draw it over in tiles of ``width`` x ``height`` pixels, once a seed.

    ``enlarger``: the tool, or "auto": by what the picture is. ``cell``: the corners of tiles are multiples of it.
    ``level`` in (0, 1): how much noise is laid over each tile; ``told`` in (0, 1]: the part of it that the base is told
    of, and what it is not told of stays as texture. ``sharper``: what the fine in the answer is multiplied with.
    """

    picture: PictureRef
    enlarger: str
    cell: int
    level: float
    told: float
    sharper: float


class Refill(msgspec.Struct, frozen=True, kw_only=True):
    """How the base draws what is behind erased letters. ``caption``: the exact text for the text encoder; empty: it is
    made of what the picture's ground shows. ``width`` x ``height``: what the base draws, multiples of its grid."""

    caption: str
    width: int
    height: int
    sampling: Sampling


class LayerizeOrder(Order, frozen=True, kw_only=True, tag="layerize"):
    """Read a picture's lettering and erase it: two images of its size, the picture without its lettering and the
    picture as it was, and the blocks of text (``orders/layers.py``). ``refill`` None: the letters' places are filled
    from what is around them."""

    picture: PictureRef
    seed: int
    refill: Refill | None


class DescribeOrder(Order, frozen=True, kw_only=True, tag="describe"):
    """Say what is on a picture. ``describer``: who puts it into words besides; ``embedded``: nobody does, the words are
    made of what was seen; ``endpoint``: the language model that the operator named. ``places``: what the request that
    it belongs to takes in its organisation's limit."""

    picture: PictureRef
    describer: Literal["embedded", "endpoint"]
    places: int = 1


class WriteOrder(Order, frozen=True, kw_only=True, tag="write"):
    """Have a language model write a caption: of ``text``, for a picture of the ``ratio`` ("16x9", or AUTO), or of a
    picture with the ``caption`` (JSON, "" for none) after ``text`` was done to it. ``knows``: the base's small world in
    short, "" for a large one. ``places`` as in ``DescribeOrder``."""

    text: str
    caption: str
    ratio: str
    knows: str
    places: int


class TrainSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One picture (by the sha256 of its stored file, with its size in pixels) and the caption it is learned with.
    ``pixels_sha256``: of its pixels, whatever file holds them; "" where nobody has noted it."""

    image_sha256: str
    width: int
    height: int
    caption: str
    pixels_sha256: str = ""

    @property
    def content(self) -> str:
        """What chance is drawn by: the same for the same pixels in another file."""
        return self.pixels_sha256 or self.image_sha256


class PreviewPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """What a preview draws, each time with the same seed."""

    caption: str
    seed: int


class TrainOrder(Order, frozen=True, kw_only=True, tag="train", omit_defaults=True):
    """Train a LoRA of ``rank`` (scale ``alpha / rank``) on every attention and MLP linear of the base.

    ``samples`` are sorted by content; ``holdout`` gives the indexes kept out of training and used to score
    checkpoints. One step is ``batch_size`` samples in micro-batches and one AdamW update (betas 0.9, 0.999) at
    ``learning_rate`` after ``warmup_steps`` of linear warm-up. ``ema`` is the averaging decay's ceiling;
    ``caption_dropout`` the share of samples seen without text; noise levels are sigmoid(N(sigma_mean, sigma_std)).
    ``checkpoint_every`` steps a checkpoint is saved, scored and may be chosen; ``preview_every`` steps previews are
    drawn with ``preview_sampling``. Sides of buckets are multiples of ``size_multiple``
    pixels, their area about ``native_pixels`` squared. ``choose_by``: which checkpoint becomes the adapter, that of the
    lowest held-out loss, or, of those whose previews were compared with the dataset, that of the best likeness.
    ``keep_checkpoints``: of how many checkpoints, those of the lowest held-out loss so far, the adapter is handed out
    once it is scored.
    """

    run_id: str
    samples: tuple[TrainSample, ...]
    holdout: tuple[int, ...]
    seed: int
    steps: int
    rank: int
    alpha: float
    learning_rate: float
    batch_size: int
    ema: float
    caption_dropout: float
    weight_decay: float
    warmup_steps: int
    clip_norm: float
    sigma_mean: float
    sigma_std: float
    native_pixels: int
    size_multiple: int
    checkpoint_every: int
    preview_every: int
    previews: tuple[PreviewPrompt, ...]
    preview_sampling: Sampling
    choose_by: Literal["loss", "style"] = "loss"
    keep_checkpoints: int = 0
