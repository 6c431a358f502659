"""What the scheduler must know of a unit: its kind, and the tokens that its cost is proportional to."""

from linocut.engine.scheduler import Kind
from linocut.engine.work import (
    DecodeLatents,
    Denoise,
    DeviceUnit,
    EncodeImage,
    EncodeText,
    HeldOutLoss,
    TrainStep,
    UpdateWeights,
)

CHARACTERS_PER_TOKEN = 3
PIXELS_PER_TOKEN = 256

BATCH_IMAGES = 4
"""Images of native size that share a forward pass. On the embedded base a CPU draws four steps in the time of three
and a fifth, and eight in that of seven: more would only make the others wait (``benchmarks/``)."""

TRAINING_BATCH_IMAGES = 2
"""The same for a run's own pictures: a waiting image is delayed by at most two one-image steps."""


def kind_of(unit: DeviceUnit) -> Kind:
    """The kind of a unit."""
    return _KINDS[type(unit)]


def tokens_of(unit: DeviceUnit) -> int:
    """What the unit's cost is proportional to among units of its kind, at least 1."""
    match unit:
        case Denoise(grid=(rows, columns), text=text, guidance=guidance):
            words = len(text.token_ids_T) if text else 0
            return denoise_tokens(rows * columns, words, guidance)
        case DecodeLatents(grid=(rows, columns)):
            return rows * columns
        case EncodeText(caption=caption):
            return len(caption) // CHARACTERS_PER_TOKEN + 1
        case EncodeImage(pixels_HWC=pixels_HWC):
            return pixels_HWC.shape[0] * pixels_HWC.shape[1] // PIXELS_PER_TOKEN + 1
        case TrainStep(examples=examples) | HeldOutLoss(examples=examples):
            return max(1, sum(e.grid[0] * e.grid[1] + (len(e.text.token_ids_T) if e.text else 0) for e in examples))
        case UpdateWeights():
            return 1


def denoise_tokens(image_tokens: int, text_tokens: int, guidance: float) -> int:
    """Tokens through the networks in one step: the guided branch sees the image a second time."""
    return image_tokens + text_tokens + (image_tokens if guidance != 1.0 else 0)


def budgets(images: int, image_tokens: int, max_text_tokens: int) -> dict[Kind, int]:
    """The most tokens of one pass by kind, when a step of ``images`` native pictures, guided, shall fit.

    Decoding a picture takes about two of its steps, encoding one as long, so half as many share those passes.
    """
    return {
        Kind.ENCODE_TEXT: max_text_tokens,
        Kind.ENCODE_IMAGE: images * image_tokens // 2,
        Kind.DENOISE: images * denoise_tokens(image_tokens, max_text_tokens, guidance=0.0),
        Kind.DECODE: images * image_tokens // 2,
    }


_KINDS: dict[type, Kind] = {
    EncodeText: Kind.ENCODE_TEXT,
    EncodeImage: Kind.ENCODE_IMAGE,
    Denoise: Kind.DENOISE,
    DecodeLatents: Kind.DECODE,
    TrainStep: Kind.TRAIN_STEP,
    UpdateWeights: Kind.UPDATE,
    HeldOutLoss: Kind.HELD_OUT,
}
