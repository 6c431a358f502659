"""The scheduler against a virtual clock: shares of device time, waiting times and batches, as properties."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linocut.engine.scheduler import Scheduler, Ticket
from linocut.engine.training.units import HeldOutLoss, TrainStep, UpdateWeights
from linocut.engine.units import DecodeLatents, Denoise, EncodeText
from linocut.engine.work import FullPass

IMAGE = 100
"""Tokens of one image's denoise step; one token takes one virtual millisecond."""

DENOISE, ENCODE_TEXT, DECODE = Denoise.kind, EncodeText.kind, DecodeLatents.kind
TRAIN_STEP, UPDATE, HELD_OUT = TrainStep.kind, UpdateWeights.kind, HeldOutLoss.kind

BUDGETS = {DENOISE: 4 * IMAGE, ENCODE_TEXT: 200, DECODE: 4 * IMAGE}
TRAINING_BUDGETS = {DENOISE: 2 * IMAGE}
SECONDS_PER_TOKEN = 0.001


def ticket(number: int, key: str, organization: str, kind: str, tokens: int, training: bool) -> Ticket:
    """A unit's ticket, with the budget of its kind."""
    budgets = TRAINING_BUDGETS if training else BUDGETS
    return Ticket(number, key, organization, kind, tokens, training, budgets.get(kind, 0))


@dataclass
class Client:
    """An order that asks for ``width`` units at once, ``steps`` times, from ``arrives`` seconds on."""

    key: str
    organization: str
    units: list[tuple[str, int]]
    width: int = 1
    training: bool = False
    arrives: float = 0.0
    waiting: int = 0
    turn: int = 0
    ended: float | None = None


@dataclass
class Simulation:
    """A device whose passes take time in proportion to their tokens."""

    clients: list[Client]
    seconds_per_token: float = SECONDS_PER_TOKEN
    now: float = 0.0
    passes: list[tuple[float, float, tuple[Ticket, ...], bool]] = field(default_factory=list)
    """(begin, seconds, batch, whether both queues had something pending)."""

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(DENOISE, TRAINING_BUDGETS[DENOISE])
        self.numbers = count()
        self.by_key = {client.key: client for client in self.clients}
        self.asked_at: dict[int, tuple[str, float]] = {}

    def run(self, until: float = 1e9, passes: int = 3000) -> "Simulation":
        coming = sorted((c for c in self.clients if not c.turn), key=lambda client: client.arrives)
        for _ in range(passes):
            while coming and coming[0].arrives <= self.now:
                self._ask(coming.pop(0))
            pending = {c.training for c in self.clients if c.waiting}
            batch = self.scheduler.next_batch()
            if not batch:
                if not coming:
                    break
                self.now = coming[0].arrives
                continue
            self.serve(batch, contested=len(pending) == 2)
            if self.now > until:
                break
        return self

    def serve(self, batch: tuple[Ticket, ...], seconds: float = 0.0, contested: bool = True) -> None:
        """One pass of the device, and its orders ask for more."""
        seconds = seconds or sum(ticket.tokens for ticket in batch) * self.seconds_per_token
        self.passes.append((self.now, seconds, batch, contested))
        self.now += seconds
        self.scheduler.charge(batch, seconds)
        for ticket in batch:
            client = self.by_key[ticket.key]
            client.waiting -= 1
            if not client.waiting:
                self._ask(client)

    def _ask(self, client: Client) -> None:
        if client.turn == len(client.units):
            client.ended = self.now
            return
        kind, tokens = client.units[client.turn]
        client.turn += 1
        client.waiting = client.width
        for _ in range(client.width):
            number = next(self.numbers)
            self.asked_at[number] = client.key, self.now
            self.scheduler.add(ticket(number, client.key, client.organization, kind, tokens, client.training))

    def seconds_of(self, *, training: bool, contested_only: bool = False) -> float:
        return sum(
            seconds
            for _, seconds, batch, contested in self.passes
            if batch[0].background == training and (contested or not contested_only)
        )

    def seconds_by_organization(self, until: float) -> dict[str, float]:
        shares: dict[str, float] = defaultdict(float)
        for begin, _, batch, _ in self.passes:
            for ticket in batch:
                if begin < until and not ticket.background:
                    shares[ticket.organization] += ticket.tokens * self.seconds_per_token
        return shares


def images(key: str, organization: str, steps: int, width: int = 1, arrives: float = 0.0) -> Client:
    units = [(ENCODE_TEXT, 20), *[(DENOISE, IMAGE)] * steps, (DECODE, IMAGE)]
    return Client(key, organization, units, width, arrives=arrives)


def run_of(key: str, steps: int, tokens: int = 2 * IMAGE, organization: str = "studio") -> Client:
    units = [unit for _ in range(steps) for unit in ((TRAIN_STEP, tokens), (UPDATE, 5))]
    return Client(key, organization, units, training=True)


# Batches


KINDS = st.sampled_from([DENOISE, ENCODE_TEXT, DECODE, TRAIN_STEP, UPDATE, HELD_OUT, "of tomorrow"])
TICKETS = st.lists(
    st.tuples(st.sampled_from("abc"), KINDS, st.integers(1, 3 * IMAGE), st.booleans()), min_size=1, max_size=40
)


@given(TICKETS)
def test_a_batch_is_compatible_within_its_budget_and_nothing_is_lost(
    wanted: list[tuple[str, str, int, bool]],
) -> None:
    scheduler = Scheduler(DENOISE, TRAINING_BUDGETS[DENOISE])
    tickets = [ticket(n, f"{o}{n}", o, kind, tokens, run) for n, (o, kind, tokens, run) in enumerate(wanted)]
    for one in tickets:
        scheduler.add(one)
    served: list[Ticket] = []
    while batch := scheduler.next_batch():
        scheduler.charge(batch, 0.01)
        served += batch
        assert len({ticket.kind for ticket in batch}) == 1
        assert len({ticket.background for ticket in batch}) == 1
        if len(batch) > 1:
            budgets = TRAINING_BUDGETS if batch[0].background else BUDGETS
            assert sum(ticket.tokens for ticket in batch) <= budgets.get(batch[0].kind, 0)
    assert sorted(ticket.number for ticket in served) == [one.number for one in tickets]


def test_training_steps_have_no_budget_so_they_run_alone() -> None:
    full = FullPass(images=4, image_tokens=64, text_tokens=256)
    assert [unit.budget(full) for unit in (TrainStep, UpdateWeights, HeldOutLoss)] == [0, 0, 0]


def test_images_of_several_orders_share_a_pass() -> None:
    simulation = Simulation([images(f"i{n}", f"org{n}", steps=5) for n in range(4)]).run()
    denoise = [batch for _, _, batch, _ in simulation.passes if batch[0].kind == DENOISE]
    assert [len(batch) for batch in denoise[1:]] == [4] * (len(denoise) - 1)


def test_withdrawn_units_are_not_run() -> None:
    scheduler = Scheduler(DENOISE, TRAINING_BUDGETS[DENOISE])
    scheduler.add(ticket(1, "gone", "a", DENOISE, IMAGE, False))
    scheduler.add(ticket(2, "kept", "a", DENOISE, IMAGE, False))
    scheduler.add(ticket(3, "gone too", "b", TRAIN_STEP, IMAGE, True))
    scheduler.withdraw("gone")
    scheduler.withdraw("gone too")
    assert [ticket.key for ticket in scheduler.next_batch()] == ["kept"]
    assert scheduler.next_batch() == ()


# Training and images


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 20), st.integers(1, 6), st.floats(0, 20), st.sampled_from("abc")),
        min_size=1,
        max_size=8,
    ),
    st.integers(20, 2 * IMAGE - 10),
)
def test_training_takes_at_most_a_quarter_while_anyone_waits_and_is_never_starved(
    orders: list[tuple[int, int, float, str]], train_tokens: int
) -> None:
    clients = [images(f"i{n}", o, steps, width, arrives) for n, (steps, width, arrives, o) in enumerate(orders)]
    simulation = Simulation([*clients, run_of("run", 100_000, train_tokens)]).run(until=300.0, passes=500)
    training = simulation.seconds_of(training=True, contested_only=True)
    drawing = simulation.seconds_of(training=False, contested_only=True)
    unit, batch = train_tokens * SECONDS_PER_TOKEN, 4 * IMAGE * SECONDS_PER_TOKEN
    # What the first unit of a kind takes is unknown before it ran: the bound is exact up to that debt.
    assert training <= (training + drawing) / 4 + unit + 0.005
    stretches = 1 + sum(after and not before for (*_, before), (*_, after) in pairwise(simulation.passes))
    # A stretch of waiting images may end before training has earned its next unit, and units rarely fill a turn.
    assert training >= (training + drawing) * 0.19 - stretches * (unit + batch)


@pytest.mark.parametrize("train_tokens", [20, 100, 190, 600])
def test_training_has_its_quarter_of_a_long_contest(train_tokens: int) -> None:
    """Small units are put together into one turn; a unit longer than a turn comes less often."""
    busy = images("i", "a", steps=3000)
    simulation = Simulation([busy, run_of("run", 100_000, train_tokens)]).run(until=100.0)
    share = simulation.seconds_of(training=True) / simulation.now
    assert 0.24 <= share <= 0.25


def test_a_waiting_image_is_delayed_by_at_most_one_turn_of_training() -> None:
    """Passes of very large images earn training much; still no more than two native steps of it come in a row."""
    large = Client("large", "a", [(DENOISE, 15 * IMAGE)] * 100)
    simulation = Simulation([large, run_of("run", 100_000, tokens=30)]).run(until=50.0)
    longest = turn = 0.0
    turns = set()
    for _, seconds, batch, contested in simulation.passes:
        turn = turn + seconds if batch[0].background and contested else 0.0
        longest = max(longest, turn)
        turns.add(turn)
    assert len(turns) > 2
    assert longest <= 2 * IMAGE * SECONDS_PER_TOKEN


def test_training_has_no_arrears_to_collect_from_small_images() -> None:
    """Long passes earned it more than its turns could use; a small image afterwards gives up its quarter, no more."""
    large = Client("large", "a", [(DENOISE, 15 * IMAGE)] * 30)
    small = images("small", "a", steps=40, arrives=80.0)
    Simulation([large, run_of("run", 100_000, tokens=95), small]).run(until=90.0)
    assert large.ended is not None
    assert large.ended < 80.0
    assert small.ended is not None
    needed = sum(tokens for _, tokens in small.units) * SECONDS_PER_TOKEN
    turn = 2 * IMAGE * SECONDS_PER_TOKEN
    assert small.ended - 80.0 <= needed * 4 / 3 + 2 * turn


def test_an_image_that_arrives_waits_for_the_unit_under_way_only() -> None:
    """Whatever training did before, and whatever the images before it left training to claim."""
    clients = [images(f"i{n}", "a", steps=1 + n % 7, arrives=3.05 + 1.7 * n) for n in range(20)]
    simulation = Simulation([run_of("run", 100_000, tokens=40), *clients]).run(until=50.0)
    unit = 40 * SECONDS_PER_TOKEN
    for client in clients:
        first = next(begin for begin, _, batch, _ in simulation.passes if batch[0].key == client.key)
        assert first - client.arrives <= unit
        needed = sum(tokens for _, tokens in client.units) * SECONDS_PER_TOKEN
        assert client.ended is not None
        assert client.ended - client.arrives <= needed * 4 / 3 + unit


def test_training_fills_every_gap() -> None:
    """With images that come and go, the device is never idle and training takes all that they leave."""
    clients = [images(f"i{n}", "a", steps=5, arrives=2.0 * n) for n in range(10)]
    simulation = Simulation([*clients, run_of("run", 100_000)]).run(until=20.0)
    assert sum(seconds for _, seconds, _, _ in simulation.passes) == pytest.approx(simulation.now)
    drawn = 10 * (0.02 + 6 * IMAGE * SECONDS_PER_TOKEN)
    assert simulation.seconds_of(training=True) == pytest.approx(simulation.now - drawn, abs=0.01)


@pytest.mark.parametrize("sleeper", ["run", "i"])
def test_nobody_pays_for_a_machine_that_slept(sleeper: str) -> None:
    """One pass seems to take an hour; the order it was for is not locked out for hours afterwards."""
    clients = [images("i", "a", 3000), images("j", "b", 3000, width=4), run_of("run", 100_000)]
    simulation = Simulation(clients).run(until=10.0)
    batch = simulation.scheduler.next_batch()
    while all(ticket.key != sleeper for ticket in batch):
        simulation.serve(batch)
        batch = simulation.scheduler.next_batch()
    simulation.serve(batch, 3600.0)
    woken = simulation.now
    simulation.run(until=woken + 20.0)
    assert any(t.key == sleeper for begin, _, batch, _ in simulation.passes if begin >= woken for t in batch)


def test_two_runs_share_what_training_gets() -> None:
    simulation = Simulation(
        [run_of("one", 100_000, 50, "a"), run_of("two", 100_000, 200, "b"), images("i", "c", 2000)]
    ).run(until=60.0, passes=400)
    seconds: dict[str, float] = defaultdict(float)
    for _, took, batch, _ in simulation.passes:
        seconds[batch[0].key] += took
    assert seconds["one"] == pytest.approx(seconds["two"], rel=0.1)


# Organisations


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 5)), min_size=2, max_size=5), st.booleans())
def test_saturated_organisations_get_equal_time(shapes: list[tuple[int, int]], with_run: bool) -> None:
    """Each keeps ``orders`` orders of ``width`` images going for ever: time, not orders and not images, is shared."""
    clients = [
        images(f"{organization}.{order}", f"org{organization}", steps=100_000, width=4 * width)
        for organization, (orders, width) in enumerate(shapes)
        for order in range(orders)
    ]
    extra = [run_of("run", 100_000)] if with_run else []
    simulation = Simulation([*clients, *extra]).run(passes=200)
    shares = simulation.seconds_by_organization(until=simulation.now)
    whole_pass = 4 * IMAGE * SECONDS_PER_TOKEN
    assert max(shares.values()) - min(shares.values()) <= 3 * whole_pass


def test_one_image_is_not_slowed_below_its_fair_share_by_a_crowd() -> None:
    """An organisation with fifty waiting images delays another's single one by its half of the device, no more."""
    alone = Simulation([images("light", "a", steps=50)]).run()
    crowd = [images(f"heavy{n}", "b", steps=50) for n in range(50)]
    crowded = Simulation([*crowd, images("light", "a", steps=50, arrives=1.0)]).run()
    took = crowded.by_key["light"].ended or 0.0
    assert took - 1.0 <= 2.2 * alone.now


def test_idleness_earns_nothing() -> None:
    """An organisation that was away does not lock the others out when it comes back."""
    steady = images("steady", "a", steps=1000, width=4)
    back = [images(f"back{n}", "b", steps=100, width=4, arrives=40.0) for n in range(10)]
    simulation = Simulation([images("early", "b", steps=2), steady, *back]).run(until=60.0, passes=400)
    shares: dict[str, float] = defaultdict(float)
    for begin, _, batch, _ in simulation.passes:
        for ticket in batch:
            if begin >= 40.0:
                shares[ticket.organization] += ticket.tokens * SECONDS_PER_TOKEN
    assert shares["a"] == pytest.approx(shares["b"], rel=0.1)


def test_a_stream_of_newcomers_starves_no_one() -> None:
    """New organisations arrive for ever and use half of the device; who was here first still ends in time."""
    first = images("first", "first", steps=20, width=4)
    needs = sum(tokens for _, tokens in images("n", "n", steps=1).units) * SECONDS_PER_TOKEN
    stream = [images(f"n{n}", f"new{n}", steps=1, arrives=needs / 0.5 * n) for n in range(150)]
    simulation = Simulation([first, *stream]).run(until=90.0)
    assert first.ended is not None
    assert first.ended < 30.0
    assert simulation.now > 60.0


def waits(simulation: Simulation, keys: Iterable[str]) -> list[float]:
    """How long each unit of these orders was pending before its pass began, or is pending still."""
    began = {ticket.number: begin for begin, _, batch, _ in simulation.passes for ticket in batch}
    wanted = set(keys)
    return [
        began.get(number, simulation.now) - asked
        for number, (key, asked) in simulation.asked_at.items()
        if key in wanted
    ]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 4)), min_size=1, max_size=6))
@example([(3, 3), (4, 1), (7, 4), (1, 1)])  # captions waited while younger images of their organisation joined others
def test_no_unit_waits_longer_than_its_turn(shapes: list[tuple[int, int]]) -> None:
    """A unit waits at most for what is ahead of it in its own organisation and as much of each other one's, and the
    passes under way."""
    clients = [
        images(f"{organization}.{order}", f"org{organization}", steps=60, width=width)
        for organization, (orders, width) in enumerate(shapes)
        for order in range(orders)
    ]
    simulation = Simulation([*clients, run_of("run", 100_000)]).run(until=60.0, passes=400)
    whole_pass = 4 * IMAGE * SECONDS_PER_TOKEN
    for organization, (orders, width) in enumerate(shapes):
        own = orders * width * IMAGE * SECONDS_PER_TOKEN
        bound = 4 / 3 * len(shapes) * (own + 2 * whole_pass) + 2 * whole_pass
        keys = [f"{organization}.{order}" for order in range(orders)]
        assert max(waits(simulation, keys)) <= bound
