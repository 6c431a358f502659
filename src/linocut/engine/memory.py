"""Admission: how many bytes an order will hold while it is in progress, and which waiting order may start. Pure.

What somebody waits for and what runs in the background draw on pools of their own, each half of the budget, so neither
can keep the other waiting.
What one forward pass needs while it lasts is shared by all orders and is not counted here.
"""

from dataclasses import dataclass

from linocut.errors import TooLarge
from linocut.orders import (
    CutoutOrder,
    DescribeOrder,
    EditOrder,
    GenerateOrder,
    KeyedOrder,
    LayerizeOrder,
    TrainOrder,
    UpscaleOrder,
    WriteOrder,
)

MIB = 1024 * 1024
FLOAT_BYTES = 4
LATENT_COPIES = 4
"""Latents, their noise or velocity, and the two of the step that is being computed."""

DEVICE_STATE_COPIES = 7
"""A run's state beside a GPU: weights, gradients, two moments, the average, and at the end the chosen average and the
adapter that is proved."""

HOST_STATE_COPIES = 14
"""The same where the device is the host's own memory: those five, and a checkpoint's four tensors again as bytes, as a
file and as copies, 13 in all while one is written and 14 while one is read (``tests/engine/test_state_copies.py``)."""

EDIT_BYTES_PER_PIXEL = 48
"""Of each pixel of the answer while an edited image is put together: the picture, what is kept, and the arithmetic at
its rim, for as many images as there are helper threads."""

UPSCALE_BYTES_PER_PIXEL = 48
"""Of each pixel of an enlarged picture: it and its padded copy (6), a channel at a time in the enlarger (6), what the
tiles change and their weights (16), the answer and its file (9), and a quarter more."""

LOOK_BYTES_PER_PIXEL = 16
"""Of each pixel of a picture that is looked at: its file, itself in RGB, and what tools make of it at its own size."""

CUTOUT_BYTES_PER_PIXEL = 24
"""Of each pixel of a picture that is cut out: the picture, its alpha, both together, and the edge."""

LAYERS_BYTES_PER_PIXEL = 40
"""Of each pixel of a picture whose lettering is erased: the picture, its marks, the ground in floats, both files."""

CHARACTERS_PER_TOKEN = 2
"""A careful guess: captions have three to four characters a token."""


@dataclass(frozen=True)
class Footprint:
    """What the resident base needs per thing: latent bytes a pixel, text feature bytes a token, and the number of
    in plus out features summed over all linears that a LoRA covers. ``on_host`` says that the device's memory is the
    host's: a run's encoded samples and its checkpoints on their way to the disk take it then, beside a GPU they do
    not. ``writing_bytes``: what the base's own language model holds of a text while it writes, 0 where it does not.
    ``references``: how many pictures may be looked at while one is drawn, as planned; None: nobody planned."""

    latent_bytes_per_pixel: float
    text_bytes_per_token: int
    lora_features: int
    on_host: bool
    writing_bytes: int = 0
    references: int | None = None

    def of_images(self, order: GenerateOrder) -> int:
        """Bytes that a generation holds from its start to its end. ``TooLarge`` for more references than planned."""
        if self.references is not None and len(order.references) > self.references:
            raise TooLarge(
                f"This server has room for {self.references} reference picture{'s' * (self.references != 1)} at once, "
                f"and {len(order.references)} were sent. Send fewer, or ask the server's operator for more room "
                "(LINOCUT_TEXT_TOWER=host or LINOCUT_PRECISION=fp8; linocut doctor has the figures)."
            )
        native, asked = order.width * order.height, order.output_width * order.output_height
        image = LATENT_COPIES * native * self.latent_bytes_per_pixel + 2 * 3 * (native + asked)
        adapter = order.adapter.size_bytes if order.adapter else 0
        looked_at = sum(min(ref.width * ref.height, native) for ref in order.references)
        start = native if order.styles else 0
        away = self.of_text(order.negative) if order.negative else 0
        beside = round((looked_at + start) * self.latent_bytes_per_pixel) + away
        return round(len(order.seeds) * image) + self.of_text(order.caption) + beside + adapter

    def of_edited_images(self, order: EditOrder) -> int:
        """Bytes that drawing over a picture holds from its start to its end: with the picture, its latents and what is
        scaled of it."""
        latents = order.width * order.height * self.latent_bytes_per_pixel
        placed = order.placement.width * order.placement.height
        given = 4 * (order.picture.width * order.picture.height + placed)
        asked = EDIT_BYTES_PER_PIXEL * order.output_width * order.output_height
        if order.keep == "object":
            asked += CUTOUT_BYTES_PER_PIXEL * order.picture.width * order.picture.height
        return self.of_images(order) + round(latents) + given + asked

    def of_upscaled_images(self, order: UpscaleOrder) -> int:
        """Bytes that enlarging a picture holds: the picture, the larger one, what the tiles change of it, and the noise
        of one image at a time."""
        asked = order.output_width * order.output_height
        noise = round(asked * self.latent_bytes_per_pixel)
        return self.of_text(order.caption) + noise + UPSCALE_BYTES_PER_PIXEL * asked

    def of_looking(self, order: DescribeOrder) -> int:
        """Bytes that looking at a picture holds from its start to its end: its pixels, and copies for two tools."""
        return LOOK_BYTES_PER_PIXEL * order.picture.width * order.picture.height

    def of_keyed_images(self, order: KeyedOrder) -> int:
        """Bytes that a generation with a transparent ground holds: four channels, and enlarged."""
        asked = order.output_width * order.output_height * order.scale**2
        return self.of_images(order) + 3 * 4 * asked + CUTOUT_BYTES_PER_PIXEL * order.width * order.height

    def of_cutout(self, order: CutoutOrder) -> int:
        """Bytes that a picture holds while its object is cut out, beside what the tool has reserved."""
        return CUTOUT_BYTES_PER_PIXEL * order.picture.width * order.picture.height

    def of_layers(self, order: LayerizeOrder) -> int:
        """Bytes that a picture holds while its lettering is read and erased, beside what the tools have reserved."""
        held = LAYERS_BYTES_PER_PIXEL * order.picture.width * order.picture.height
        if order.refill is None:
            return held
        native = order.refill.width * order.refill.height
        latents = (LATENT_COPIES + 1) * native * self.latent_bytes_per_pixel
        return held + round(latents) + 2 * 3 * native + self.of_text(order.refill.caption)

    def of_writing(self, order: WriteOrder) -> int:
        """Bytes that a caption holds while it is written: its texts, and what the base's own model keeps of them."""
        return 1 + self.writing_bytes + 8 * (len(order.text) + len(order.caption))

    def of_run(self, order: TrainOrder) -> int:
        """Bytes that a run holds from its start to its end."""
        copies = HOST_STATE_COPIES if self.on_host else DEVICE_STATE_COPIES
        state = copies * FLOAT_BYTES * order.rank * self.lora_features
        if not self.on_host:
            return state
        latents = sum(min(s.width * s.height, order.native_pixels**2) for s in order.samples)
        return (
            state + round(latents * self.latent_bytes_per_pixel) + sum(self.of_text(s.caption) for s in order.samples)
        )

    def of_text(self, caption: str) -> int:
        """Bytes of a caption's features."""
        return (len(caption) // CHARACTERS_PER_TOKEN + 16) * self.text_bytes_per_token


class Pool:
    """The bytes of one kind of orders: those in progress, and those that wait for room."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._waiting: dict[str, tuple[str, int]] = {}
        self._reserved: dict[str, tuple[str, int]] = {}

    def wait(self, key: str, organization: str, size: int) -> None:
        """Queue an order. ``TooLarge`` when it would not fit an empty machine."""
        if size > self._budget:
            raise TooLarge(
                f"This would hold about {size // MIB} MiB of memory, this engine has {self._budget // MIB} MiB for it; "
                "ask for fewer or smaller images, or train with a lower rank."
            )
        self._waiting[key] = organization, size

    def start(self) -> str | None:
        """The key of the order that starts now, its bytes reserved; None when none waits or the next does not fit.

        Next is the oldest order of the organisation that holds least: no one overtakes it, however small.
        """
        if not self._waiting:
            return None
        key = min(self._waiting, key=lambda key: self._held(self._waiting[key][0]))
        if self._waiting[key][1] > self._budget - sum(size for _, size in self._reserved.values()):
            return None
        self._reserved[key] = self._waiting.pop(key)
        return key

    def leave(self, key: str) -> None:
        """The order ended, in progress or waiting."""
        self._waiting.pop(key, None)
        self._reserved.pop(key, None)

    def _held(self, organization: str) -> int:
        return sum(size for owner, size in self._reserved.values() if owner == organization)
