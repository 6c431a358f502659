"""Unchecked fields into checked requests: what is understood, what is refused, and in which words."""

from typing import Any

import pytest

from linocut.api.body import Texts
from linocut.api.fields import read, rules_of
from linocut.api.multipart import Part
from linocut.errors import InvalidRequest
from linocut.wire import GenerateImageRequestV3, GenerateImageRequestV4, TrainModelV3AdvancedRequest
from linocut.wire.queries import ListModelsQuery
from linocut.wire.types import UNSET

TRAIN = {"dataset_id": "d", "model_name": "tea posters"}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (5, 5), (0, 0), (5.0, 5), ("5", 5), (" 5 ", 5), ("5.0", 5), (Texts(["5"]), 5), (Texts(["5", "5"]), 5),
        (Texts(["0"]), 0), (2147483647, 2147483647), (None, UNSET), (Texts([""]), UNSET), ("", UNSET),
        (Texts(["None"]), UNSET),
    ],
)  # fmt: skip
def test_a_seed_however_it_is_written(given: Any, meant: Any) -> None:
    assert read(GenerateImageRequestV3, {"prompt": "p", "seed": given}).seed == meant


@pytest.mark.parametrize(
    "given",
    [-1, 2147483648, 5.5, True, "five", "5.5", "0x5", "1e3", [5], {"a": 5}, "9" * 400, "٣٤", "1_0", float(2**70)],
)
def test_a_seed_that_is_none(given: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^seed must be an integer from 0 to 2147483647") as refused:
        read(GenerateImageRequestV3, {"prompt": "p", "seed": given})
    assert refused.value.details["field"] == "seed"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["ABCD1234"], ["ABCD1234"]),
        (Texts(["ABCD1234", "0000FFFF"]), ["ABCD1234", "0000FFFF"]),
        (Texts(["ABCD1234,0000FFFF"]), ["ABCD1234", "0000FFFF"]),
        (Texts(["ABCD1234, 0000FFFF"]), ["ABCD1234", "0000FFFF"]),
        (Texts(["[ABCD1234,0000FFFF]"]), ["ABCD1234", "0000FFFF"]),
        (Texts(['["ABCD1234","0000FFFF"]']), ["ABCD1234", "0000FFFF"]),
        ("ABCD1234,0000FFFF", ["ABCD1234", "0000FFFF"]),
        (Texts(["[]"]), []),
        (Texts([""]), []),
        ([], []),
    ],
)
def test_a_list_however_it_is_written(given: Any, meant: Any) -> None:
    assert read(GenerateImageRequestV3, {"prompt": "p", "style_codes": given}).style_codes == meant


@pytest.mark.parametrize(
    ("given", "meant"), [("true", True), ("True", True), ("1", True), ("False", False), (True, True)]
)
def test_a_truth_however_it_is_written(given: Any, meant: bool) -> None:
    request = read(GenerateImageRequestV3, {"prompt": "p", "enable_copyright_detection": given})
    assert request.enable_copyright_detection is meant


CAPTION = '{"high_level_description":"x","compositional_deconstruction":{"background":"b","elements":[]}}'


@pytest.mark.parametrize(
    "given",
    [
        CAPTION,
        Texts([CAPTION]),
        Texts([f" {CAPTION}\n"]),
        Texts([Part("json_prompt", "blob", bytearray(CAPTION.encode()), size=len(CAPTION))]),
    ],
)
def test_an_object_however_it_is_sent(given: Any) -> None:
    read_back = read(GenerateImageRequestV4, {"json_prompt": given}).json_prompt
    assert isinstance(read_back, dict)
    assert read_back["high_level_description"] == "x"


@pytest.mark.parametrize("written", ["0.001", "1e-3", ".001", "1.0E-3", " 0.001 ", 0.001])
def test_a_number_however_it_is_written(written: Any) -> None:
    assert read(TrainModelV3AdvancedRequest, {**TRAIN, "learning_rate": written}).learning_rate == 0.001


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x"])
def test_a_file_is_no_text(content: bytes) -> None:
    cut_off = Part("prompt", "a.png", bytearray(content), size=len(content) + (content == b"x"))
    with pytest.raises(InvalidRequest, match=r"^prompt must be text, not a file\.$"):
        read(GenerateImageRequestV3, {"prompt": Texts([cut_off])})


def test_free_text_is_never_touched() -> None:
    for text in (" [a,b] ", "5", "true", '{"a": 1}', "a, b", "", "ünï ☕"):
        assert read(GenerateImageRequestV3, {"prompt": Texts([text])}).prompt == text
        assert read(GenerateImageRequestV3, {"prompt": text}).prompt == text


@pytest.mark.parametrize("given", [5, True, ["p"], {"p": 1}])
def test_json_that_is_no_text_is_no_prompt(given: Any) -> None:
    with pytest.raises(InvalidRequest, match="prompt must be text"):
        read(GenerateImageRequestV3, {"prompt": given})


@pytest.mark.parametrize("given", [["a cat", "a dog"], ["a cat", ""]])
def test_one_value_is_not_chosen_from_several(given: list[str]) -> None:
    with pytest.raises(InvalidRequest, match=r"^prompt is one value, and 2 were sent; send one\.$"):
        read(GenerateImageRequestV3, {"prompt": Texts(given)})
    assert read(GenerateImageRequestV3, {"prompt": Texts(["a cat", "a cat"])}).prompt == "a cat"


def test_what_is_required_is_asked_for_with_its_rule() -> None:
    for values in ({}, {"prompt": None}):
        with pytest.raises(InvalidRequest, match=r"^prompt is required: it must be text\.$"):
            read(GenerateImageRequestV3, values)
    with pytest.raises(InvalidRequest, match="model_name is required: it must have 5 to 30 characters"):
        read(TrainModelV3AdvancedRequest, {"dataset_id": "d"})


def test_unknown_names_are_ignored() -> None:
    assert read(GenerateImageRequestV3, {"prompt": "p", "wandb_project": "x"}).prompt == "p"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("model_name", "tea", "model_name must have 5 to 30 characters: letters, digits, spaces and hyphens; you sent"),
        ("model_name", "tea posters!", "letters, digits, spaces and hyphens"),
        ("model_name", "tea posters\n", "letters, digits, spaces and hyphens"),
        ("model_name", "t" * 31, "5 to 30 characters"),
        ("training_steps", 99, "an integer from 100 to 10000, in steps of 100"),
        ("training_steps", 150, "in steps of 100"),
        ("lora_rank", 32, "lora_rank must be one of 64, 128"),
        ("ema", 1, "ema must be a number above 0 and below 1"),
        ("ema", "nan", "ema must be a number above 0 and below 1"),
        ("learning_rate", 0, "learning_rate must be a number above 0"),
        ("learning_rate", "inf", "learning_rate must be a number above 0"),
        ("learning_rate", float("nan"), "learning_rate must be a number above 0"),
        ("learning_rate", float("inf"), "learning_rate must be a number above 0"),
        (
            "learning_rate",
            "1e999",
            "learning_rate must be a number above 0",
        ),  # a number to a reader, infinity to a float
        ("seed", -1, "from 0 to 2147483647"),
    ],
)
def test_a_refusal_names_the_field_and_its_rule(field: str, value: Any, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(TrainModelV3AdvancedRequest, {**TRAIN, field: value})
    assert words in refused.value.message
    assert refused.value.message.startswith(field)
    assert refused.value.message.endswith(".")


def test_the_published_defaults_hold_where_nothing_is_said() -> None:
    request = read(TrainModelV3AdvancedRequest, {**TRAIN, "lora_rank": "64"})
    assert (request.training_steps, request.lora_rank, request.ema, request.seed) == (1000, 64, UNSET, UNSET)


def test_a_long_list_of_values_is_not_read_out() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(GenerateImageRequestV3, {"prompt": "p", "resolution": "1x1"})
    assert refused.value.message == (
        "resolution must be one of 69 values that /docs lists, such as 1024x1024; you sent '1x1'."
    )


def test_what_was_sent_is_shown_only_when_it_is_short() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(GenerateImageRequestV3, {"prompt": "p", "magic_prompt": "x" * 5000})
    assert refused.value.message == "magic_prompt must be one of AUTO, OFF, ON."


def test_query_parameters_are_read_like_fields() -> None:
    query = read(ListModelsQuery, {"status": Texts(["TRAINING", "COMPLETED"]), "scope": Texts(["owned"])})
    assert (query.scope, query.status) == ("owned", ["TRAINING", "COMPLETED"])
    with pytest.raises(InvalidRequest, match="status must be a list, and each of its entries must be one of"):
        read(ListModelsQuery, {"status": Texts(["NEW"])})


def test_every_rule_is_a_sentence_s_end() -> None:
    for model in (GenerateImageRequestV3, GenerateImageRequestV4, TrainModelV3AdvancedRequest, ListModelsQuery):
        assert all(rule.words.startswith("must ") for rule in rules_of(model))
