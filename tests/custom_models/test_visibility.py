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


def share(workshop: Workshop, model_id: str) -> None:
    workshop.write(lambda tx: registry.share(tx, workshop.alice, model_id, workshop.alice.organization_id))


def listed(workshop: Workshop, caller: Caller, *given: object) -> list[str]:
    views = workshop.read(lambda tx: registry.list_visible(tx, caller, *given))
    return [view.model_id for view in views]


def error_of(call: Callable[[], object]) -> LinocutError:
    with pytest.raises(LinocutError) as caught:
        call()
    return caught.value


@pytest.fixture
def model_id(workshop: Workshop) -> str:
    return workshop.trained(workshop.alice).model_id


def test_what_may_not_be_seen_and_what_does_not_exist_give_equal_errors(workshop: Workshop, model_id: str) -> None:
    """Every way of asking for a model: each answers a stranger as it answers about an id that nobody has."""
    nobodys = ids.new_id()
    for verb in (
        registry.get_visible,
        registry.archive,
        registry.weights_of,
        lambda tx, caller, one: registry.share(tx, caller, one, workshop.bob.organization_id),
    ):
        hidden = error_of(lambda verb=verb: workshop.write(lambda tx: verb(tx, workshop.bob, model_id)))
        absent = error_of(lambda verb=verb: workshop.write(lambda tx: verb(tx, workshop.bob, nobodys)))
        assert isinstance(hidden, NotFound)
        assert hidden.to_json() == absent.to_json()
    hidden = error_of(lambda: workshop.cancel(workshop.bob, model_id))
    assert hidden.to_json() == error_of(lambda: workshop.cancel(workshop.bob, nobodys)).to_json()


def test_a_member_of_the_organisation_sees_less(workshop: Workshop, model_id: str) -> None:
    with pytest.raises(NotFound):
        workshop.model(workshop.carol, model_id)
    share(workshop, model_id)
    own, shared = workshop.model(workshop.alice, model_id), workshop.model(workshop.carol, model_id)
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
        workshop.model(workshop.bob, model_id)


def test_the_key_s_organisation_counts_and_membership_is_looked_at_each_time(workshop: Workshop, model_id: str) -> None:
    share(workshop, model_id)
    other_key = replace(workshop.carol, organization_id=workshop.bob.organization_id)
    with pytest.raises(NotFound):
        workshop.model(other_key, model_id)
    workshop.write(lambda tx: tx.execute(members.delete().where(members.c.user_id == workshop.carol.user_id)))
    with pytest.raises(NotFound):
        workshop.model(workshop.carol, model_id)
    assert listed(workshop, workshop.carol) == []


def test_only_the_owner_changes_a_shared_model(workshop: Workshop, model_id: str) -> None:
    share(workshop, model_id)
    for verb in (
        registry.archive,
        registry.weights_of,
        lambda tx, caller, one: registry.share(tx, caller, one, workshop.carol.organization_id),
    ):
        with pytest.raises(Forbidden):
            workshop.write(lambda tx, verb=verb: verb(tx, workshop.carol, model_id))
    with pytest.raises(Forbidden):
        workshop.cancel(workshop.carol, model_id)


def test_sharing_needs_membership_and_again_is_the_same(workshop: Workshop, model_id: str) -> None:
    for organization_id in (workshop.bob.organization_id, ids.new_id()):
        with pytest.raises(NotFound, match="organisation"):
            workshop.write(lambda tx, one=organization_id: registry.share(tx, workshop.alice, model_id, one))
    share(workshop, model_id)
    share(workshop, model_id)
    assert listed(workshop, workshop.carol) == [model_id]

    def join(tx):  # type: ignore[no-untyped-def]
        add_member(tx, ensure_organization(tx, "away"), workshop.alice.user_id)
        registry.share(tx, workshop.alice, model_id, workshop.bob.organization_id)

    workshop.write(join)
    assert listed(workshop, workshop.bob) == [model_id]


def test_lists_are_newest_first_and_scope_and_status_do_what_they_say(workshop: Workshop) -> None:
    first = workshop.trained(workshop.alice, "first one").model_id
    second = workshop.trained(workshop.carol, "second one").model_id
    waiting = workshop.start(workshop.alice, "third one").model_id
    waiting_of_carol = workshop.start(workshop.carol, "fourth one").model_id
    org = workshop.alice.organization_id
    workshop.write(lambda tx: registry.share(tx, workshop.carol, second, org))
    workshop.write(lambda tx: registry.share(tx, workshop.carol, waiting_of_carol, org))

    assert listed(workshop, workshop.alice) == [waiting, second, first]  # a shared one shows once it is COMPLETED
    assert listed(workshop, workshop.alice, "owned") == [waiting, first]
    assert listed(workshop, workshop.alice, "shared") == [second]
    assert listed(workshop, workshop.alice, None, ["CREATING"]) == [waiting, second]
    assert listed(workshop, workshop.alice, "owned", ["COMPLETED", "ERRORED"]) == [first]
    assert listed(workshop, workshop.alice, "shared", ["ERRORED"]) == [second]
    assert listed(workshop, workshop.carol, "shared") == []
    views = workshop.read(lambda tx: registry.list_visible(tx, workshop.alice))
    assert [view.is_owned for view in views] == [True, False, True]
    assert all(view.runs == () for view in views)


def test_a_uri_draws_for_its_owner_and_the_organisation_only(workshop: Workshop, model_id: str) -> None:
    def resolve(caller: Caller, uri: str = URI, base: object = BASE) -> AdapterRef:
        ref: AdapterRef = workshop.read(lambda tx: registry.resolve_uri(tx, caller, uri, base))
        return ref

    adapter = resolve(workshop.alice)
    assert resolve(workshop.alice, base=BASE.identity) == adapter
    for caller, uri in ((workshop.carol, URI), (workshop.bob, URI), (workshop.alice, URI[:-1] + "2")):
        with pytest.raises(NotFound, match="There is no custom model"):
            resolve(caller, uri)
    share(workshop, model_id)
    assert resolve(workshop.carol) == adapter
    with pytest.raises(InvalidRequest, match=f"{BASE.identity}.*{OTHER_BASE.identity}"):
        resolve(workshop.alice, base=OTHER_BASE)
    with pytest.raises(NotFound):  # a stranger does not learn on which base it was trained
        resolve(workshop.bob, base=OTHER_BASE)


def test_an_archived_model_draws_no_more_but_its_owner_reads_it(workshop: Workshop, model_id: str) -> None:
    share(workshop, model_id)
    weights = workshop.read(lambda tx: registry.weights_of(tx, workshop.alice, model_id))
    for _ in range(2):
        assert workshop.archive(workshop.alice, model_id).status == "ARCHIVED"
    archived = workshop.model(workshop.alice, model_id)
    assert (archived.status, archived.is_available, archived.custom_model_uri) == ("ARCHIVED", False, URI)
    for caller in (workshop.alice, workshop.carol):
        with pytest.raises(NotFound):
            workshop.read(lambda tx, caller=caller: registry.resolve_uri(tx, caller, URI, BASE))
    assert listed(workshop, workshop.carol) == []
    assert workshop.read(lambda tx: registry.weights_of(tx, workshop.alice, model_id)) == weights
    with pytest.raises(Conflict):
        share(workshop, model_id)
    assert workshop.statuses(model_id)[-1][0] == "ARCHIVED"


def test_a_model_without_weights_says_so(workshop: Workshop) -> None:
    started = workshop.start(workshop.alice)
    with pytest.raises(Conflict, match="CREATING"):
        workshop.read(lambda tx: registry.weights_of(tx, workshop.alice, started.model_id))
