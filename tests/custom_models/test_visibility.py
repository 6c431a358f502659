"""Who sees what: the owner all, the organisation it is shared with less, everybody else nothing at all."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.runs.workshop import BASE, OTHER_BASE, Workshop

from linocut import ids
from linocut.accounts.organizations import add_member, ensure_organization
from linocut.accounts.types import Caller
from linocut.custom_models import service as registry
from linocut.db.tables import members
from linocut.errors import Conflict, Forbidden, InvalidRequest, LinocutError, NotFound
from linocut.orders import AdapterRef

URI = "model/house-style/version/1"


def share(house: Workshop, model_id: str) -> None:
    house.write(lambda tx: registry.share(tx, house.alice, model_id, house.alice.organization_id))


def listed(house: Workshop, caller: Caller, *given: object) -> list[str]:
    views = house.read(lambda tx: registry.list_visible(tx, caller, *given))
    return [view.model_id for view in views]


def error_of(call: Callable[[], object]) -> LinocutError:
    with pytest.raises(LinocutError) as caught:
        call()
    return caught.value


@pytest.fixture
def model_id(house: Workshop) -> str:
    return house.trained(house.alice).model_id


def test_what_may_not_be_seen_and_what_does_not_exist_give_equal_errors(house: Workshop, model_id: str) -> None:
    """Every way of asking for a model: each answers a stranger as it answers about an id that nobody has."""
    nobodys = ids.new_id()
    for verb in (
        registry.get_visible,
        registry.archive,
        registry.weights_of,
        lambda tx, caller, one: registry.share(tx, caller, one, house.bob.organization_id),
    ):
        hidden = error_of(lambda verb=verb: house.write(lambda tx: verb(tx, house.bob, model_id)))
        absent = error_of(lambda verb=verb: house.write(lambda tx: verb(tx, house.bob, nobodys)))
        assert isinstance(hidden, NotFound)
        assert hidden.to_json() == absent.to_json()
    hidden = error_of(lambda: house.cancel(house.bob, model_id))
    assert hidden.to_json() == error_of(lambda: house.cancel(house.bob, nobodys)).to_json()


def test_a_member_of_the_organisation_sees_less(house: Workshop, model_id: str) -> None:
    with pytest.raises(NotFound):
        house.model(house.carol, model_id)
    share(house, model_id)
    own, shared = house.model(house.alice, model_id), house.model(house.carol, model_id)
    assert (shared.is_owned, shared.runs, shared.dataset_id, shared.progress, shared.error) == (
        False,
        (),
        None,
        None,
        None,
    )
    assert (shared.custom_model_uri, shared.is_available, shared.status) == (URI, True, "COMPLETED")
    assert own.is_owned
    assert len(own.runs) == 1
    assert own.dataset_id is not None
    with pytest.raises(NotFound):
        house.model(house.bob, model_id)


def test_the_key_s_organisation_counts_and_membership_is_looked_at_each_time(house: Workshop, model_id: str) -> None:
    share(house, model_id)
    other_key = replace(house.carol, organization_id=house.bob.organization_id)
    with pytest.raises(NotFound):
        house.model(other_key, model_id)
    house.write(lambda tx: tx.execute(members.delete().where(members.c.user_id == house.carol.user_id)))
    with pytest.raises(NotFound):
        house.model(house.carol, model_id)
    assert listed(house, house.carol) == []


def test_only_the_owner_changes_a_shared_model(house: Workshop, model_id: str) -> None:
    share(house, model_id)
    for verb in (
        registry.archive,
        registry.weights_of,
        lambda tx, caller, one: registry.share(tx, caller, one, house.carol.organization_id),
    ):
        with pytest.raises(Forbidden):
            house.write(lambda tx, verb=verb: verb(tx, house.carol, model_id))
    with pytest.raises(Forbidden):
        house.cancel(house.carol, model_id)


def test_sharing_needs_membership_and_again_is_the_same(house: Workshop, model_id: str) -> None:
    for organization_id in (house.bob.organization_id, ids.new_id()):
        with pytest.raises(NotFound, match="organisation"):
            house.write(lambda tx, one=organization_id: registry.share(tx, house.alice, model_id, one))
    share(house, model_id)
    share(house, model_id)
    assert listed(house, house.carol) == [model_id]

    def join(tx):  # type: ignore[no-untyped-def]
        add_member(tx, ensure_organization(tx, "away"), house.alice.user_id)
        registry.share(tx, house.alice, model_id, house.bob.organization_id)

    house.write(join)
    assert listed(house, house.bob) == [model_id]


def test_lists_are_newest_first_and_scope_and_status_do_what_they_say(house: Workshop) -> None:
    first = house.trained(house.alice, "first one").model_id
    second = house.trained(house.carol, "second one").model_id
    waiting = house.start(house.alice, "third one").model_id
    waiting_of_carol = house.start(house.carol, "fourth one").model_id
    org = house.alice.organization_id
    house.write(lambda tx: registry.share(tx, house.carol, second, org))
    house.write(lambda tx: registry.share(tx, house.carol, waiting_of_carol, org))

    assert listed(house, house.alice) == [waiting, second, first]  # a shared one shows once it is COMPLETED
    assert listed(house, house.alice, "owned") == [waiting, first]
    assert listed(house, house.alice, "shared") == [second]
    assert listed(house, house.alice, None, ["CREATING"]) == [waiting, second]
    assert listed(house, house.alice, "owned", ["COMPLETED", "ERRORED"]) == [first]
    assert listed(house, house.alice, "shared", ["ERRORED"]) == [second]
    assert listed(house, house.carol, "shared") == []
    views = house.read(lambda tx: registry.list_visible(tx, house.alice))
    assert [view.is_owned for view in views] == [True, False, True]
    assert all(view.runs == () for view in views)


def test_a_uri_draws_for_its_owner_and_the_organisation_only(house: Workshop, model_id: str) -> None:
    def resolve(caller: Caller, uri: str = URI, base: object = BASE) -> AdapterRef:
        ref: AdapterRef = house.read(lambda tx: registry.resolve_uri(tx, caller, uri, base))
        return ref

    adapter = resolve(house.alice)
    assert resolve(house.alice, base=BASE.identity) == adapter
    for caller, uri in ((house.carol, URI), (house.bob, URI), (house.alice, URI[:-1] + "2")):
        with pytest.raises(NotFound, match="There is no custom model"):
            resolve(caller, uri)
    share(house, model_id)
    assert resolve(house.carol) == adapter
    with pytest.raises(InvalidRequest, match=f"{BASE.identity}.*{OTHER_BASE.identity}"):
        resolve(house.alice, base=OTHER_BASE)
    with pytest.raises(NotFound):  # a stranger does not learn on which base it was trained
        resolve(house.bob, base=OTHER_BASE)


def test_an_archived_model_draws_no_more_but_its_owner_reads_it(house: Workshop, model_id: str) -> None:
    share(house, model_id)
    weights = house.read(lambda tx: registry.weights_of(tx, house.alice, model_id))
    for _ in range(2):
        assert house.archive(house.alice, model_id).status == "ARCHIVED"
    archived = house.model(house.alice, model_id)
    assert (archived.status, archived.is_available, archived.custom_model_uri) == ("ARCHIVED", False, URI)
    for caller in (house.alice, house.carol):
        with pytest.raises(NotFound):
            house.read(lambda tx, caller=caller: registry.resolve_uri(tx, caller, URI, BASE))
    assert listed(house, house.carol) == []
    assert house.read(lambda tx: registry.weights_of(tx, house.alice, model_id)) == weights
    with pytest.raises(Conflict):
        share(house, model_id)
    assert house.statuses(model_id)[-1][0] == "ARCHIVED"


def test_a_model_without_weights_says_so(house: Workshop) -> None:
    started = house.start(house.alice)
    with pytest.raises(Conflict, match="CREATING"):
        house.read(lambda tx: registry.weights_of(tx, house.alice, started.model_id))
