"""Datasets, uploads, trainings, sharing and keys against a model in memory: any order of any steps, by three people.

The model (``state_model.py``) says what each answer must be; after every step everybody looks at everything through
the lists, and at what the step touched and one thing more by its address.

Planted by hand and found, each within 50 runs: sharing with an organisation that the owner does not belong
to; a shared model listed before it is COMPLETED; a uri told before; a revoked key accepted; another 404 for hidden than
for absent models; ``dataset_id`` kept when its dataset is deleted; a cancel by anybody who sees the model; archived
models in the list of a dataset; an archived model that draws; a cancelled run that ends without ``stopped_at_step``;
a model taken back from nobody (``tests/guards/machine.py``). Not found within them: one taken back from all instead of
one, or by anybody who sees it (``test_sharing.py`` finds both).
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.marks import long_but
from tests.walks.in_process import Answer, Inside
from tests.walks.state_model import FEWEST, MOST, Dataset, Model, Person, World, picture_file

V3_TRAIN = "/v1/ideogram-v3/train-model"
V3_GENERATE = "/v1/ideogram-v3/generate"
ABSENT = "AAAAAAAAAAAAAAAAAAAAAA"
PEOPLE = st.sampled_from(["ann", "bob", "cat"])
OWNER = "its owner"
ACTORS = st.sampled_from([OWNER, OWNER, OWNER, "ann", "bob", "cat"])
PLACE = st.integers(0, 9)
NAMES = st.sampled_from(["Tea posters", "tea posters", "Green tea 2"])

inside: Inside
"""The server of the present test; each run of the machine brings people of its own."""


class Server(RuleBasedStateMachine):
    """The rules. A place picks among what there is, so that a shrunk example stays readable."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World({name: Person(name, *inside.person(name)) for name in ("ann", "bob", "cat")})
        self.world.join("ann", "bob")
        inside.join(self.world.people["ann"].user, self.world.people["bob"].organization)
        for person in self.world.people.values():
            person.key_id, person.key = inside.key(person.user, person.organization)
        self.touched: list[Model | Dataset] = []
        self.turn = 0

    def teardown(self) -> None:
        inside.rest()
        self.look_at_statuses(worked=True)
        for model in self.world.models:
            assert model.status in ("COMPLETED", "ERRORED", "ARCHIVED")
            assert model.status != "ERRORED" or model.cancelled
        self.look_around()

    def ask(self, who: str, method: str, path: str, status: int, **what: Any) -> Answer:
        """One request by somebody, which must be answered so."""
        answer = inside.ask(self.world.people[who].key, method, path, **what)
        assert answer.status == status, (who, method, path, answer.status, answer.content)
        return answer

    @initialize()
    def begin(self) -> None:
        """Trainings that wait, so that fifty steps lead somewhere."""
        for place, who in enumerate(("ann", "bob")):
            self.create_dataset(who=who, name="Tea posters")
            self.upload(who=who, place=place, pictures=[0, 1])
            self.train(who=who, place=place, name="Tea posters", again=False)

    # ----- datasets

    @rule(who=PEOPLE, name=NAMES)
    def create_dataset(self, who: str, name: str) -> None:
        made = self.ask(who, "POST", "/datasets", 200, body={"name": name}).json
        self.touched = [self.world.add_dataset(made["dataset_id"], who, name)]

    @precondition(lambda self: self.world.datasets)
    @rule(who=ACTORS, place=PLACE, pictures=st.lists(st.integers(0, MOST + 1), min_size=1, max_size=4))
    def upload(self, who: str, place: int, pictures: list[int]) -> None:
        dataset = self.world.datasets[place % len(self.world.datasets)]
        who = dataset.owner if who == OWNER else who
        files = [picture_file(number) for number in pictures]
        mine = dataset.owner == who and not dataset.deleted
        answer = self.ask(
            who, "POST", f"/datasets/{dataset.dataset_id}/upload_assets", 200 if mine else 404, files=files
        )
        if mine:
            taken, refused = dataset.take(pictures)
            assert (answer.json["success_count"], answer.json["failure_count"]) == (taken, refused)
        self.touched = [dataset]

    @precondition(lambda self: self.world.datasets)
    @rule(who=ACTORS, place=PLACE)
    def delete_dataset(self, who: str, place: int) -> None:
        dataset = self.world.datasets[place % len(self.world.datasets)]
        who = dataset.owner if who == OWNER else who
        mine = dataset.owner == who and not dataset.deleted
        self.ask(who, "DELETE", f"/datasets/{dataset.dataset_id}", 204 if mine else 404)
        if mine:
            self.world.delete_dataset(dataset)
        self.touched = [dataset, *[model for model in self.world.models if model.trained_on is dataset]]

    # ----- models

    @precondition(lambda self: self.world.datasets)
    @rule(who=ACTORS, place=PLACE, name=NAMES, again=st.booleans())
    def train(self, who: str, place: int, name: str, again: bool) -> None:
        dataset = self.world.datasets[place % len(self.world.datasets)]
        who = dataset.owner if who == OWNER else who
        mine = dataset.owner == who and not dataset.deleted
        status = 404 if not mine else 400 if len(dataset.pictures) < FEWEST else 200
        body = {"dataset_id": dataset.dataset_id, "model_name": name}
        headers = {"idempotency-key": f"train {len(self.world.models)}"}
        answer = self.ask(who, "POST", V3_TRAIN, status, body=body, headers=headers)
        self.touched = [dataset]
        if status == 200:
            self.touched = [self.world.add_model(answer.json["model_id"], who, name, dataset)]
            if again:
                assert self.ask(who, "POST", V3_TRAIN, 200, body=body, headers=headers).content == answer.content

    @rule(turns=st.integers(1, 40))
    def work(self, turns: int) -> None:
        inside.work(turns)
        self.look_at_statuses(worked=True)
        self.touched = []

    @rule()
    def work_to_the_end(self) -> None:
        inside.rest()
        self.look_at_statuses(worked=True)
        for model in self.world.models:
            assert model.ended
        self.touched = []

    @precondition(lambda self: self.world.models)
    @rule(who=ACTORS, place=PLACE)
    def cancel(self, who: str, place: int) -> None:
        under_way = [model for model in self.world.models if not model.ended]
        among = under_way if under_way and place else self.world.models
        model = among[place % len(among)]
        who = model.owner if who == OWNER else who
        may = self.world.may(who, model)
        if may == 200 and model.ended and not (model.status == "ERRORED" and model.cancelled):
            may = 409
        self.ask(who, "POST", f"/models/{model.model_id}/cancel", may)
        model.cancelled = model.cancelled or may == 200
        self.look_at_statuses(worked=False, changed=model)
        self.touched = [model]

    @precondition(lambda self: self.world.models)
    @rule(who=ACTORS, place=PLACE)
    def archive(self, who: str, place: int) -> None:
        model = self.world.models[place % len(self.world.models)]
        who = model.owner if who == OWNER else who
        may = self.world.may(who, model)
        self.ask(who, "DELETE", f"/models/{model.model_id}", 204 if may == 200 else may)
        if may == 200:
            model.status = "ARCHIVED"
        self.look_at_statuses(worked=False)
        self.touched = [model]

    @precondition(lambda self: self.world.models)
    @rule(who=ACTORS, place=PLACE, whose=PEOPLE)
    def share(self, who: str, place: int, whose: str) -> None:
        model = self.world.models[place % len(self.world.models)]
        who = model.owner if who == OWNER else who
        may = self.world.may(who, model)
        if may == 200 and whose not in self.world.people[who].member_of:
            may = 404
        elif may == 200 and model.status == "ARCHIVED":
            may = 409
        organization = self.world.people[whose].organization
        self.ask(who, "PUT", f"/models/{model.model_id}/share", may, body={"organization_id": organization})
        if may == 200:
            model.shared_with.add(whose)
        self.touched = [model]

    @precondition(lambda self: any(model.shared_with for model in self.world.models))
    @rule(who=ACTORS, place=PLACE, whose=st.sampled_from(["", "ann", "bob", "cat"]))
    def unshare(self, who: str, place: int, whose: str) -> None:
        """From one organisation, shared with or not, or ("") from all."""
        shared = [model for model in self.world.models if model.shared_with]
        model = shared[place % len(shared)]
        who = model.owner if who == OWNER else who
        may = self.world.may(who, model)
        query = f"?organization_id={self.world.people[whose].organization}" if whose else ""
        self.ask(who, "DELETE", f"/models/{model.model_id}/share{query}", 204 if may == 200 else may)
        if may == 200:
            model.shared_with -= {whose} if whose else set(model.shared_with)
        self.touched = [model]

    @precondition(lambda self: any(model.uri for model in self.world.models))
    @rule(who=ACTORS, place=PLACE)
    def draw(self, who: str, place: int) -> None:
        drawn = [model for model in self.world.models if model.uri]
        model = drawn[place % len(drawn)]
        who = model.owner if who == OWNER else who
        may = model.status == "COMPLETED" and self.world.sees(who, model)
        body = {"prompt": "tea", "custom_model_uri": model.uri, "rendering_speed": "FLASH", "seed": 7}
        answer = self.ask(who, "POST", V3_GENERATE, 200 if may else 404, body=body, working=True)
        if not may:
            body["custom_model_uri"] = "model/nobodys/version/1"
            absent = self.ask(who, "POST", V3_GENERATE, 404, body=body)
            told = answer.content.replace(model.uri.encode(), b"")
            assert told == absent.content.replace(b"model/nobodys/version/1", b"")
        self.look_at_statuses(worked=may)
        self.touched = [model]

    # ----- keys

    @rule(who=PEOPLE)
    def change_key(self, who: str) -> None:
        """A new key for somebody, and the old one revoked by another process."""
        person = self.world.people[who]
        old, person.revoked = person.key_id, person.key
        person.key_id, person.key = inside.key(person.user, person.organization)
        inside.revoke(old)
        self.touched = []

    # ----- what everybody sees

    def look_at_statuses(self, *, worked: bool, changed: Model | None = None) -> None:
        """The owner's view of each model's status: forward only, and still unless the worker turned."""
        for model in self.world.models:
            now = self.ask(model.owner, "GET", f"/models/{model.model_id}", 200).json["model"]
            model.move(now, may_change=worked or model is changed)

    @invariant()
    def look_around(self) -> None:
        self.turn += 1
        for who in self.world.people:
            self.look_at_lists(who)
        for thing in {id(thing): thing for thing in [*self.touched, *self.world.one_more(self.turn)]}.values():
            for who in self.world.people:
                if isinstance(thing, Model):
                    self.look_at_model(who, thing)
                else:
                    self.look_at_dataset(who, thing)
        for person in self.world.people.values():
            if person.revoked:
                for path in ("/models", "/datasets"):
                    assert inside.ask(person.revoked, "GET", path).status == 401

    def look_at_lists(self, who: str) -> None:
        listed = [one["dataset_id"] for one in self.ask(who, "GET", "/datasets", 200).json["datasets"]]
        assert sorted(listed) == sorted(one.dataset_id for one in self.world.datasets_of(who))
        models = {one["model_id"]: one for one in self.ask(who, "GET", "/models", 200).json["models"]}
        assert models.keys() == {one.model_id for one in self.world.listed_for(who)}
        for model in self.world.listed_for(who):
            model.check(models[model.model_id], is_owned=model.owner == who)

    def look_at_model(self, who: str, model: Model) -> None:
        path = f"/models/{model.model_id}"
        if self.world.sees(who, model):
            model.check(self.ask(who, "GET", path, 200).json["model"], is_owned=model.owner == who)
        else:
            self.same_as_absent(who, path, f"/models/{ABSENT}")

    def look_at_dataset(self, who: str, dataset: Dataset) -> None:
        path = f"/datasets/{dataset.dataset_id}"
        if dataset.owner != who or dataset.deleted:
            self.same_as_absent(who, path, f"/datasets/{ABSENT}")
            return
        told = self.ask(who, "GET", path, 200).json
        assert told["file_count"] == len(told["files"]) == len(dataset.pictures)
        trained = [one for one in self.world.models if one.trained_on is dataset and one.status != "ARCHIVED"]
        assert sorted(told["custom_model_ids"]) == sorted(one.model_id for one in trained)

    def same_as_absent(self, who: str, path: str, absent: str) -> None:
        hidden, nothing = self.ask(who, "GET", path, 404), self.ask(who, "GET", absent, 404)
        assert (hidden.headers, hidden.content) == (nothing.headers, nothing.content)


@pytest.fixture
def _server(tmp_path: Any) -> Any:
    global inside
    inside = Inside(tmp_path, min_training_images=FEWEST, max_dataset_images=MOST)
    yield
    inside.close()


def _settings(examples: int, *, derandomize: bool) -> settings:
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(
        max_examples=examples,
        stateful_step_count=50,
        derandomize=derandomize,
        deadline=None,
        suppress_health_check=quiet,
        database=None,
        print_blob=True,
    )


@pytest.mark.timeout(1200)  # a minute of work, on a machine that may have other work
@pytest.mark.usefixtures("_server")
@pytest.mark.parametrize("runs", long_but([2], [2, 12]))
def test_runs_of_fifty_steps(runs: int) -> None:
    run_state_machine_as_test(Server, settings=_settings(runs, derandomize=True))  # type: ignore[no-untyped-call]


@pytest.mark.soak
@pytest.mark.usefixtures("_server")
def test_five_hundred_runs_of_fifty_steps() -> None:
    run_state_machine_as_test(Server, settings=_settings(500, derandomize=False))  # type: ignore[no-untyped-call]
