"""Every number of a run, in one frozen place. Sizes are pixels unless said otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field

SIZES: tuple[tuple[int, int], ...] = (
    (128, 128), (160, 96), (96, 160), (144, 112), (112, 144), (176, 96), (96, 176),
)  # fmt: skip
"""(width, height) of training pictures; the first is native, the others share about 30 % of the pictures."""


@dataclass(frozen=True)
class VaeConfig:
    seed: int = 11
    encoder_channels: tuple[int, ...] = (16, 32, 64)
    decoder_channels: tuple[int, ...] = (24, 48, 80)
    latent_channels: int = 6
    batch: int = 8
    crop: int = 64
    lr: float = 0.005
    adam_lr: float = 2e-3
    kl_weight: float = 3e-4
    scale_weight: float = 0.25  # half-size latents must decode to the half-size picture
    pattern_share: float = 0.25  # of the crops, a fine pattern over part of each
    keep_weight: float = 0.05  # with `--keep-latents`: how much latents weigh that move away from where they were
    drawn: int = 704  # pictures of the transformer's for the stage `mend`
    drawn_seed: int = 31
    seconds: float = 720.0  # of CPU
    decay_from: float = 0.45  # share of the run after which the rate falls linearly to zero

    @property
    def token(self) -> int:
        """Pixels a side of one token: a latent is 2 to the number of stages less one, a token two by two latents."""
        return 1 << len(self.encoder_channels)


@dataclass(frozen=True)
class TransformerConfig:
    seed: int = 21
    layers: int = 8
    heads: int = 6
    head_dim: int = 32
    mlp: int = 512
    adaln: int = 64
    text_dim: int = 64
    rope_theta: int = 100
    mrope: tuple[int, int, int] = (6, 5, 5)
    windows: tuple[tuple[int, int], ...] = ((8, 8), (4, 16), (4, 16))  # tokens down and across of what is cut out
    batch: int = 28  # windows a step; even, two processes take half each
    whole_batch: int = 12  # whole pictures a step, even too
    native_share: float = 0.82  # of the groups of steps; other sizes stay whole: a window would not tell them apart
    whole_share: float = 0.3  # of the native groups before `whole_from`
    whole_from: float = 0.985  # share of the run after which every picture is trained whole
    reuse: int = 6  # how often a drawn picture is trained on, each time with another window and another caption
    buffer: int = 12000  # pictures kept for reuse
    lr: float = 0.008
    matrix_warmup: int = 400  # steps: after an import the fresh first and last layers settle before the blocks move
    adam_lr: float = 2e-3
    embed_lr: float = 6e-3
    ema: float = 0.998
    caption_dropout: float = 0.1
    sigma_mean: float = 2.0
    sigma_mean_late: float = 1.0
    sigma_std: float = 1.2
    class_weight: float = 0.15  # auxiliary head (net.HEADS says after which block): what fills a cell
    stroke_weight: float = 1.0  # auxiliary head: which sixteenths of a cell are inked
    colour_weight: float = 1.0  # beside the class: a cell's mean colour, rows with a caption only
    place_weight: float = 5.0  # auxiliary head: where a cell is, rows with a caption only
    frame_weight: float = 2.0  # auxiliary head: a cell's place in its letter or figure
    spelling_weight: float = 10.0  # auxiliary head: where a letter of the caption stands
    smooth_weight: float = 0.25  # velocity error averaged over 3 x 3 tokens and over all, rows with a caption only
    figure_weight: float = 2.0  # of the velocity's error in cells with a figure's ink
    letter_weight: float = 4.0  # and of a letter's
    level: tuple[float, float] = (0.25, 0.9)  # breadth of the drawing at the start and at the end, 0..1
    crowds: float = 0.5  # see ``scene.sample``: a picture of four teaches four times as much as a picture of one
    steps: int = 69500
    decay_from: float = 0.893


@dataclass(frozen=True)
class GpuConfig(TransformerConfig):
    """What differs on a GPU: whole pictures only, many at a time, out of a store on the device, for so long."""

    whole_batch: int = 512
    buffer: int = 2_400_000  # native pictures in the store, 24 KB each; of every other size a sixteenth
    level: tuple[float, float] = (0.25, 1.0)
    chunk: int = 64  # pictures that a drawing process sends at a time, all of one size
    seconds: float = 1400.0
    decay_from: float = 0.3
    ema: float = 0.999


@dataclass(frozen=True)
class ReaderConfig:
    """What reads pictures, see captioner/reader.py."""

    seed: int = 51
    width: int = 192
    page: int = 16  # pictures drawn and trained on together, all of one size
    reuse: int = 3  # steps for each page that is drawn
    buffer: int = 6000
    native_share: float = 0.8
    crowds: float = 0.5
    sigma: tuple[float, float] = (0.05, 0.4)  # noise under which a picture is looked at
    lr: float = 2e-3  # of AdamW; Muon at 0.006 was slower by a third
    ema: float = 0.995
    weights: dict[str, float] = field(default_factory=lambda: {"class": 4.0, "box": 4.0})
    seconds: float = 900.0  # by the clock
    decay_from: float = 0.3


@dataclass(frozen=True)
class WriterConfig:
    """What writes captions of texts, see captioner/writer.py."""

    seed: int = 41
    width: int = 192
    layers: int = 4
    heads: int = 6
    kv_heads: int = 2
    mlp: int = 512
    batch: int = 16
    wishes: float = 0.6  # of the lessons: captions to change; the others are sentences to expand
    crowds: float = 0.5
    grown: int = 2500  # steps until scenes are as broad as they get
    lr: float = 0.003  # of Muon
    adam_lr: float = 1e-3
    ema: float = 0.997
    seconds: float = 1500.0  # by the clock
    decay_from: float = 0.4
