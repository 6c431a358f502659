"""Pictures and captions become latents and features, and no caption ever meets another picture."""

import io
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from tests.engine.training_support import StandIn, dataset, drive, of_kind, run_once, train_order

from linocut.engine.training.examples import Sample, crop_of, load_pixels, prepare, sample_facts
from linocut.engine.units import EncodeImage, EncodeText
from linocut.engine.work import Background
from linocut.errors import InvalidRequest, NotFound, RunFailed
from linocut.files import sha256_hex
from linocut.orders import TrainFinished, TrainOrder, TrainSample

BLOBS, SAMPLES = dataset()
ORDER = train_order(SAMPLES)


def prepared(order: TrainOrder, folder: Path, blobs: dict[str, bytes] = BLOBS, fetch: Any = None) -> list[Sample]:
    """What ``prepare`` returns, its units executed on the stand-in; ``seen`` counts them by type."""
    found: list[Sample] = []
    seen.clear()

    def routine() -> Any:
        found.extend((yield from prepare(order, StandIn(), fetch or blobs.__getitem__, folder)))

    drive(routine(), StandIn(), lambda number, unit: seen.append(type(unit)))
    return found


seen: list[type[Any]] = []


def same(one: Sample, other: Sample) -> bool:
    """Whether two samples train the same."""
    return (
        one.key == other.key
        and torch.equal(one.latents, other.latents)
        and torch.equal(one.text.tensors["features_TF"], other.text.tensors["features_TF"])
        and one.text.tokens == other.text.tokens
    )


def test_each_sample_has_its_own_latents_and_text(tmp_path: Path) -> None:
    for sample, ordered in zip(prepared(ORDER, tmp_path), SAMPLES, strict=True):
        pixels = load_pixels(ORDER, sample.position - 1, BLOBS.__getitem__)
        assert torch.equal(sample.latents, StandIn().encode_images([pixels])[0])
        assert torch.equal(
            sample.text.tensors["features_TF"], StandIn().encode_text([ordered.caption])[0].tensors["features_TF"]
        )
        assert sample.image_sha256 == ordered.image_sha256


def test_a_second_attempt_encodes_and_fetches_nothing(tmp_path: Path) -> None:
    first = prepared(ORDER, tmp_path)
    again = prepared(ORDER, tmp_path, blobs={})
    assert set(seen) == {Background}
    assert all(same(a, b) for a, b in zip(first, again, strict=True))


def test_features_kept_for_another_sample_are_never_used(tmp_path: Path) -> None:
    """Whatever confuses the files on the disk, a caption does not meet another picture."""
    first = prepared(ORDER, tmp_path)
    files = sorted(tmp_path.iterdir())
    contents = [file.read_bytes() for file in files]
    for file, other in zip(files, contents[1:] + contents[:1], strict=True):
        file.write_bytes(other)
    again = prepared(ORDER, tmp_path)
    assert seen.count(EncodeImage) == len(SAMPLES)
    assert all(same(a, b) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize(
    "order",
    [
        msgspec.structs.replace(ORDER, base="standin@fedcba9876543210"),
        msgspec.structs.replace(ORDER, native_pixels=32),
        train_order(tuple(msgspec.structs.replace(s, caption=s.caption + "!") for s in SAMPLES)),
    ],
    ids=["base", "bucket", "caption"],
)
def test_another_base_bucket_or_caption_is_encoded_anew(tmp_path: Path, order: TrainOrder) -> None:
    prepared(ORDER, tmp_path)
    prepared(order, tmp_path)
    assert seen.count(EncodeImage) == len(SAMPLES)


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: data[:-1] + b"\x7f", lambda data: b""])
def test_a_damaged_file_costs_one_more_encoding(tmp_path: Path, damage: Any) -> None:
    first = prepared(ORDER, tmp_path)
    file = sorted(tmp_path.iterdir())[3]
    file.write_bytes(damage(file.read_bytes()))
    again = prepared(ORDER, tmp_path)
    assert seen.count(EncodeImage) == 1
    assert all(same(a, b) for a, b in zip(first, again, strict=True))


def test_one_picture_with_two_captions_is_two_samples(tmp_path: Path) -> None:
    twice = (SAMPLES[0], msgspec.structs.replace(SAMPLES[0], caption="another"))
    one, other = prepared(train_order(twice, holdout=()), tmp_path)
    assert (seen.count(EncodeImage), seen.count(EncodeText)) == (1, 2)
    assert one.key != other.key
    assert torch.equal(one.latents, other.latents)
    assert not torch.equal(one.text.tensors["features_TF"], other.text.tensors["features_TF"])


def test_a_samples_key_is_a_function_of_its_content_alone() -> None:
    facts = sample_facts(ORDER, SAMPLES[2])
    moved = train_order((SAMPLES[5], SAMPLES[2]), run_id="other", seed=99, steps=500)
    assert sample_facts(moved, moved.samples[1]) == facts
    recaptioned = msgspec.structs.replace(SAMPLES[2], caption="else")
    assert sample_facts(ORDER, recaptioned)["key"] != facts["key"]


def disc(width: int, height: int, radius: int) -> tuple[bytes, TrainSample]:
    """A white disc in the middle of a black picture."""
    image = Image.new("RGB", (width, height))
    middle = (width / 2, height / 2)
    ImageDraw.Draw(image).ellipse(
        (middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius), fill=(255, 255, 255)
    )
    file = io.BytesIO()
    image.save(file, "PNG")
    data = file.getvalue()
    return data, TrainSample(image_sha256=sha256_hex(data), width=width, height=height, caption="disc")


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (900, 200), (333, 222)])
def test_a_circle_stays_round(size: tuple[int, int]) -> None:
    """Cover and crop, never squash: the disc is as wide as it is high after the bucket."""
    data, sample = disc(*size, radius=60)
    order = train_order((sample,), holdout=(), native_pixels=128)
    white = load_pixels(order, 0, {sample.image_sha256: data}.__getitem__)[:, :, 0].numpy() > 127
    high, wide = np.any(white, axis=1).sum(), np.any(white, axis=0).sum()
    assert abs(int(high) - int(wide)) <= 1
    assert high > 10


@pytest.mark.parametrize("size", [(100, 60), (48, 20), (17, 33), (128, 128), (60, 128)])
def test_a_small_picture_is_never_scaled_up(size: tuple[int, int]) -> None:
    data, sample = disc(*size, radius=5)
    order = train_order((sample,), holdout=(), native_pixels=128)
    crop = crop_of(order, sample)
    pixels = load_pixels(order, 0, {sample.image_sha256: data}.__getitem__)
    assert tuple(pixels.shape[:2]) == (crop.height, crop.width)
    assert crop.scaled_width <= size[0]
    assert crop.scaled_height <= size[1]


def test_a_picture_of_its_buckets_size_is_left_as_it_is() -> None:
    data, sample = disc(128, 96, radius=5)
    order = train_order((sample,), holdout=(), native_pixels=128)
    pixels = load_pixels(order, 0, {sample.image_sha256: data}.__getitem__)
    assert np.array_equal(pixels.numpy(), np.asarray(Image.open(io.BytesIO(data))))


def missing(sha256: str) -> bytes:
    raise NotFound()


def gone(sha256: str) -> bytes:
    raise FileNotFoundError(2, "No such file", "/data/blobs/ab")


@pytest.mark.parametrize(
    "fetch",
    [
        missing,
        gone,
        lambda sha: BLOBS[sha][:-20],
        lambda sha: BLOBS[SAMPLES[0].image_sha256] if sha == SAMPLES[3].image_sha256 else BLOBS[sha],
    ],
    ids=["missing", "disk", "truncated", "another picture"],
)
def test_a_missing_or_damaged_picture_is_named(tmp_path: Path, fetch: Any) -> None:
    def only_the_fourth(sha: str) -> bytes:
        data: bytes = fetch(sha) if sha == SAMPLES[3].image_sha256 else BLOBS[sha]
        return data

    with pytest.raises(RunFailed) as failed:
        prepared(ORDER, tmp_path, fetch=only_the_fourth)
    message = failed.value.message
    assert f"picture 4 of 7 (sha256 {SAMPLES[3].image_sha256[:8]})" in message
    assert "upload it again" in message
    assert "/data" not in message
    assert failed.value.details == {"position": 4, "image_sha256": SAMPLES[3].image_sha256}


@pytest.mark.parametrize(
    "make", [lambda: b"no picture at all", lambda: _gif(), lambda: disc(31, 31, 3)[0]], ids=["bytes", "gif", "size"]
)
def test_a_blob_that_is_not_the_recorded_picture_is_named(tmp_path: Path, make: Any) -> None:
    data = make()
    sample = TrainSample(image_sha256=sha256_hex(data), width=48, height=48, caption="")
    with pytest.raises(RunFailed, match=r"picture 1 of 1 .* is missing or damaged"):
        prepared(train_order((sample,), holdout=()), tmp_path, blobs={sample.image_sha256: data})


def _gif() -> bytes:
    file = io.BytesIO()
    Image.new("P", (48, 48)).save(file, "GIF")
    return file.getvalue()


def as_jpeg(data: bytes) -> tuple[bytes, bytes]:
    """A JPEG, and a PNG of the pixels that it decodes to."""
    jpeg, png = io.BytesIO(), io.BytesIO()
    Image.open(io.BytesIO(data)).save(jpeg, "JPEG", quality=90)
    Image.open(io.BytesIO(jpeg.getvalue())).convert("RGB").save(png, "PNG")
    return jpeg.getvalue(), png.getvalue()


def test_the_same_pixels_in_a_jpeg_and_in_a_png_train_to_the_same_bytes(tmp_path: Path) -> None:
    """Noise, noise levels and order are drawn by the pixels, whatever file holds them; a row of before, that does not
    know its pixels' hash, goes on drawing by its file's."""
    adapters = {}
    for kind in ("jpeg", "png", "png, as rows of before"):
        blobs, samples = {}, []
        for sample in SAMPLES:
            jpeg, png = as_jpeg(BLOBS[sample.image_sha256])
            data = jpeg if kind == "jpeg" else png
            name = "" if kind.endswith("before") else sha256_hex(png + b"pixels")
            blobs[sha256_hex(data)] = data
            samples.append(msgspec.structs.replace(sample, image_sha256=sha256_hex(data), pixels_sha256=name))
        order = train_order(tuple(samples), steps=3, checkpoint_every=3, preview_every=3)
        events = run_once(order, blobs, tmp_path / str(len(kind)))
        adapters[kind] = of_kind(events, TrainFinished)[0].path.read_bytes()
    tensors = {kind: adapter[8 + int.from_bytes(adapter[:8], "little") :] for kind, adapter in adapters.items()}
    assert tensors["jpeg"] == tensors["png"]
    assert tensors["png, as rows of before"] != tensors["png"]


def test_a_sample_of_before_is_written_as_before() -> None:
    assert b"pixels" not in msgspec.json.encode(SAMPLES[0])
    assert SAMPLES[0].content == SAMPLES[0].image_sha256


def test_a_picture_that_the_base_cannot_encode_is_named(tmp_path: Path) -> None:
    class Broken(StandIn):
        def encode_images(self, pixels_HWC: Any) -> list[torch.Tensor]:
            return [torch.full_like(latent, float("nan")) for latent in super().encode_images(pixels_HWC)]

    def routine() -> Any:
        yield from prepare(ORDER, Broken(), BLOBS.__getitem__, tmp_path)

    with pytest.raises(RunFailed, match=r"cannot encode picture 1 of 7"):
        drive(routine(), Broken())
    assert not tmp_path.exists() or not list(tmp_path.iterdir())
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("kind", [EncodeImage, EncodeText])
def test_a_refusal_of_the_base_names_the_picture(tmp_path: Path, kind: type[Any]) -> None:
    """The caption is longer than the base takes, or the engine found the latents not finite."""

    def routine() -> Any:
        yield from prepare(ORDER, StandIn(), BLOBS.__getitem__, tmp_path)

    counted: list[int] = []

    def before(number: int, unit: Any) -> Exception | None:
        counted.extend([1] if isinstance(unit, kind) else [])
        return InvalidRequest("The caption is too long.") if len(counted) == 2 else None

    with pytest.raises(RunFailed, match=r"cannot encode picture 2 of 7 .*: The caption is too long\. Change or remove"):
        drive(routine(), StandIn(), before)
