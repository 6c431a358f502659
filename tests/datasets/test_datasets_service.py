"""Creating, listing, reading, deleting and freezing datasets."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert, select, update
from tests.datasets.shelf import Shelf
from tests.pictures.made import numbered

from linocut.accounts.organizations import ensure_user
from linocut.datasets import service
from linocut.datasets.types import Dataset
from linocut.db.tables import assets, datasets, models, waiting_captions
from linocut.errors import InvalidRequest, NotFound
from linocut.ids import new_id, now

STRUCTURED = {
    "high_level_description": "a cup",
    "compositional_deconstruction": {"background": "paper", "elements": []},
}


def _list(shelf: Shelf, search: str | None = None, user_id: str | None = None) -> list[str]:
    with shelf.db.read() as tx:
        return [dataset.name for dataset in service.list_for(tx, user_id or shelf.user_id, search)]


def _create(shelf: Shelf, name: str) -> Dataset:
    with shelf.db.transaction() as tx:
        return service.create(tx, shelf.user_id, name)


def test_a_new_dataset_is_empty(shelf: Shelf) -> None:
    created = _create(shelf, "Tea posters")
    assert (created.name, created.user_id, created.image_count) == ("Tea posters", shelf.user_id, 0)
    assert len(created.dataset_id) == 22
    detail = shelf.get(created.dataset_id)
    assert detail.dataset == created
    assert (detail.files, detail.custom_model_ids, detail.waiting_captions) == ((), (), ())


@pytest.mark.parametrize("name", ["x", "x" * 64, "名前 – ☕", " spaces stay "])
def test_names_that_are_taken(shelf: Shelf, name: str) -> None:
    assert _create(shelf, name).name == name
    assert _create(shelf, name).name == name


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "a\0b", "a\ud800"])
def test_names_that_are_not(shelf: Shelf, name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^name must"):
        _create(shelf, name)


def test_lists_the_most_recently_updated_first(shelf: Shelf) -> None:
    first, second, third = (_create(shelf, name).dataset_id for name in ("first", "second", "third"))
    assert _list(shelf) == ["third", "second", "first"]
    shelf.upload(first, ("a.png", numbered(1)))
    assert _list(shelf) == ["first", "third", "second"]
    shelf.upload(second, ("a.txt", b"a caption changes it, too"))
    assert _list(shelf) == ["second", "first", "third"]
    shelf.upload(third, ("a.gif", b"GIF89a"))
    assert _list(shelf) == ["second", "first", "third"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (None, {"Tea 100%", "TEA_pots", "Straße", "Cafe\u0301", "İstanbul", "teapots"}),
        ("", {"Tea 100%", "TEA_pots", "Straße", "Cafe\u0301", "İstanbul", "teapots"}),
        ("tea", {"Tea 100%", "TEA_pots", "teapots"}),
        ("0%", {"Tea 100%"}),
        ("%", {"Tea 100%"}),
        ("a_p", {"TEA_pots"}),
        ("STRASSE", {"Straße"}),
        ("café", {"Cafe\u0301"}),
        ("TEA ", {"Tea 100%"}),
        ("\\", set()),
        ("'; DROP TABLE datasets", set()),
    ],
)
def test_search(shelf: Shelf, search: str | None, found: set[str]) -> None:
    for name in ("Tea 100%", "TEA_pots", "Straße", "Cafe\u0301", "İstanbul", "teapots"):
        _create(shelf, name)
    assert set(_list(shelf, search)) == found


def test_a_search_too_long(shelf: Shelf) -> None:
    with pytest.raises(InvalidRequest, match=r"^search may have at most 64"):
        _list(shelf, "x" * 65)


def test_what_belongs_to_somebody_else_is_not_there(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    with shelf.db.transaction() as tx:
        stranger = ensure_user(tx, "stranger")
    assert _list(shelf, user_id=stranger) == []
    sentences = set()
    for user_id, wanted in ((stranger, dataset_id), (shelf.user_id, new_id()), (shelf.user_id, "")):
        for verb in (service.get, service.delete, lambda *a: service.freeze(*a, lambda *_: "")):
            with pytest.raises(NotFound) as error, shelf.db.transaction() as tx:
                verb(tx, user_id, wanted)
            sentences.add((error.value.message, str(error.value.details)))
    assert len(sentences) == 1
    assert shelf.get(dataset_id).dataset.dataset_id == dataset_id


def test_the_cover_is_the_first_picture(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    with shelf.db.read() as tx:
        assert service.cover(tx, dataset_id) is None
    shelf.upload(dataset_id, ("b.png", numbered(1)), ("a.png", numbered(2)))
    first = shelf.files(dataset_id)["b.png"].asset_id
    with shelf.db.read() as tx:
        assert service.cover(tx, dataset_id) == first
        assert [dataset.cover_asset_id for dataset in service.list_for(tx, shelf.user_id)] == [first]
    assert shelf.get(dataset_id).dataset.cover_asset_id == first
    assert shelf.get(dataset_id).dataset.image_count == 2


def _model(tx: Connection, user_id: str, dataset_id: str, status: str, age: int) -> str:
    model_id, at = new_id(), now() - timedelta(hours=age)
    row = {"model_id": model_id, "user_id": user_id, "dataset_id": dataset_id, "name": "m", "status": status}
    row |= {"base": "b", "first_version": 1, "created_at": at, "updated_at": at}
    tx.execute(insert(models).values(row))
    return model_id


def test_models_of_a_dataset_newest_first_without_archived_ones(shelf: Shelf) -> None:
    dataset_id, other = shelf.create(), shelf.create()
    with shelf.db.transaction() as tx:
        old = _model(tx, shelf.user_id, dataset_id, "COMPLETED", 2)
        new = _model(tx, shelf.user_id, dataset_id, "TRAINING", 1)
        _model(tx, shelf.user_id, dataset_id, "ARCHIVED", 0)
        _model(tx, shelf.user_id, other, "COMPLETED", 0)
    assert shelf.get(dataset_id).custom_model_ids == (new, old)


def test_a_deleted_dataset_is_hidden_and_lets_go_of_everything(shelf: Shelf) -> None:
    dataset_id, other = shelf.create("gone"), shelf.create("stays")
    for each in (dataset_id, other):
        shelf.upload(each, ("a.png", numbered(1)), ("w.txt", b"waits"))
    with shelf.db.transaction() as tx:
        model_id = _model(tx, shelf.user_id, dataset_id, "TRAINING", 0)
        service.delete(tx, shelf.user_id, dataset_id)
    assert _list(shelf) == ["stays"]
    with pytest.raises(NotFound):
        shelf.get(dataset_id)
    with shelf.db.read() as tx:
        assert tx.execute(select(models.c.dataset_id).where(models.c.model_id == model_id)).scalar() is None
        assert tx.execute(select(models.c.status)).scalars().all() == ["TRAINING"]
        for table in (assets, waiting_captions):
            assert tx.execute(select(table.c.dataset_id).distinct()).scalars().all() == [other]
    with pytest.raises(NotFound), shelf.db.transaction() as tx:
        service.delete(tx, shelf.user_id, dataset_id)
    assert list(shelf.files(other)) == ["a.png"]


def _restate(text: str) -> str:
    return json.dumps({"said": text})


def test_frozen_samples_are_sorted_by_content_and_not_by_id_or_order(shelf: Shelf) -> None:
    files = [(f"{n}.png", numbered(n)) for n in range(12)] + [(f"{n}.txt", b"caption %d" % n) for n in range(6)]
    frozen = []
    for order in (files, files[::-1]):
        dataset_id = shelf.create()
        for part in order:
            shelf.upload(dataset_id, part)
        with shelf.db.read() as tx:
            frozen.append(service.freeze(tx, shelf.user_id, dataset_id, _restate))
    assert frozen[0] == frozen[1]
    samples = frozen[0].samples
    assert len(samples) == 12
    assert [s.content for s in samples] == sorted(s.content for s in samples)
    assert frozen[0].image_sha256s == tuple(sorted(s.image_sha256 for s in samples))


def test_frozen_captions(shelf: Shelf) -> None:
    """All of them restated, structured ones and none too; what is stored stays."""
    dataset_id = shelf.create()
    captions = {"plain": b" a cup \n", "structured": json.dumps(STRUCTURED).encode()}
    shelf.upload(dataset_id, *[(f"{stem}.png", numbered(n)) for n, stem in enumerate(["plain", "structured", "none"])])
    shelf.upload(dataset_id, ("plain.txt", captions["plain"]), ("structured.json", captions["structured"]))
    compact = json.dumps(STRUCTURED, separators=(",", ":"))
    with shelf.db.read() as tx:
        samples = service.freeze(tx, shelf.user_id, dataset_id, _restate).samples
    by_picture = {s.image_sha256: s for s in samples}
    files = shelf.files(dataset_id)
    expected = {"plain.png": _restate("a cup"), "structured.png": _restate(compact), "none.png": _restate("")}
    assert {name: by_picture[files[name].image_sha256].caption for name in files} == expected
    assert shelf.captions(dataset_id) == {"plain.png": " a cup \n", "structured.png": compact, "none.png": None}


def test_two_files_of_the_same_pixels_freeze_in_a_fixed_order(shelf: Shelf) -> None:
    """Other bytes, same pixels: two assets, one blob; their captions decide the order."""
    png = numbered(1)
    frozen = []
    for names in (("a", "b"), ("b", "a")):
        dataset_id = shelf.create()
        contents = {"a": png, "b": png + b"\0"}
        for name in names:
            shelf.upload(dataset_id, (f"{name}.png", contents[name]), (f"{name}.txt", b"caption " + name.encode()))
        with shelf.db.read() as tx:
            frozen.append(service.freeze(tx, shelf.user_id, dataset_id, _restate))
    assert frozen[0] == frozen[1]
    assert len(frozen[0].samples) == 2
    assert len(frozen[0].image_sha256s) == 1


def test_the_count_cannot_be_passed_even_if_it_is_wrong(shelf: Shelf) -> None:
    dataset_id = shelf.create()
    with shelf.db.transaction() as tx:
        tx.execute(update(datasets).values(image_count=100))
    report = shelf.upload(dataset_id, ("a.png", numbered(1)))
    assert [failed.reason for failed in report.failed] == ["TOO_MANY_IMAGES"]
