"""Orders survive JSON, errors survive JSON and pickling: they cross between processes."""

import json
import pickle

import msgspec
import pytest

from linocut.bases import Sampling
from linocut.errors import Busy, Internal, LinocutError, error_from_json
from linocut.orders import (
    AdapterRef,
    GenerateOrder,
    PreviewPrompt,
    TrainOrder,
    TrainSample,
    order_from_json,
    order_to_json,
)

GENERATE = GenerateOrder(
    base="ideogram4@0", organization_id="o", caption='{"high_level_description":"é"}', width=128, height=96,
    output_width=1024, output_height=768, seeds=(0, 2**31 - 1), sampling=Sampling(20, 3.5, 1.5, 1.0),
    adapter=AdapterRef(sha256="a" * 64, size_bytes=7),
)  # fmt: skip
TRAIN = TrainOrder(
    base="ideogram4@0", organization_id="o", run_id="r",
    samples=(TrainSample(image_sha256="b" * 64, width=512, height=512, caption="{}"),), holdout=(0,), seed=1,
    steps=100, rank=16, alpha=16.0, learning_rate=1e-3, batch_size=8, ema=0.99, caption_dropout=0.1,
    weight_decay=1e-4, warmup_steps=10, clip_norm=1.0, sigma_mean=0.0, sigma_std=1.0, native_pixels=128,
    size_multiple=16, checkpoint_every=20, preview_every=50, previews=(PreviewPrompt(caption="{}", seed=3),),
    preview_sampling=Sampling(8, 3.0, 1.5, 1.0),
)  # fmt: skip


@pytest.mark.parametrize("order", [GENERATE, TRAIN])
def test_an_order_is_the_same_after_json(order: GenerateOrder | TrainOrder) -> None:
    assert order_from_json(order_to_json(order)) == order


def test_an_order_with_a_part_missing_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="steps"):
        order_from_json(order_to_json(GENERATE).replace('"steps":20,', ""))


@pytest.mark.parametrize("order", [GENERATE, TRAIN])
def test_an_order_of_version_0_1_is_still_read(order: GenerateOrder | TrainOrder) -> None:
    """Its sampling lay flat in it; a job row may hold one when the server is upgraded."""
    now = json.loads(order_to_json(order))
    prefix = "preview_" if isinstance(order, TrainOrder) else ""
    flat = {f"{prefix}{key}": value for key, value in now.pop(f"{prefix}sampling").items()}
    assert order_from_json(json.dumps({**now, **flat})) == order
    flat.pop(f"{prefix}guidance")
    with pytest.raises(msgspec.ValidationError, match="guidance"):
        order_from_json(json.dumps({**now, **flat}))


def test_an_order_from_before_the_options_is_still_read() -> None:
    """It asked for nothing to be left out and looked at no pictures."""
    now = json.loads(order_to_json(GENERATE))
    added = ("negative", "references", "reference_mask", "styles")
    before = {key: value for key, value in now.items() if key not in added}
    assert len(before) == len(now) - len(added)
    assert order_from_json(json.dumps(before)) == GENERATE
    assert (GENERATE.negative, GENERATE.references, GENERATE.styles) == ("", (), ())


def _tree(root: type[LinocutError]) -> list[type[LinocutError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in _tree(child))]


@pytest.mark.parametrize("kind", _tree(LinocutError), ids=lambda kind: kind.__name__)
def test_an_error_is_the_same_after_json_and_after_crossing_processes(kind: type[LinocutError]) -> None:
    error = kind("A sentence.", field="seed", retry_after_seconds=3)
    for copy in (pickle.loads(pickle.dumps(error)), error_from_json(error.to_json())):
        assert type(copy) is (kind if kind is not LinocutError else LinocutError)
        assert copy.to_json() == error.to_json()


@pytest.mark.parametrize("kind", _tree(LinocutError), ids=lambda kind: kind.__name__)
def test_every_error_has_a_default_sentence(kind: type[LinocutError]) -> None:
    assert kind().message.endswith(".")
    assert len(kind().message) > 10


def test_an_unknown_error_code_becomes_internal() -> None:
    assert type(error_from_json({"code": "martian", "message": "x"})) is Internal
    assert Busy(retry_after_seconds=2).details == {"retry_after_seconds": 2}
