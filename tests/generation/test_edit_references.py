"""An edit on a base that looks at pictures: they are its references, and it reads the instruction word for word."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from linocut.api.translate.revisions import edit_ask, with_references
from linocut.captions import Worded
from linocut.errors import InvalidRequest
from linocut.generation.options import settled
from linocut.generation.service import _worded
from linocut.generation.types import Look
from linocut.pictures.intake import StoredPicture
from linocut.settings import Settings
from linocut.wire import V1EditImagesRequest


def means(takes_references: bool, most: int = 11, **given: Any) -> Any:
    base = SimpleNamespace(
        takes_references=takes_references,
        takes_negative_text=True,
        family="flux2",
        sampling={},
        knows="",
        max_references=most,
    )
    said = lambda text, *size, make_up: Worded(f"made of {text}", "")  # noqa: E731
    return SimpleNamespace(base=base, settings=Settings(**given), worded=said)


def test_the_pictures_are_references_and_the_size_is_the_first_one_s() -> None:
    request = V1EditImagesRequest(prompt="put the cup on the table", images=["a", "b"], seed=3)
    ask = edit_ask(request, means(True))
    pictures = [StoredPicture(str(n) * 64, 9, 1300, 740, has_alpha=False) for n in range(2)]
    ask = with_references(ask, pictures, ())
    assert ask.resolution == (1344, 768)
    _, options = settled(ask, means(True))
    assert [ref.sha256 for ref in options.references] == ["0" * 64, "1" * 64]
    assert _worded(ask, "put the cup on the table", (64, 64), means(True)).caption == "put the cup on the table"
    plain = with_references(
        edit_ask(V1EditImagesRequest(prompt="x", images=["a"], aspect_ratio="1x1"), means(True)), pictures, ()
    )
    assert plain.resolution is None


def test_several_pictures_on_another_base_are_refused_or_noted() -> None:
    request = V1EditImagesRequest(prompt="x", images=["a", "b"])
    ask = edit_ask(request, means(False, unsupported="note"))
    assert "edits one picture at a time, and 2 were sent" in ask.notes[0]


def shown(*numbers: int) -> tuple[StoredPicture, ...]:
    return tuple(StoredPicture(str(n) * 64, 9, 1300, 740, has_alpha=False) for n in numbers)


def test_a_base_that_looks_at_one_picture_is_sent_one() -> None:
    request = V1EditImagesRequest(prompt="x", images=["a", "b"])
    with pytest.raises(InvalidRequest, match=r"images: The base .* looks at one picture.*2 were sent") as no:
        edit_ask(request, means(True, most=1))
    assert no.value.details == {"field": "images"}
    noted = means(True, most=1, unsupported="note")
    ask, options = settled(with_references(edit_ask(request, noted), shown(0, 1), ()), noted)
    assert [ref.sha256[0] for ref in options.references] == ["0"]
    assert [note for note in options.notes if "the other was left out" in note]
    assert len(ask.references) == 1
    assert settled(with_references(edit_ask(request, means(True, most=2)), shown(0, 1), ()), means(True))[1].notes == ()


def test_styles_and_a_character_count_together() -> None:
    ask = replace(
        edit_ask(V1EditImagesRequest(prompt="x", images=["a"]), means(True)),
        look=Look(style_references=shown(1, 2), character_reference=shown(3)[0], character_mask=shown(4)[0]),
    )
    _, options = settled(ask, means(True, most=3))
    assert [ref.sha256[0] for ref in options.references] == ["1", "2", "3"]
    assert options.reference_mask is not None
    with pytest.raises(
        InvalidRequest, match=r"style_reference_images: .* 2 pictures .*, and 3 were sent. Send at most 2"
    ):
        settled(ask, means(True, most=2))
    left, options = settled(ask, means(True, most=2, unsupported="note"))
    assert ([ref.sha256[0] for ref in options.references], options.reference_mask) == (["1", "2"], None)
    assert left.look.character_reference is None, "no word of the prompt speaks of it"
