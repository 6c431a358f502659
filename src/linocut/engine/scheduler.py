"""Which pending units make the next forward pass. Pure: no torch, no clock; the seconds that a pass took are told.

Two queues share the device by *time*: the units of orders that somebody waits for (images, say), and the background
(every unit of a training run, its previews too).

Between the queues: the background runs freely while nobody waits. While somebody does, every second of theirs earns it
a third of a second, and a unit of it runs only when what it is expected to take has been earned. What is earned is
kept up to one turn: a unit, or several small ones that together take no longer than its largest pass of pictures (two
one-image steps); and it is forgotten when nobody waits. So the background has at most a quarter of contested time and
always comes to its turn, a new image waits at most for the unit under way, and one turn at most stands between two of
its passes.

Within a queue: each organisation has an account of device seconds. The one that used least leads: its oldest unit
sets the kind of the pass, and units of that kind fill it up to the kind's token budget, taken one by one from
whichever account is lowest. An account may run ahead of the leader's by one full pass, no more, so that an
organisation with a hundred waiting images does not slow one with a single image below its fair share. An account that
was idle restarts at the queue's clock: idleness earns nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

BACKGROUND_SHARE = 0.25
"""The largest part of device time that the background takes while somebody waits."""

ESTIMATE_WEIGHT = 0.3
"""How much the newest pass counts in the running estimate of seconds a token."""

LONGEST_PASS = 10.0
"""A pass is charged at most this many times what was expected of it: nobody pays for a machine that slept."""


@dataclass(frozen=True)
class Ticket:
    """One pending unit. ``number`` is its place in arrival order, unique; ``tokens`` what its cost is proportional to.

    ``key`` names its order and ``background`` says that nobody waits for it. ``kind`` names what may share a pass with
    it, ``budget`` is the most tokens of that pass; a unit above it (0: any) runs alone.
    """

    number: int
    key: str
    organization: str
    kind: str
    tokens: int
    background: bool
    budget: int


class Scheduler:
    """The pending units of every order. One turn of the background takes as long as ``turn_tokens`` of the kind
    ``turn_kind`` are expected to take, or one unit that takes longer."""

    def __init__(self, turn_kind: str, turn_tokens: int) -> None:
        self._costs = _Costs()
        self._waited_for = _FairQueue(self._costs)
        self._background = _FairQueue(self._costs)
        self._earned = 0.0
        self._turn = turn_kind, turn_tokens
        self._contested = False

    def add(self, ticket: Ticket) -> None:
        """A routine waits for this unit."""
        (self._background if ticket.background else self._waited_for).add(ticket)

    def withdraw(self, key: str) -> None:
        """Forget the pending units of an order."""
        self._waited_for.withdraw(key)
        self._background.withdraw(key)

    @property
    def is_waited_for(self) -> bool:
        """Whether a unit is pending that somebody waits for."""
        return bool(self._waited_for)

    def next_batch(self) -> tuple[Ticket, ...]:
        """The units of the next pass, no longer pending; empty when nothing is. ``charge`` must follow each pass."""
        self._contested = bool(self._waited_for and self._background)
        if not self._waited_for:
            self._earned = min(self._earned, 0.0)  # whoever comes next waits for the unit under way, for no other
            return self._background.take()
        return self._background.take() if self._background and self._background_may() else self._waited_for.take()

    def _background_may(self) -> bool:
        """Whether the background runs its next pass although somebody waits."""
        cost = self._background.expected_seconds()
        turn = self._costs.expect(*self._turn)
        self._earned = min(self._earned, max(cost, turn))
        return self._earned >= cost

    def charge(self, batch: Sequence[Ticket], seconds: float) -> None:
        """The pass took this long: note it in the accounts, in equal parts a token."""
        background, kind, tokens = batch[0].background, batch[0].kind, sum(ticket.tokens for ticket in batch)
        if expected := self._costs.expect(kind, tokens):
            seconds = min(seconds, LONGEST_PASS * expected)
        self._costs.learn(kind, tokens, seconds)
        (self._background if background else self._waited_for).charge(batch, seconds)
        if self._contested:
            earned_per_second = BACKGROUND_SHARE / (1 - BACKGROUND_SHARE)
            self._earned += -seconds if background else seconds * earned_per_second


class _Costs:
    """Running estimates of seconds a token, by kind; zero until a kind was measured."""

    def __init__(self) -> None:
        self._seconds_per_token: dict[str, float] = {}

    def expect(self, kind: str, tokens: int) -> float:
        """Seconds that ``tokens`` of ``kind`` are expected to take."""
        return self._seconds_per_token.get(kind, 0.0) * tokens

    def learn(self, kind: str, tokens: int, seconds: float) -> None:
        """A pass of ``tokens`` took ``seconds``."""
        measured = seconds / tokens
        known = self._seconds_per_token.get(kind, measured)
        self._seconds_per_token[kind] = known + ESTIMATE_WEIGHT * (measured - known)


class _FairQueue:
    """Pending units by organisation, and each organisation's account of device seconds."""

    def __init__(self, costs: _Costs) -> None:
        self._costs = costs
        self._pending: dict[str, list[Ticket]] = {}
        self._spent: dict[str, float] = {}
        self._clock = 0.0

    def __bool__(self) -> bool:
        return bool(self._pending)

    def add(self, ticket: Ticket) -> None:
        if ticket.organization not in self._pending:
            self._pending[ticket.organization] = []
            self._spent[ticket.organization] = max(self._spent.get(ticket.organization, 0.0), self._clock)
        self._pending[ticket.organization].append(ticket)

    def withdraw(self, key: str) -> None:
        for organization in list(self._pending):
            self._keep(organization, [t for t in self._pending[organization] if t.key != key])

    def expected_seconds(self) -> float:
        """What the pass that ``take`` would give now is expected to take."""
        chosen = self._choose()
        return self._costs.expect(chosen[0].kind, sum(ticket.tokens for ticket in chosen))

    def take(self) -> tuple[Ticket, ...]:
        """The next pass; its units are no longer pending."""
        if not self._pending:
            return ()
        chosen = self._choose()
        taken = {ticket.number for ticket in chosen}
        for organization in {ticket.organization for ticket in chosen}:
            self._keep(organization, [t for t in self._pending[organization] if t.number not in taken])
        return chosen

    def charge(self, batch: Sequence[Ticket], seconds: float) -> None:
        waiting = self._pending.keys() | {ticket.organization for ticket in batch}
        tokens = sum(ticket.tokens for ticket in batch)
        for ticket in batch:
            self._spent[ticket.organization] += seconds * ticket.tokens / tokens
        # The clock goes as fast as each account would under ideal sharing.
        self._clock += seconds / len(waiting)
        for idle in [o for o, spent in self._spent.items() if o not in waiting and spent <= self._clock]:
            del self._spent[idle]

    def _choose(self) -> tuple[Ticket, ...]:
        lead = min((tickets[0] for tickets in self._pending.values()), key=self._rank)
        chosen, left = [lead], lead.budget - lead.tokens
        account = dict(self._spent)
        account[lead.organization] += self._costs.expect(lead.kind, lead.tokens)
        limit = self._spent[lead.organization] + self._costs.expect(lead.kind, max(lead.budget, lead.tokens))
        fitting = {
            # Inside another organisation nothing overtakes: its older units of other kinds would never lead.
            organization: list(takewhile(lambda ticket: ticket.kind == lead.kind, tickets))
            for organization, tickets in self._pending.items()
        }
        fitting[lead.organization] = [t for t in self._pending[lead.organization][1:] if t.kind == lead.kind]
        contested = len(self._pending) > 1
        while left > 0:
            open_to = [o for o, tickets in fitting.items() if tickets and not (contested and account[o] > limit)]
            if not open_to:
                break
            lowest = min(open_to, key=lambda o: (account[o], fitting[o][0].number))
            ticket = fitting[lowest].pop(0)
            if ticket.tokens <= left:
                chosen.append(ticket)
                left -= ticket.tokens
                account[lowest] += self._costs.expect(ticket.kind, ticket.tokens)
        return tuple(chosen)

    def _rank(self, ticket: Ticket) -> tuple[float, int]:
        """Whose turn it is: the organisation that used least; of equals, the one whose unit is older."""
        return self._spent[ticket.organization], ticket.number

    def _keep(self, organization: str, tickets: list[Ticket]) -> None:
        if tickets:
            self._pending[organization] = tickets
        else:
            del self._pending[organization]
