"""A thousand small disasters, each from a seed: no job is lost, doubled, stuck, or finished by who had lost it.

That it finds what it looks for was tried by hand, one bug at a time planted in queue, statements or reaper; the first
seed that told of each:

    a token as old as an earlier lease's still writes         0    one worker's burial takes everybody's leases     0
    a job that has FAILED is still held                       4    a supervisor buries by the clock, not by name    0
    the token does not grow with the lease                    0    the same job kills workers for ever              0
    running jobs are leased a second time                     0    progress forgives no earlier losses              0
    the reaper takes leases that are not late                 0    a queued run with a checkpoint is thrown away   14
    a heartbeat renews nothing                                0    the reaper closes nothing that hangs on a job    0
    a report proves no lease                                  4    an end leaves the worker's name in the row       0
    fairness forgets what is being drawn                      0    a worker puts back what it has in hand          22
    a worker does not put back what it was given without hearing of it, if it held the job before                1654

The last is found at once in ``test_queue``.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine
from tests.db.postgres import Postgres
from tests.db.state_fixtures import MIGRATED
from tests.jobs.simulation import Simulation
from tests.marks import long_but

from linocut.db.tables import metadata

BLOCK = 50
BLOCKS = 20
BLOCKS_SOAK = 200


@pytest.fixture(scope="module")
def table() -> Iterator[Connection]:
    """The job table in memory: what is played here are the statements, not the disk."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def play(connection: Connection, seeds: range) -> None:
    """Play these seeds, and see that their worlds were as bad as they were meant to be."""
    ends: Counter[str] = Counter()
    refused = faults = 0
    for seed in seeds:
        simulation = Simulation(connection, seed)
        try:
            ends += simulation.run()
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}, at {simulation.clock:.1f} s: {broken}") from broken
        refused += simulation.refused
        faults += simulation.db.faults
    assert ends["DONE"] > ends["FAILED"] > len(seeds) / 10
    assert refused > len(seeds) / 10
    assert faults > len(seeds) / 2


@pytest.mark.parametrize("block", long_but(range(3), range(BLOCKS)))
def test_no_job_is_lost_doubled_stuck_or_finished_by_a_worker_that_lost_its_lease(
    table: Connection, block: int
) -> None:
    play(table, range(block * BLOCK, (block + 1) * BLOCK))


@pytest.mark.soak
@pytest.mark.parametrize("block", range(BLOCKS_SOAK))
def test_ten_thousand_seeds(table: Connection, block: int) -> None:
    play(table, range(block * BLOCK, (block + 1) * BLOCK))


@pytest.mark.postgresql
@pytest.mark.long
def test_the_same_on_postgresql(postgres: Postgres) -> None:
    engine = create_engine(postgres.url_of(MIGRATED))
    with engine.connect() as connection:
        play(connection, range(10))
    engine.dispose()
