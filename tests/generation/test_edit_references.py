"""An edit on a base that looks at pictures: they are its references, and it reads the instruction word for word."""

from types import SimpleNamespace
from typing import Any

from linocut.api.translate.revisions import edit_ask, with_references
from linocut.captions import Worded
from linocut.generation.options import settled
from linocut.generation.service import _worded
from linocut.pictures.intake import StoredPicture
from linocut.settings import Settings
from linocut.wire import V1EditImagesRequest


def means(takes_references: bool, **given: Any) -> Any:
    base = SimpleNamespace(
        takes_references=takes_references, takes_negative_text=True, family="flux2", sampling={}, knows=""
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
