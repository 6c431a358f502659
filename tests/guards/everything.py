"""Every guard, by the list it stands in: ``make guards TEST_ARGS="-k jobs"`` takes away those of one list.

Kept are the rules whose loss would be seen last and cost most: leases, keys and calls that come again, who sees what,
archives from strangers, where webhooks lead, devices that are lent, how a process hears that it is to stop. The tests
of the other rules were each seen to fail without their guard when they were written.
"""

from tests.guards import accounts, jobs, ledger, lent, models, people, stopping, webhooks, workers, zips
from tests.guards.guard import Guard

LISTS: dict[str, tuple[Guard, ...]] = {
    one.__name__.rpartition(".")[2]: one.GUARDS
    for one in (jobs, workers, accounts, models, zips, webhooks, ledger, people, lent, stopping)
}
