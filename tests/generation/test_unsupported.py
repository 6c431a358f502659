"""What a base cannot do is refused or noted, as the operator chose, and both name a base that can."""

import pytest

from linocut.errors import InvalidRequest
from linocut.generation.unsupported import unsupported
from linocut.settings import Settings


def test_it_is_refused_with_the_field_and_who_can() -> None:
    with pytest.raises(InvalidRequest) as refused:
        unsupported("negative_prompt", "has no place for it", ["sdxl", "flux2"], Settings())
    assert refused.value.details == {"field": "negative_prompt"}
    assert refused.value.message == (
        "negative_prompt: The base that is served has no place for it. A base of FLUX.2 klein or Stable Diffusion XL "
        "can. Leave negative_prompt out."
    )


def test_it_is_noted_where_the_operator_wants_that() -> None:
    note = unsupported("negative_prompt", "has no place for it", ["flux2"], Settings(unsupported="note"))
    assert (
        note == "negative_prompt was left out: the base that is served has no place for it. A base of FLUX.2 klein can."
    )
    alone = unsupported("negative_prompt", "has no place for it", [], Settings(unsupported="note"))
    assert alone == "negative_prompt was left out: the base that is served has no place for it."


def test_no_other_word_is_taken() -> None:
    with pytest.raises(ValueError, match="unsupported"):
        Settings(unsupported="ignore")
