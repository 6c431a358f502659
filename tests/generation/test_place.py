"""A request becomes a complete order, or a sentence that names the field."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from tests.runs.workshop import BASE, Workshop

from linocut import __version__
from linocut.bases import Sampling
from linocut.custom_models import service as registry
from linocut.db.tables import jobs
from linocut.errors import InvalidRequest, NotFound, TooManyInFlight, Unsafe
from linocut.generation.service import AUTO_REWRITES_BELOW_WORDS
from linocut.orders import GenerateOrder, order_from_json

JSON_PROMPT = {
    "compositional_deconstruction": {"elements": [{"desc": "a boat", "type": "obj"}], "background": "sea"},
    "high_level_description": "a boat at sea",
    "tags": ["boat"],
}
NORMAL = (
    '{"high_level_description":"a boat at sea","compositional_deconstruction":'
    '{"background":"sea","elements":[{"type":"obj","desc":"a boat"}]}}'
)


def order_of(workshop: Workshop) -> GenerateOrder:
    order = order_from_json(workshop.job(kind="generate").order)
    assert isinstance(order, GenerateOrder)
    return order


def test_a_plain_request_becomes_a_complete_order(workshop: Workshop) -> None:
    placed = workshop.place(workshop.alice, num_images=3, seed=2**31 - 2, aspect_ratio="16x9")
    order = order_of(workshop)
    assert placed.seeds == order.seeds == (2**31 - 2, 2**31 - 1, 0)
    assert (placed.width, placed.height) == (order.output_width, order.output_height) == (1312, 736)
    assert placed.native == (order.width, order.height)
    assert order.width % BASE.size_multiple == order.height % BASE.size_multiple == 0
    assert order.width * order.height <= 1.1 * BASE.native_pixels**2
    assert (order.base, order.organization_id, order.adapter) == (BASE.identity, workshop.alice.organization_id, None)
    assert order.sampling == Sampling(steps=3, guidance=3.0, mu=0.0, std=1.5)
    job = workshop.job(kind="generate")
    assert (job.job_id, job.images, job.status) == (placed.job_id, 3, "QUEUED")


def test_without_a_seed_each_request_gets_another_one(workshop: Workshop) -> None:
    seeds = {workshop.place(workshop.alice, seed=None).seeds for _ in range(3)}
    assert len(seeds) == 3
    assert workshop.place(workshop.alice, seed=0).seeds == (0,)


@pytest.mark.parametrize(
    ("speed", "steps"), [("FLASH", 1), ("TURBO", 2), ("DEFAULT", 3), ("BALANCED", 3), ("QUALITY", 4)]
)
def test_the_speed_chooses_the_sampling(workshop: Workshop, speed: str, steps: int) -> None:
    workshop.place(workshop.alice, rendering_speed=speed)
    assert order_of(workshop).sampling.steps == steps


LONG = " ".join(["word"] * AUTO_REWRITES_BELOW_WORDS)


@pytest.mark.parametrize(
    ("given", "original"),
    [
        ({"magic_prompt": "OFF"}, True),
        ({"magic_prompt": "ON"}, False),
        ({"magic_prompt": "AUTO"}, False),
        ({"magic_prompt": "AUTO", "prompt": LONG}, True),
        ({"magic_prompt": "ON", "prompt": LONG}, False),
        ({"api_version": 4, "magic_prompt": "OFF"}, False),
    ],
)
def test_the_answer_s_prompt_is_the_client_s_or_the_rewritten_one(
    workshop: Workshop, given: dict[str, Any], original: bool
) -> None:
    placed = workshop.place(workshop.alice, **given)
    caption = order_of(workshop).caption
    assert json.loads(caption)["compositional_deconstruction"]
    assert placed.prompt_out == (given.get("prompt", "a red cat") if original else caption)


@pytest.mark.parametrize("magic", ["ON", "OFF", "AUTO"])
def test_the_model_reads_the_same_caption_whatever_magic_prompt_says(workshop: Workshop, magic: str) -> None:
    workshop.place(workshop.alice, magic_prompt=magic)
    assert order_of(workshop).caption == workshop.runtime.expand("a red cat", 1024, 1024)


@pytest.mark.parametrize(
    ("given", "made_up"),
    [
        ({"magic_prompt": "AUTO"}, False),
        ({"magic_prompt": "OFF"}, False),
        ({"magic_prompt": "ON"}, True),
        ({"api_version": 4}, False),
    ],
)
def test_what_a_prompt_leaves_out_is_the_custom_model_s_unless_magic_prompt_is_asked_for(
    workshop: Workshop, given: dict[str, Any], made_up: bool
) -> None:
    uri = workshop.trained(workshop.alice).custom_model_uri
    placed = workshop.place(workshop.alice, prompt="a cat", custom_model_uri=uri, aspect_ratio="1x1", **given)
    size = (placed.width, placed.height)
    expected = workshop.runtime.expand("a cat", *size) if made_up else workshop.runtime.restate("a cat")
    assert order_of(workshop).caption == expected
    assert made_up == ("color_palette" in expected)


def test_a_custom_model_reads_a_structured_prompt_as_it_is(workshop: Workshop) -> None:
    uri = workshop.trained(workshop.alice).custom_model_uri
    for given in ({"prompt": json.dumps(JSON_PROMPT)}, {"prompt": None, "json_prompt": JSON_PROMPT, "api_version": 4}):
        workshop.place(workshop.alice, custom_model_uri=uri, **given)
        assert order_of(workshop).caption == NORMAL


def test_a_json_prompt_goes_to_the_model_in_training_order(workshop: Workshop) -> None:
    placed = workshop.place(workshop.alice, prompt=None, json_prompt=JSON_PROMPT, api_version=4)
    assert order_of(workshop).caption == placed.prompt_out == NORMAL
    assert (placed.width, placed.height) == (2048, 2048)


def test_a_prompt_that_is_a_caption_is_used_as_it_is(workshop: Workshop) -> None:
    workshop.place(workshop.alice, prompt=json.dumps(JSON_PROMPT))
    assert order_of(workshop).caption == NORMAL


@pytest.mark.parametrize("prompt", ["{not json", '{"a": 1}', "[" * 9000, '{"a":' * 1900])
def test_a_prompt_that_only_looks_like_one_is_a_prompt(workshop: Workshop, prompt: str) -> None:
    workshop.place(workshop.alice, prompt=prompt)
    assert json.loads(order_of(workshop).caption)["high_level_description"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"prompt": None}, "prompt is required"),
        ({"prompt": "  "}, "prompt must not be empty"),
        ({"prompt": "x" * 10_001}, "10001 characters; the most is 10000"),
        ({"prompt": None, "api_version": 4}, "exactly one"),
        ({"json_prompt": JSON_PROMPT, "api_version": 4}, "exactly one"),
        ({"prompt": None, "json_prompt": {}, "api_version": 4}, "high_level_description"),
        ({"num_images": 0}, "num_images must be 1 to 8"),
        ({"num_images": 9}, "num_images must be 1 to 8"),
        ({"num_images": 2, "api_version": 4}, "num_images must be 1\\."),
        ({"seed": -1}, "seed must be 0 to 2147483647"),
        ({"seed": 2**31}, "seed must be 0 to 2147483647"),
        ({"rendering_speed": "SLOW"}, "must be one of FLASH, TURBO"),
        ({"rendering_speed": "FLASH", "api_version": 4}, "FLASH is not available with Ideogram 4"),
        ({"magic_prompt": "MAYBE"}, "magic_prompt must be"),
        ({"resolution": (1024, 1024), "aspect_ratio": "1x1"}, "not both"),
        ({"resolution": (100, 100)}, "resolution 100x100"),
        ({"custom_model_uri": "house-style"}, "custom_model_uri must have the form"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_queued(workshop: Workshop, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        workshop.place(workshop.alice, **given)
    assert workshop.count(jobs) == 0


def test_a_custom_model_s_adapter_is_in_the_order_on_both_versions(workshop: Workshop) -> None:
    model = workshop.trained(workshop.alice, version=4)
    assert model.custom_model_uri == "model/house-style/version/0"
    weights = workshop.read(lambda tx: registry.weights_of(tx, workshop.alice, model.model_id))
    for version in (3, 4):
        workshop.place(workshop.alice, custom_model_uri=model.custom_model_uri, api_version=version)
        assert order_of(workshop).adapter == weights
    with pytest.raises(NotFound):
        workshop.place(workshop.bob, custom_model_uri=model.custom_model_uri)


def test_images_in_flight_are_counted_per_organisation(open_workshop: Callable[..., Workshop]) -> None:
    workshop = open_workshop(max_images_in_flight=5)
    workshop.place(workshop.alice, num_images=3)
    with pytest.raises(TooManyInFlight, match="3 images in progress and asks for 3 more; its limit is 5") as caught:
        workshop.place(workshop.carol, num_images=3)
    assert caught.value.details["max_inflight_requests"] == 5
    workshop.place(workshop.carol, num_images=2)
    workshop.place(workshop.bob, num_images=5)
    workshop.worker().run_until_idle()
    workshop.place(workshop.alice, num_images=5)


def test_more_images_than_the_limit_are_never_told_to_wait(open_workshop: Callable[..., Workshop]) -> None:
    workshop = open_workshop(max_images_in_flight=2)
    with pytest.raises(InvalidRequest, match=r"asks for 3 images at once; .* Ask for at most 2 in one request\."):
        workshop.place(workshop.alice, num_images=3)


def test_a_training_takes_no_place_of_an_image(open_workshop: Callable[..., Workshop]) -> None:
    workshop = open_workshop(max_images_in_flight=1)
    workshop.start(workshop.alice)
    workshop.place(workshop.alice)


def test_many_requests_at_once_never_pass_the_limit(open_workshop: Callable[..., Workshop]) -> None:
    workshop = open_workshop(max_images_in_flight=5)

    def try_one(_: int) -> bool:
        try:
            workshop.place(workshop.alice)
        except TooManyInFlight:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_one, range(20))) == 5


def test_the_safety_rule_looks_at_plain_and_at_json_prompts(workshop: Workshop) -> None:
    unsafe = {**JSON_PROMPT, "high_level_description": "a nude child"}
    disguised = "a ｎｕｄｅ ｃｈｉｌｄ"  # letters of full width
    for given in (
        {"prompt": "a nude child"},
        {"prompt": "A Nude CHILD"},
        {"prompt": disguised},
        {"prompt": None, "json_prompt": unsafe, "api_version": 4},
    ):
        with pytest.raises(Unsafe, match="failed safety check"):
            workshop.place(workshop.alice, **given)
    workshop.place(workshop.alice, prompt="a child with a kite")
    workshop.place(workshop.alice, prompt="a nude study in the manner of the old masters")
    assert workshop.count(jobs) == 2


def test_what_was_not_taken_as_it_was_asked_is_told(open_workshop: Callable[..., Workshop]) -> None:
    workshop = open_workshop(base=msgspec.structs.replace(BASE, knows="cats"))
    assert workshop.place(workshop.alice, prompt="a red cat", resolution=None).notes == (
        "The base draws 64x64 pixels; the answer was enlarged to 1024x1024.",
    )
    placed = workshop.place(workshop.alice, prompt="a photo of a dog on a beach", num_images=2)
    assert placed.notes[0] == 'The base does not know "dog" and "beach". It knows cats.'


LONG_TEXT = "a quiet harbour with many small boats and old nets " * 12


@pytest.mark.parametrize("with_model", [False, True])
@pytest.mark.parametrize("magic", ["OFF", "AUTO"])
def test_an_answer_s_prompt_claims_no_more_than_was_used(workshop: Workshop, magic: str, with_model: bool) -> None:
    uri = workshop.trained(workshop.alice).custom_model_uri if with_model else None
    captions = []
    for ending in ("a lighthouse", "a whale"):
        placed = workshop.place(
            workshop.alice, prompt=LONG_TEXT + ending, magic_prompt=magic, custom_model_uri=uri, seed=3
        )
        captions.append(order_of(workshop).caption)
        assert any(note.startswith("The text was cut after ") for note in placed.notes)
        assert placed.prompt_out == captions[-1]
        assert ending not in json.loads(placed.prompt_out)["high_level_description"]
    short = workshop.place(workshop.alice, prompt="a harbour", magic_prompt="OFF", custom_model_uri=uri)
    assert short.prompt_out == "a harbour"
    assert not any(note.startswith("The text was cut") for note in short.notes)


@pytest.mark.parametrize(("learned", "asked", "told"), [
    ("a red cat", 'a cat with the word "TEA"', True),
    ("a red cat", "a cat", False),
    ('a red cat with the word "SUN"', 'a cat with the word "TEA"', False),
])  # fmt: skip
def test_words_asked_of_a_model_that_learned_none(workshop: Workshop, learned: str, asked: str, told: bool) -> None:
    dataset_id = workshop.dataset(workshop.alice, caption=lambda number: learned if number == 3 else "a red cat")
    uri = workshop.trained(workshop.alice, dataset_id=dataset_id).custom_model_uri
    notes = workshop.place(workshop.alice, prompt=asked, custom_model_uri=uri).notes
    sentence = "The custom model was trained on captions without lettering: words may be missing or wrong."
    assert (sentence in notes) == told
    assert sentence not in workshop.place(workshop.alice, prompt=asked).notes


def test_a_foreign_caption_is_reworded_and_the_answer_keeps_it(open_workshop: Callable[..., Workshop]) -> None:
    workshop = open_workshop(base=msgspec.structs.replace(BASE, knows="cats"))
    parts = {"background": "plain navy", "elements": [{"type": "obj", "desc": "A solid red circle"}]}
    sent = {"high_level_description": "x", "compositional_deconstruction": parts}
    for given in ({"prompt": None, "json_prompt": sent, "api_version": 4}, {"prompt": json.dumps(sent)}):
        placed = workshop.place(workshop.alice, **given)
        assert json.loads(placed.prompt_out) == sent
        assert json.loads(order_of(workshop).caption)["compositional_deconstruction"]["elements"] == [
            {"type": "obj", "desc": "a red circle"}
        ]
        assert any('"A solid red circle" as "a red circle"' in note for note in placed.notes)


def test_an_order_says_where_it_comes_from(open_workshop: Callable[..., Workshop]) -> None:
    workshop = open_workshop()
    workshop.place(workshop.alice, prompt="a red cat")
    assert order_of(workshop).provenance == {"prompt": "a red cat", "version": __version__}
    uri = workshop.trained(workshop.alice).custom_model_uri
    workshop.place(workshop.alice, prompt=None, json_prompt=JSON_PROMPT, api_version=4, custom_model_uri=uri)
    assert order_of(workshop).provenance == {"prompt": NORMAL, "model": uri, "version": __version__}


def test_pictures_say_nothing_of_themselves_where_the_setting_is_off(open_workshop: Callable[..., Workshop]) -> None:
    workshop = open_workshop(png_text=False)
    workshop.place(workshop.alice)
    assert order_of(workshop).provenance == {}
