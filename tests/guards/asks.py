"""The guards of what is asked: trainings and generations, their limits, and what is not drawn."""

from tests.guards.guard import Guard

RUNS = "training/test_lifecycle.py::"
PLACE = "generation/test_place.py::"

GUARDS = (
    Guard(
        "a training takes a least number of pictures",
        "training/service.py",
        "    if count < fewest:\n",
        "    if False:\n",
        (f"{RUNS}test_too_few_pictures_are_refused_with_the_way_out",),
        errors=("ZeroDivisionError",),
    ),
    Guard(
        "a training takes a most number of pictures",
        "training/service.py",
        "    if count > most:\n",
        "    if False:\n",
        (f"{RUNS}test_more_pictures_than_a_dataset_may_have_are_refused[sqlite]",),
    ),
    Guard(
        "a run keeps the pictures that it was started with",
        "training/service.py",
        "    repository.insert_run(tx, run, [sample.image_sha256 for sample in samples])\n",
        "    repository.insert_run(tx, run, [])\n",
        ("workers/test_cleaning.py::test_a_run_that_goes_on_keeps_everything[sqlite]",),
    ),
    Guard(
        "a model's name keeps its rule",
        "custom_models/slugs.py",
        "    if not _NAME.fullmatch(name):\n",
        "    if False:\n",
        (
            "custom_models/test_slugs.py::test_a_name_against_the_rule_is_refused_with_the_rule",
            f"{RUNS}test_a_bad_name_is_refused[sqlite-tea_brand]",
        ),
    ),
    Guard(
        "held-out pictures depend on content",
        "training/recipes.py",
        "key=lambda index: _draw(samples[index])",
        "key=lambda index: index",
        ("training/test_recipes.py::test_what_is_held_out_depends_on_content_not_on_order",),
    ),
    Guard(
        "nothing is made up for a custom model's prompt",
        "generation/service.py",
        'make_up = ask.custom_model_uri is None or ask.magic_prompt == "ON"\n',
        "make_up = True\n",
        (
            f"{PLACE}test_what_a_prompt_leaves_out_is_the_custom_model_s_unless_magic_prompt_is_asked_for"
            "[sqlite-given0-False]",
        ),
    ),
    Guard(
        "nothing is made up for a caption that a run learns",
        "runtime.py",
        "expand(text, (width, height), 0) if make_up else restate(text)",
        "expand(text, (width, height), 0)",
        (f"{RUNS}test_a_plain_caption_is_learned_without_anything_made_up[sqlite]",),
    ),
    Guard(
        "a restated caption fits into the base's text",
        "prompting/room.py",
        "        most = max_text_tokens - _MINI_FRAME - _small_cost(rest)\n",
        "        most = 10_000\n",
        ("mini/test_restated.py::test_a_caption_fits",),
    ),
    Guard(
        "an organisation has so many images in progress and no more",
        "generation/service.py",
        "    if busy + wanted > most:\n",
        "    if False:\n",
        (
            f"{PLACE}test_images_in_flight_are_counted_per_organisation[sqlite]",
            f"{PLACE}test_many_requests_at_once_never_pass_the_limit[sqlite]",
        ),
    ),
    Guard(
        "every prompt is judged",
        "generation/service.py",
        "    judge_prompt(text)\n    # A made-up",
        "    # A made-up",
        (f"{PLACE}test_the_safety_rule_looks_at_plain_and_at_json_prompts[sqlite]",),
    ),
    Guard(
        "a JSON prompt is judged as a plain one is",
        "generation/service.py",
        "    judge_prompt(text)\n    # A made-up",
        '    judge_prompt(ask.prompt or "")\n    # A made-up',
        (f"{PLACE}test_the_safety_rule_looks_at_plain_and_at_json_prompts[sqlite]",),
    ),
    Guard(
        "a prompt in other letters of the same look is judged as plain ones are",
        "safety/service.py",
        'unicodedata.normalize("NFKC", text).casefold()',
        "text.casefold()",
        (f"{PLACE}test_the_safety_rule_looks_at_plain_and_at_json_prompts[sqlite]",),
    ),
    Guard(
        "a prompt has a limit of characters",
        "generation/service.py",
        "    if len(text) > LONGEST_PROMPT:\n",
        "    if False:\n",
        (f"{PLACE}test_what_is_wrong_is_named_and_nothing_is_queued",),
    ),
    Guard(
        "a magic prompt is judged",
        "generation/service.py",
        "    judge_prompt(text)\n    ratio",
        "    ratio",
        ("walks/test_magic_prompt.py::test_an_unsafe_text_is_not_written_about",),
    ),
    Guard(
        "v3 draws so many images a call and no more",
        "generation/service.py",
        "    if not 1 <= ask.num_images <= most:\n",
        "    if False:\n",
        (f"{PLACE}test_what_is_wrong_is_named_and_nothing_is_queued",),
    ),
)
