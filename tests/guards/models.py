"""The guards of custom models: who sees and changes them, which way their states move."""

from tests.guards.guard import Guard

SEEN = "custom_models/test_visibility.py::"
STATES = "custom_models/test_model_states.py::"

GUARDS = (
    Guard(
        "a model that may not be seen does not exist",
        "custom_models/service.py",
        '    return row["user_id"] == caller.user_id or repository.is_shared_with(tx, caller, row["model_id"])\n',
        "    return True\n",
        (
            f"{SEEN}test_what_may_not_be_seen_and_what_does_not_exist_give_equal_errors[sqlite]",
            f"{SEEN}test_a_uri_draws_for_its_owner_and_the_organisation_only[sqlite]",
        ),
    ),
    Guard(
        "who has left an organisation sees its models no more",
        "custom_models/repository.py",
        '        members.c.user_id == bindparam("user_id"),\n',
        "",
        (f"{SEEN}test_the_key_s_organisation_counts_and_membership_is_looked_at_each_time[sqlite]",),
    ),
    Guard(
        "who has left an organisation lists its models no more",
        "custom_models/repository.py",
        "            members.c.user_id == caller.user_id,\n",
        "",
        (f"{SEEN}test_the_key_s_organisation_counts_and_membership_is_looked_at_each_time[sqlite]",),
    ),
    Guard(
        "a model is shared with the organisation of the key, not with all of its owner's",
        "custom_models/repository.py",
        '        model_shares.c.organization_id == bindparam("organization_id"),\n',
        "",
        (f"{SEEN}test_the_key_s_organisation_counts_and_membership_is_looked_at_each_time[sqlite]",),
    ),
    Guard(
        "a member does not see the runs of a shared model",
        "custom_models/repository.py",
        "if is_owned and with_runs else ()",
        "if with_runs else ()",
        (f"{SEEN}test_a_member_of_the_organisation_sees_less[sqlite]",),
    ),
    Guard(
        "a member is told that the model is not its own",
        "custom_models/service.py",
        '    return repository.view_of_read(row, runs, is_owned=row["user_id"] == caller.user_id, with_runs=True)',
        "    return repository.view_of_read(row, runs, is_owned=True, with_runs=True)",
        (f"{SEEN}test_a_member_of_the_organisation_sees_less[sqlite]",),
    ),
    Guard(
        "only the owner changes a shared model",
        "custom_models/service.py",
        '    if row["user_id"] != caller.user_id:\n',
        "    if False:\n",
        (f"{SEEN}test_only_the_owner_changes_a_shared_model[sqlite]",),
    ),
    Guard(
        "only the owner cancels the training of a shared model",
        "runs/service.py",
        "    if not model.is_owned:\n",
        "    if False:\n",
        (f"{SEEN}test_only_the_owner_changes_a_shared_model[sqlite]",),
        errors=("Conflict",),
    ),
    Guard(
        "a model is shared only with an organisation of its owner",
        "custom_models/service.py",
        "    if not is_member(tx, organization_id, caller.user_id):\n",
        "    if False:\n",
        (f"{SEEN}test_sharing_needs_membership_and_again_is_the_same[sqlite]",),
        errors=("IntegrityError",),
    ),
    Guard(
        "a model that is taken back is gone for the others",
        "custom_models/repository.py",
        "    return tx.execute(shares).rowcount > 0\n",
        "    return True\n",
        ("walks/test_sharing.py::test_a_model_that_is_taken_back_is_gone_for_the_others_at_once[sqlite]",),
    ),
    Guard(
        "a model is taken back from the organisation that is named, not from all",
        "custom_models/repository.py",
        "    if organization_id is not None:\n        shares",
        "    if False:\n        shares",
        ("walks/test_sharing.py::test_a_model_that_is_taken_back_is_gone_for_the_others_at_once[sqlite]",),
    ),
    Guard(
        "a shared model is listed once it is COMPLETED",
        "custom_models/repository.py",
        '        models.c.status == "COMPLETED",\n',
        "",
        (f"{SEEN}test_lists_are_newest_first_and_scope_and_status_do_what_they_say[sqlite]",),
    ),
    Guard(
        "an archived model draws nothing",
        "custom_models/service.py",
        ' or row["status"] != "COMPLETED" or not',
        " or not",
        (f"{SEEN}test_an_archived_model_draws_no_more_but_its_owner_reads_it[sqlite]",),
    ),
    Guard(
        "a model of another base is refused",
        "custom_models/service.py",
        '    if row["base"] != resident:\n',
        "    if False:\n",
        (f"{SEEN}test_a_uri_draws_for_its_owner_and_the_organisation_only[sqlite]",),
    ),
    Guard(
        "archiving ends a training at once",
        "custom_models/service.py",
        "        stop_for_good(tx, model_id)\n",
        "        pass\n",
        (
            "workers/test_cancels.py::test_archiving_a_running_one_ends_it_at_once_and_its_worker_writes_no_more[sqlite]",
        ),
    ),
    Guard(
        "a model whose weights are lost draws nothing",
        "custom_models/service.py",
        '    if row["unavailable_reason"] is not None:\n',
        "    if False:\n",
        (
            "workers/test_lost_files.py::test_a_generation_whose_weights_are_lost_takes_the_model_out_of_use[sqlite-missing]",
        ),
    ),
    Guard(
        "a model whose weights are lost is not said to be available",
        "custom_models/repository.py",
        ' and row["unavailable_reason"] is None,\n',
        ",\n",
        (
            "workers/test_lost_files.py::test_a_generation_whose_weights_are_lost_takes_the_model_out_of_use[sqlite-missing]",
            "walks/test_lost_files.py::test_the_weights_of_a_model[sqlite]",
        ),
    ),
    Guard(
        "a worker that finds weights lost takes their models out of use",
        "workers/answers.py",
        '                availability.lost(tx, lost.details["sha256"], lost.details["how"])\n',
        "                pass\n",
        (
            "workers/test_lost_files.py::test_a_generation_whose_weights_are_lost_takes_the_model_out_of_use[sqlite-missing]",
        ),
    ),
    Guard(
        "the reason is the owner's to read",
        "custom_models/repository.py",
        'if is_owned and row["unavailable_reason"] else ()',
        'if row["unavailable_reason"] else ()',
        ("workers/test_lost_files.py::test_who_only_shares_a_model_sees_no_reason[sqlite]",),
    ),
    Guard(
        "no time that was read runs backwards",
        "db/moment.py",
        "    return case((column > new, column), else_=new)\n",
        "    return new\n",
        (
            "custom_models/test_clock.py::test_a_model_and_its_run[sqlite]",
            "custom_models/test_clock.py::test_a_dataset_and_its_pictures[sqlite]",
        ),
    ),
    Guard(
        "what is listed by its time stays in order when the clock is set back",
        "db/moment.py",
        "    return moment if last is None else max(moment, last)\n",
        "    return moment\n",
        (
            "custom_models/test_clock.py::test_a_model_and_its_run[sqlite]",
            "custom_models/test_clock.py::test_a_dataset_and_its_pictures[sqlite]",
        ),
    ),
    Guard(
        "no model moves backwards",
        "custom_models/states.py",
        "    return wanted if wanted in MODEL_MOVES[current] else current\n",
        "    return wanted\n",
        (f"{STATES}test_a_model_only_moves_up_whatever_is_reported",),
    ),
    Guard(
        "no run moves backwards",
        "custom_models/states.py",
        "    return wanted if wanted in RUN_MOVES[current] else current\n",
        "    return wanted\n",
        (f"{STATES}test_a_run_only_moves_up_and_stays_final",),
    ),
    Guard(
        "only what has ended is archived",
        "custom_models/states.py",
        '"TRAINING": frozenset({"COMPLETED", "ERRORED"}),',
        '"TRAINING": frozenset({"COMPLETED", "ERRORED", "ARCHIVED"}),',
        (f"{STATES}test_only_what_has_ended_can_be_archived_and_nothing_leaves_the_archive",),
    ),
    Guard(
        "a model that has failed is not failed again",
        "custom_models/lifecycle.py",
        '    if is_final_model(row["status"]):\n        return False\n',
        "",
        ("custom_models/test_final_models.py::test_a_model_that_has_ended_is_neither_completed_nor_failed",),
    ),
    Guard(
        "a model that has ended is not completed",
        "custom_models/lifecycle.py",
        '    if is_final_model(row["status"]):\n        raise Conflict',
        "    if False:\n        raise Conflict",
        ("custom_models/test_final_models.py::test_a_model_that_has_ended_is_neither_completed_nor_failed",),
    ),
)
