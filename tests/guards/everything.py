"""Every guard, by the list it stands in: ``make guards TEST_ARGS="-k jobs"`` takes away those of one list."""

from tests.guards import (
    accounts,
    answers,
    asks,
    bodies,
    database,
    datasets,
    doors,
    engine,
    house,
    jobs,
    machine,
    models,
    pictures,
    runs,
    storage,
    workers,
    zips,
)
from tests.guards.guard import Guard

_LISTS = (
    jobs,
    workers,
    accounts,
    database,
    storage,
    datasets,
    zips,
    pictures,
    models,
    asks,
    bodies,
    answers,
    doors,
    engine,
    runs,
)
LISTS: dict[str, tuple[Guard, ...]] = {one.__name__.rpartition(".")[2]: one.GUARDS for one in (*_LISTS, house, machine)}
