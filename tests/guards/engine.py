"""The guards of the engine: one adapter an item, one base, one order's fault its own, memory."""

from tests.guards.guard import Guard

ENGINE = "engine/test_engine.py::"
FILES = "engine/test_adapters_file.py::"
GROUPED = "engine/test_grouped_linear.py::"
LADDER = "engine/test_memory_ladder.py::"

GUARDS = (
    Guard(
        "each item of a batch has its own adapter",
        "engine/adapters/apply.py",
        "        whole = share.start == 0 and share.stop == x_SI.shape[0]\n",
        "        whole = True\n",
        (
            "engine/test_adapters_apply.py::test_each_share_gets_its_own_delta",
            "engine/test_families_batch.py::test_an_item_in_a_mixed_batch_is_the_item_alone",
        ),
    ),
    Guard(
        "two adapters are two shares",
        "engine/adapters/apply.py",
        "if shares and shares[-1].adapter is adapter and shares[-1].stop == start:",
        "if shares and shares[-1].stop == start:",
        ("engine/test_families_batch.py::test_an_item_in_a_mixed_batch_is_the_item_alone",),
    ),
    Guard(
        "a grouped linear outside a call raises",
        "engine/families/parts/grouped.py",
        "        if shares is None:\n",
        "        shares = shares or []\n        if False:\n",
        (f"{GROUPED}test_a_grouped_linear_outside_a_call_raises",),
    ),
    Guard(
        "a grouped linear sees the batch's rows",
        "engine/families/parts/grouped.py",
        "        if x.shape[0] != self.call.rows:\n",
        "        if False:\n",
        (f"{GROUPED}test_a_grouped_linear_that_does_not_see_the_rows_raises",),
    ),
    Guard(
        "a block computed again sees the shares of its first time",
        "engine/families/parts/grouped.py",
        "            with call.using(rows, shares, recompute=True):\n                return block(*inputs)\n",
        "            return block(*inputs)\n",
        (f"{GROUPED}test_a_block_computed_again_sees_the_shares_of_its_first_time",),
        errors=("TypeError",),
    ),
    Guard(
        "a quantised linear's result is copied before it is added to",
        "engine/families/parts/grouped.py",
        "        if shares and type(self.base) is not nn.Linear:\n",
        "        if False:\n",
        (f"{GROUPED}test_a_quantised_linear_gets_its_adapters_too",),
        errors=("RuntimeError",),
    ),
    Guard(
        "what a base has no place for is refused",
        "engine/families/parts/refused.py",
        "    if not family.takes_negative_text and any(item.negative is not None for item in items):\n",
        "    if False:\n",
        ("engine/test_families_parity.py::test_what_a_base_has_no_place_for_is_refused_with_a_sentence",),
    ),
    Guard(
        "an order for another base is refused",
        "engine/engine.py",
        "        if order.base != self._identity:\n",
        "        if False:\n",
        (f"{ENGINE}test_an_order_for_another_base_is_refused",),
    ),
    Guard(
        "another base's adapter is refused",
        "engine/adapters/file.py",
        "    if base is not None and metadata.base != base:\n",
        "    if False:\n",
        (
            f"{FILES}test_another_bases_adapter_is_refused",
            "engine/test_generate_routine.py::test_a_bad_adapter_fails_its_order_with_a_sentence",
        ),
    ),
    Guard(
        "an adapter that is not finite is refused",
        "engine/adapters/file.py",
        "        if tensor.dtype not in FLOATS or not bool(torch.isfinite(tensor).all()):\n",
        "        if tensor.dtype not in FLOATS:\n",
        (f"{FILES}test_bad_files_are_refused_with_a_sentence",),
    ),
    Guard(
        "an adapter covers every linear of the base and no other",
        "engine/adapters/file.py",
        "    if differing:\n",
        "    if False:\n",
        (f"{FILES}test_bad_files_are_refused_with_a_sentence",),
        errors=("KeyError",),
    ),
    Guard(
        "an adapter's bytes are those that its name promises",
        "engine/resident.py",
        "        if adapter.sha256 != ref.sha256:\n",
        "        if False:\n",
        ("engine/test_generate_routine.py::test_a_bad_adapter_fails_its_order_with_a_sentence",),
        errors=("ValueError",),
    ),
    Guard(
        "one bad unit does not take its neighbours along",
        "engine/executor.py",
        "        return [outcome for at in range(0, len(units), part) for outcome in self.run(units[at : at + part])]",
        "        return [Broken(failed) for _ in units]",
        (
            "engine/test_executor.py::test_a_caption_that_the_base_refuses_hurts_its_order_only",
            "engine/test_pass_memory.py::test_a_batch_without_room_is_run_in_halves",
        ),
    ),
    Guard(
        "what is not finite is refused",
        "engine/executor.py",
        "Done(result) if unit.sound(result) else",
        "Done(result) if True else",
        ("engine/test_executor.py::test_the_neighbours_of_a_poisoned_unit_get_their_results",),
    ),
    Guard(
        "orders hold no more memory than there is",
        "engine/memory.py",
        "        if self._waiting[key][1] > self._budget - sum(size for _, size in self._reserved.values()):\n",
        "        if False:\n",
        ("engine/test_memory.py::test_a_pool_never_holds_more_than_its_budget_and_everyone_starts",),
    ),
    Guard(
        "an order larger than the machine is refused at once",
        "engine/memory.py",
        "        if size > self._budget:\n",
        "        if False:\n",
        (
            "engine/test_engine_ends.py::test_an_order_larger_than_the_machine_is_refused_with_a_way_out",
            "engine/test_memory.py::test_what_never_fits_is_refused_at_once",
        ),
        waits=True,
    ),
    Guard(
        "a training step is never run twice",
        "engine/training/units.py",
        '        """Never again: some of its gradients may have been added."""\n        return ()\n',
        '        """Never again: some of its gradients may have been added."""\n        return (self,)\n',
        (f"{LADDER}test_one_shortage_of_any_kind_harms_nobody[velocity_for_training]",),
    ),
    Guard(
        "a fault that nobody knows says nothing of itself",
        "engine/engine.py",
        "self._end(live, carriage.out_of_memory(live.order) if short else carriage.unknown_fault())",
        "self._end(live, carriage.out_of_memory(live.order) if short else LinocutError(str(error)))",
        (f"{ENGINE}test_an_unknown_fault_ends_its_order_alone_and_tells_nothing_of_itself",),
    ),
)
