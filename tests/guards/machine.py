"""What any order of any steps must find: ``tests/walks/test_state_machine.py``. A minute each, so only what it is
seen to find.

Hypothesis tells of several failed assertions at once as an ``ExceptionGroup``.
"""

from tests.guards.guard import Guard

FIFTY = "walks/test_state_machine.py::test_fifty_runs_of_fifty_steps"

GUARDS = (
    Guard(
        "a model that is taken back is gone, after whatever came before",
        "custom_models/service.py",
        "    if repository.remove_shares(tx, model_id, organization_id):\n",
        "    if False:\n",
        (FIFTY,),
        errors=("ExceptionGroup",),
    ),
)
