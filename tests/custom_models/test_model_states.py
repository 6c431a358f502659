"""No status ever goes backwards, whatever is reported, in whatever order, however often."""

from hypothesis import given
from hypothesis import strategies as st

from linocut.custom_models.states import (
    MODEL_MOVES,
    MODEL_OF_RUN,
    MODEL_STATUSES,
    RUN_MOVES,
    RUN_STATUSES,
    is_final_model,
    is_final_run,
    moved_model,
    moved_run,
)

MODEL_RANK = {"CREATING": 0, "TRAINING": 1, "COMPLETED": 2, "ERRORED": 2, "ARCHIVED": 3}
RUN_RANK = {"PREPARING_DATA": 0, "QUEUED": 1, "TRAINING": 2, "FINALIZING": 3, "COMPLETED": 4, "FAILED": 4}


@given(st.lists(st.sampled_from(MODEL_STATUSES)))
def test_a_model_only_moves_up_whatever_is_reported(reports: list[str]) -> None:
    status: str = "CREATING"
    for report in reports:
        after = moved_model(status, report)
        assert after == status or MODEL_RANK[after] > MODEL_RANK[status]
        assert after in {status, report}
        status = after


@given(st.lists(st.sampled_from(RUN_STATUSES)))
def test_a_run_only_moves_up_and_stays_final(reports: list[str]) -> None:
    status: str = "PREPARING_DATA"
    for report in reports:
        after = moved_run(status, report)
        assert after == status or RUN_RANK[after] > RUN_RANK[status]
        assert not is_final_run(status) or after == status
        status = after


@given(st.lists(st.sampled_from(["TRAINING", "FINALIZING"]), min_size=1), st.integers(0, 20))
def test_a_resumed_run_that_reports_its_phases_again_leaves_no_trace(phases: list[str], crash: int) -> None:
    """The story up to a crash, then the whole story again: the statuses seen are those of one run without a crash."""
    seen, status = ["QUEUED"], "QUEUED"
    story = ["TRAINING", "FINALIZING", "COMPLETED"]
    for report in [*phases[: crash % 3], *story]:
        status = moved_run(status, report)
        if status != seen[-1]:
            seen.append(status)
    assert [s for s in ["QUEUED", *story] if s in seen] == seen
    assert status == "COMPLETED"


def test_only_what_has_ended_can_be_archived_and_nothing_leaves_the_archive() -> None:
    assert {status for status in MODEL_STATUSES if "ARCHIVED" in MODEL_MOVES[status]} == {"COMPLETED", "ERRORED"}
    assert MODEL_MOVES["ARCHIVED"] == frozenset()
    assert {status for status in MODEL_STATUSES if is_final_model(status)} == {"COMPLETED", "ERRORED", "ARCHIVED"}


def test_a_run_and_its_model_end_together() -> None:
    for run_status in RUN_STATUSES:
        assert is_final_run(run_status) == is_final_model(MODEL_OF_RUN[run_status])
        for after in RUN_MOVES[run_status]:
            before_model, after_model = MODEL_OF_RUN[run_status], MODEL_OF_RUN[after]
            assert after_model == before_model or after_model in MODEL_MOVES[before_model]
