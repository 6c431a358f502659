"""A model's card: what the hub's own reader makes of it, and what is not in it."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import yaml
from huggingface_hub import ModelCard

from linocut.bases import MINI, Licence, load_base
from linocut.bases.known import catalogue
from linocut.custom_models.card import HUB_LICENCES, OfBase, card, file_name, of_base
from linocut.custom_models.types import Imported, ModelView, RunView

AT = datetime(2026, 11, 28, tzinfo=UTC)
SCORES = {"0": 0.9, "200": 0.51, "400": 0.6, "chosen_step": 200.0, "style_at_200": 0.3, "captions_with_lettering": 1.0}
RUN = RunView(dataset_kind=None, notes=None, batch_size=4,
    run_id="r", status="COMPLETED", training_steps=400, lora_rank=32, ema=0.99, learning_rate=1e-4, seed=7, step=400,
    loss=0.123456, eta_seconds=None, stopped_at_step=None, error=None, created_at=AT, updated_at=AT, scores=SCORES,
    kept_steps=None,
)  # fmt: skip
MODEL = ModelView(
    model_id="m" * 22, custom_model_uri="model/house-style/version/3", name="House style", status="COMPLETED",
    dataset_id="d" * 22, base="z_image@0123456789abcdef", created_at=AT, updated_at=AT, is_available=True,
    is_owned=True, runs=(RUN,),
)  # fmt: skip
APACHE = Licence("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0")
BASE = OfBase(MODEL.base, "Z-Image", "Tongyi-MAI/Z-Image", APACHE)

HUB_FIELDS = {
    "license", "license_name", "license_link", "library_name", "pipeline_tag", "base_model", "base_model_relation",
    "instance_prompt", "tags", "widget", "model-index",
}  # fmt: skip
"""Of the hub's documented fields, those that a card of ours may have."""


def head_of(text: str) -> dict[str, Any]:
    assert text.startswith("---\n")
    return dict(yaml.safe_load(text.split("---\n")[1]))


def changed(**values: Any) -> ModelView:
    return msgspec.structs.replace(MODEL, **values)


def test_the_hub_reads_what_we_mean() -> None:
    text = card(MODEL, BASE)
    head, read = head_of(text), ModelCard(text).data
    assert set(head) <= HUB_FIELDS
    assert (read.license, read.library_name, read.pipeline_tag) == ("apache-2.0", "diffusers", "text-to-image")
    assert (head["base_model"], head["base_model_relation"]) == ("Tongyi-MAI/Z-Image", "adapter")
    assert read.tags == ["text-to-image", "diffusers", "lora", "z-image", "linocut", "linocut-trained"]
    assert [list(one) for one in head["widget"]] == [["text"]] * 3
    result = read.eval_results[0]
    assert (read.model_name, result.metric_type, result.metric_value) == ("House style", "loss", 0.51)
    assert "instance_prompt" not in head
    assert "There is no trigger word" in text


def test_the_numbers_of_the_training_are_told() -> None:
    text = card(MODEL, BASE)
    for row in ("| steps | 400 |", "| step of this checkpoint | 200 |", "| rank | 32 |", "| learning rate | 0.0001 |",
                "| pictures of a step | 4 |",
                "| EMA decay | 0.99 |", "| seed | 7 |", "| loss at the end | 0.1235 |", "| 200 | 0.51 |"):  # fmt: skip
        assert row in text
    assert "captions_with_lettering" not in text
    assert "stopped at step" not in text
    stopped = changed(runs=(msgspec.structs.replace(RUN, stopped_at_step=250),))
    assert "| stopped at step | 250 |" in card(stopped, BASE)
    assert 'weight_name="house-style-3.safetensors"' in text
    assert file_name(MODEL) == "house-style-3.safetensors"


def test_an_imported_model_says_where_it_is_from_and_what_calls_it() -> None:
    trigger = 'TOK: "quoted" # not a comment'
    text = card(changed(runs=(), dataset_id=None, imported=Imported("kohya", 16, 8.0, (), trigger)), BASE)
    head = head_of(text)
    assert head["instance_prompt"] == trigger
    assert all(one["text"].startswith(f"{trigger}, ") for one in head["widget"])
    assert head["tags"][-1] == "linocut-imported"
    assert "from a file of kohya" in text
    assert "| rank | 16 |" in text
    assert "## Training" not in text
    assert "model-index" not in head


def test_every_known_licence_is_one_that_the_hub_takes() -> None:
    """Either one of its own identifiers, or ``other`` with a name and a link."""
    for known in catalogue().values():
        head = head_of(card(MODEL, msgspec.structs.replace(BASE, licence=known.licence)))
        assert head["license"] in {*HUB_LICENCES.values(), "other"}
        assert (head["license"] == "other") == ("license_name" in head) == ("license_link" in head)
    assert head_of(card(MODEL, OfBase("z_image@0123")))["license"] == "unknown"


def test_mini_has_prompts_that_it_can_draw() -> None:
    base = load_base(MINI)
    assert "a yellow star on a green ground" in card(MODEL, of_base(base, "", ""))
    assert "a yellow star on a green ground" not in card(
        MODEL, of_base(msgspec.structs.replace(base, knows=""), "", "")
    )


def test_a_base_that_the_hub_does_not_have_is_named_by_its_family() -> None:
    text = card(MODEL, OfBase("flux2@0123456789abcdef"))
    assert "A LoRA on a base of the family flux2" in text
    assert "DiffusionPipeline" not in text
    assert "base_model" not in head_of(text)
