"""The guards of a run: noise, checkpoints that go on to the same bytes, what is learned and handed over."""

from tests.guards.guard import Guard

LADDER = "engine/test_memory_ladder.py::"
KEPT = "engine/test_training_checkpoint.py::"
RESUMED = "engine/test_training_resume.py::"
ENDS = "engine/test_training_ends.py::"
EXAMPLES = "engine/test_training_examples.py::"
STATE = "engine/test_training_state.py::"

GUARDS = (
    Guard(
        "a cheaper plan is on the disk before it is used",
        "engine/training/run.py",
        "memory=found)\n            yield from self._save()\n",
        "memory=found)\n",
        (f"{LADDER}test_the_plan_is_kept_when_the_run_is_resumed",),
    ),
    Guard(
        "what was done of a broken-off step is forgotten",
        "engine/training/run.py",
        "            self.state.drop_gradients()\n",
        "",
        (f"{LADDER}test_what_was_done_of_a_broken_off_step_is_forgotten",),
    ),
    Guard(
        "a batch in smaller parts is the same batch",
        "engine/training/steps.py",
        "TrainStep(state, examples, len(group) / order.batch_size, memory.recompute)",
        "TrainStep(state, examples, 1.0, memory.recompute)",
        (f"{LADDER}test_what_was_done_of_a_broken_off_step_is_forgotten",),
    ),
    Guard(
        "noise is of its step",
        "engine/training/steps.py",
        "purpose, order.seed, step, draw.key, draw.turn)",
        "purpose, order.seed, draw.key, draw.turn)",
        ("engine/test_training_run.py::test_no_noise_is_used_twice",),
    ),
    Guard(
        "noise is of its picture",
        "engine/training/steps.py",
        "purpose, order.seed, step, draw.key, draw.turn)",
        "purpose, order.seed, step, draw.turn)",
        ("engine/test_training_run.py::test_no_noise_is_used_twice",),
    ),
    Guard(
        "noise is of the run's seed",
        "engine/training/steps.py",
        "purpose, order.seed, step, draw.key, draw.turn)",
        "purpose, step, draw.key, draw.turn)",
        ("engine/test_training_run.py::test_noise_is_of_the_runs_seed",),
    ),
    Guard(
        "an image starts from the noise of its own seed",
        "engine/noise.py",
        'return normals(shape, "start noise", seed)',
        'return normals(shape, "start noise")',
        ("engine/test_generate_routine.py::test_each_image_of_an_order_is_that_of_its_own_seed",),
    ),
    Guard(
        "a draw does not depend on the draws before it",
        "engine/noise.py",
        "np.random.Philox(key=key).random_raw(count)",
        "np.random.default_rng().bit_generator.random_raw(count)",
        ("engine/test_training_noise.py::test_a_draw_does_not_depend_on_the_draws_before_it",),
    ),
    Guard(
        "a checkpoint is written whole or not at all",
        "engine/training/checkpoint.py",
        "        write_durably(self._path(progress.attempt, progress.step), seal(tensors, facts))\n",
        "        self.folder.mkdir(parents=True, exist_ok=True)\n"
        "        self._path(progress.attempt, progress.step).write_bytes(seal(tensors, facts))\n",
        (f"{ENDS}test_a_full_disk_fails_the_run_without_naming_a_path",),
    ),
    Guard(
        "a damaged checkpoint is noticed",
        "engine/training/sealed.py",
        "    if _checksum(tensors, metadata) != stated:\n",
        "    if False:\n",
        (
            f"{KEPT}test_any_damage_is_noticed_and_the_one_before_is_taken",
            f"{KEPT}test_facts_are_under_the_checksum_too",
        ),
    ),
    Guard(
        "another order's checkpoint is never taken",
        "engine/training/checkpoint.py",
        'facts.get("order") != self.order_sha256 or ',
        "",
        (f"{KEPT}test_another_orders_checkpoint_is_never_taken",),
    ),
    Guard(
        "the checkpoint that was chosen is kept",
        "engine/training/checkpoint.py",
        "        kept |= {chosen for name in kept if (chosen := self._chosen_by(*name)) is not None}\n",
        "",
        (f"{KEPT}test_the_chosen_one_is_kept_however_old",),
    ),
    Guard(
        "two checkpoints are kept, so that a damaged one has another before it",
        "engine/training/checkpoint.py",
        "_KEPT = 2\n",
        "_KEPT = 1\n",
        (
            f"{KEPT}test_the_newest_two_and_the_newest_two_fixed_are_kept",
            f"{RESUMED}test_a_damaged_newest_checkpoint_costs_steps_and_no_bytes",
        ),
        errors=("IndexError",),
    ),
    Guard(
        "a resumed run has the optimiser's memory",
        "engine/training/state.py",
        '            "second_moment": self._second_P,\n',
        "",
        (f"{STATE}test_a_loaded_state_goes_on_to_the_same_bits", f"{RESUMED}test_killed_before_any_unit"),
    ),
    Guard(
        "a resumed run goes on from its step",
        "engine/training/state.py",
        "        self.step = step\n        self.drop_gradients()\n",
        "        self.drop_gradients()\n",
        (f"{STATE}test_a_loaded_state_goes_on_to_the_same_bits", f"{RESUMED}test_killed_before_any_unit"),
        errors=("KeyError",),
    ),
    Guard(
        "features kept for another sample are never used",
        "engine/training/examples.py",
        "        if facts != self.facts:",
        "        if False:",
        (f"{EXAMPLES}test_features_kept_for_another_sample_are_never_used",),
        errors=("RunFailed",),
    ),
    Guard(
        "a stored picture is the recorded one",
        "engine/training/examples.py",
        "        if sha256_hex(data) != ordered.image_sha256:\n",
        "        if False:\n",
        (f"{EXAMPLES}test_a_missing_or_damaged_picture_is_named",),
    ),
    Guard(
        "held-out pictures are never learned from",
        "engine/training/plan.py",
        "if index not in held_out]",
        "]",
        (
            "engine/test_training_plan.py::test_held_out_pictures_are_never_learned_from",
            "engine/test_training_run.py::test_held_out_pictures_are_scored_and_never_learned_from",
        ),
    ),
    Guard(
        "the best checkpoint is chosen, not the last",
        "engine/training/run.py",
        "(not progress.chosen_step or value < progress.scores[progress.chosen_step])",
        "True",
        ("engine/test_training_run.py::test_the_best_checkpoint_is_chosen_not_the_last",),
    ),
    Guard(
        "a gradient that is no number changes nothing",
        "engine/training/state.py",
        "        if isfinite(norm):\n",
        "        if True:\n",
        (f"{STATE}test_a_gradient_that_is_no_number_changes_nothing",),
    ),
    Guard(
        "a run goes back once, and the second time it ends",
        "engine/training/run.py",
        "        if self.progress.trouble is not None:\n            raise",
        "        if False:\n            raise",
        (f"{ENDS}test_the_second_time_the_run_fails_and_names_the_picture",),
        waits=True,
    ),
    Guard(
        "a run that goes back learns at half the rate",
        "engine/training/run.py",
        "learning_rate_scale=self.progress.learning_rate_scale / 2,",
        "learning_rate_scale=self.progress.learning_rate_scale,",
        (f"{ENDS}test_a_loss_that_is_no_number_goes_back_once_at_half_the_rate",),
    ),
    Guard(
        "an adapter that learned nothing is not handed over",
        "engine/training/export.py",
        "    if size == 0.0:\n",
        "    if False:\n",
        (f"{ENDS}test_an_adapter_that_learned_nothing_is_not_handed_over",),
    ),
    Guard(
        "an adapter that moves nothing is not handed over",
        "engine/training/export.py",
        "    if effect <= LEAST_EFFECT:\n",
        "    if False:\n",
        (f"{ENDS}test_an_adapter_that_moves_nothing_is_not_handed_over",),
    ),
    Guard(
        "no path reaches the owner of a run whose disk failed",
        "engine/training/sentences.py",
        "({disk.strerror or 'disk error'})",
        "({disk})",
        (f"{ENDS}test_a_disk_that_fails_ends_the_run_without_naming_a_path",),
    ),
)
