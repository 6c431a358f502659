"""What the server must know, in memory: the oracle of ``test_state_machine.py``. Knows no HTTP."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tests.api.pictures import png

FEWEST, MOST = 2, 5
"""Pictures that a training takes at least, and that a dataset takes at most."""

AFTER = {
    "CREATING": {"TRAINING", "COMPLETED", "ERRORED", "ARCHIVED"},
    "TRAINING": {"COMPLETED", "ERRORED", "ARCHIVED"},
    "COMPLETED": {"ARCHIVED"},
    "ERRORED": {"ARCHIVED"},
    "ARCHIVED": set(),
}
"""What a status may have become by the next look."""


@lru_cache
def picture_file(number: int) -> tuple[str, bytes]:
    """The upload of a picture: its name and bytes."""
    return f"p{number}.png", png(number)


@dataclass
class Person:
    """Somebody with a key in an organisation of the same name. ``revoked``: the last key that was taken away."""

    name: str
    user: str
    organization: str
    key_id: str = ""
    key: str = ""
    revoked: str = ""
    member_of: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.member_of.add(self.name)


@dataclass
class Dataset:
    """A dataset: the pictures in it, by number."""

    dataset_id: str
    owner: str
    name: str
    pictures: set[int] = field(default_factory=set)
    deleted: bool = False

    def take(self, pictures: list[int]) -> tuple[int, int]:
        """Upload pictures -> (how many were taken or were there already, how many found no room)."""
        taken = 0
        for number in pictures:
            if number in self.pictures or len(self.pictures) < MOST:
                self.pictures.add(number)
                taken += 1
        return taken, len(pictures) - taken


@dataclass
class Model:
    """A custom model, as its owner last saw it."""

    model_id: str
    owner: str
    name: str
    trained_on: Dataset | None
    status: str = "CREATING"
    uri: str | None = None
    cancelled: bool = False
    shared_with: set[str] = field(default_factory=set)

    @property
    def ended(self) -> bool:
        """Whether no training can change it any more."""
        return self.status in ("COMPLETED", "ERRORED", "ARCHIVED")

    def move(self, seen: dict[str, Any], *, may_change: bool) -> None:
        """The owner sees it so: its status is the one known, or a later one where that may be."""
        if seen["status"] != self.status:
            assert may_change, (self.status, seen["status"])
            assert seen["status"] in AFTER[self.status], (self.status, seen["status"])
            assert seen["status"] != "ARCHIVED"  # nobody but its owner archives it
            assert seen["status"] != "ERRORED" or self.cancelled
            self.status = seen["status"]
        if self.status == "COMPLETED" and self.uri is None:
            self.uri = seen["custom_model_uri"]
            assert self.uri
        if self.status == "COMPLETED" and self.cancelled:
            assert seen["x_linocut"]["stopped_at_step"] is not None

    def check(self, seen: dict[str, Any], *, is_owned: bool) -> None:
        """What anybody who may see it reads of it."""
        assert (seen["name"], seen["status"], seen["is_owned"]) == (self.name, self.status, is_owned)
        assert seen["custom_model_uri"] == self.uri
        assert seen["is_available_for_generation"] == (self.status == "COMPLETED")
        dataset = self.trained_on.dataset_id if is_owned and self.trained_on else None
        assert seen["dataset_id"] == dataset
        assert is_owned or "training_runs" not in seen


class World:
    """Everybody and everything."""

    def __init__(self, people: dict[str, Person]) -> None:
        self.people = people
        self.datasets: list[Dataset] = []
        self.models: list[Model] = []

    def join(self, who: str, whose: str) -> None:
        """Somebody is a member of somebody else's organisation too."""
        self.people[who].member_of.add(whose)

    def add_dataset(self, dataset_id: str, owner: str, name: str) -> Dataset:
        """A new dataset."""
        assert dataset_id not in [one.dataset_id for one in self.datasets]
        self.datasets.append(Dataset(dataset_id, owner, name))
        return self.datasets[-1]

    def add_model(self, model_id: str, owner: str, name: str, dataset: Dataset) -> Model:
        """A new model."""
        assert model_id not in [one.model_id for one in self.models]
        self.models.append(Model(model_id, owner, name, dataset))
        return self.models[-1]

    def delete_dataset(self, dataset: Dataset) -> None:
        """It is gone; its models stay without it."""
        dataset.deleted = True
        for model in self.models:
            if model.trained_on is dataset:
                model.trained_on = None

    def datasets_of(self, who: str) -> list[Dataset]:
        """The datasets in somebody's list."""
        return [one for one in self.datasets if one.owner == who and not one.deleted]

    def sees(self, who: str, model: Model) -> bool:
        """Whether a model exists for somebody: its owner, or a key of an organisation that it is shared with."""
        return model.owner == who or who in model.shared_with

    def listed_for(self, who: str) -> list[Model]:
        """The models in somebody's list: shared ones only while they can draw."""
        return [one for one in self.models if one.owner == who or (self.sees(who, one) and one.status == "COMPLETED")]

    def may(self, who: str, model: Model) -> int:
        """The status that somebody's owner's action on a model meets first."""
        return 200 if model.owner == who else 403 if self.sees(who, model) else 404

    def one_more(self, turn: int) -> Iterable[Model | Dataset]:
        """One thing more to look at, each in its turn."""
        things: list[Model | Dataset] = [*self.models, *self.datasets]
        return things[turn % len(things) :][:1] if things else []
