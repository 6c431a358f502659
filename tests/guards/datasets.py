"""The guards of datasets: whose they are, how much they hold, blobs and their rows, what is collected, findings."""

from tests.guards.guard import Guard

INGEST = "datasets/test_datasets_ingest.py::"
GARBAGE = "datasets/test_datasets_garbage.py::"
REPORT = "datasets/test_datasets_report.py::"
SERVICE = "datasets/test_datasets_service.py::"

GUARDS = (
    Guard(
        "somebody else's dataset is not there",
        "datasets/repository.py",
        "    mine = (datasets.c.dataset_id == dataset_id, datasets.c.user_id == user_id)\n",
        "    mine = (datasets.c.dataset_id == dataset_id,)\n",
        (
            f"{SERVICE}test_what_belongs_to_somebody_else_is_not_there[sqlite]",
            "training/test_lifecycle.py::test_another_user_s_dataset_and_one_that_does_not_exist_look_the_same[sqlite]",
            "api/test_auth.py::test_keys_of_one_user_see_the_same_and_others_nothing",
        ),
    ),
    Guard(
        "somebody else's dataset is not changed",
        "datasets/repository.py",
        "datasets.c.user_id == user_id, datasets.c.deleted_at.is_(None))\n    if tx",
        "datasets.c.deleted_at.is_(None))\n    if tx",
        (f"{SERVICE}test_what_belongs_to_somebody_else_is_not_there[sqlite]",),
    ),
    Guard(
        "a deleted dataset is hidden",
        "datasets/repository.py",
        ").where(datasets.c.deleted_at.is_(None))",
        ")",
        (f"{SERVICE}test_a_deleted_dataset_is_hidden_and_lets_go_of_everything[sqlite]",),
    ),
    Guard(
        "a picture of another dataset is not here",
        "datasets/repository.py",
        "    here = (assets.c.dataset_id == dataset_id, assets.c.asset_id == asset_id)\n    row = ",
        "    here = (assets.c.asset_id == asset_id,)\n    row = ",
        ("api/test_dataset_assets.py::test_a_picture_of_another_dataset_is_not_here",),
    ),
    Guard(
        "a dataset holds so many pictures and no more",
        "datasets/repository.py",
        "    free = (datasets.c.dataset_id == dataset_id, datasets.c.image_count < most)\n",
        "    free = (datasets.c.dataset_id == dataset_id,)\n",
        ("datasets/test_datasets_concurrency.py::test_two_processes_upload_eighty_each_and_a_hundred_stay[sqlite]",),
    ),
    Guard(
        "nothing is decoded for a full dataset",
        "datasets/pictures_in.py",
        "    if not is_known and dataset.image_count >= desk.limits.max_images:\n",
        "    if False:\n",
        (f"{INGEST}test_a_full_dataset_decodes_nothing_more[sqlite]",),
        errors=("TypeError",),
    ),
    Guard(
        "a file has a limit of bytes",
        "datasets/ingest.py",
        '                self._check_size("file", size, self._limits.max_file_bytes, "scale the picture down")\n',
        "",
        ("api/test_uploads.py::test_a_file_over_its_own_limit_is_that_file_s_fault_only",),
    ),
    Guard(
        "a ZIP has a limit of bytes",
        "datasets/ingest.py",
        '        self._check_size("ZIP", size, self._limits.max_zip_bytes, "split it")\n',
        "",
        (f"{INGEST}test_each_refused_file_has_its_reason_and_the_good_ones_stay[sqlite]",),
    ),
    Guard(
        "a picture's blob is durable before its row",
        "datasets/pictures_in.py",
        "            desk.store.put(decoded.png)\n",
        "            pass\n",
        (f"{INGEST}test_nothing_is_acknowledged_that_is_not_durable[sqlite]",),
    ),
    Guard(
        "a row is written only while its blob is there",
        "datasets/pictures_in.py",
        "        if not desk.store.has(image_sha256):",
        "        if False:",
        (f"{GARBAGE}test_an_upload_that_finds_an_old_blob_gone_again_writes_it_again[sqlite]",),
        errors=("NotFound",),
    ),
    Guard(
        "the same content is one asset",
        "datasets/pictures_in.py",
        "        if known is not None:\n            if waiting",
        "        if False:\n            if waiting",
        (f"{INGEST}test_the_same_content_twice_is_stored_once_and_is_a_success[sqlite]",),
        errors=("IntegrityError",),
    ),
    Guard(
        "a caption does not land on another picture of its name",
        "datasets/pairing.py",
        "        self._beside.setdefault((place, stem_of(name)), None)\n"
        "        self._anywhere.setdefault(stem_of(name), None)\n",
        "        return\n",
        (
            "datasets/test_datasets_pairing.py::test_a_caption_whose_picture_was_refused_waits_for_it_to_come_again[sqlite]",
        ),
    ),
    Guard(
        "a young blob is not looked up",
        "datasets/garbage.py",
        " if now - written_at >= grace)",
        ")",
        (f"{GARBAGE}test_young_blobs_are_not_even_looked_up[sqlite]",),
    ),
    Guard(
        "a blob's age is looked at once more before it goes",
        "datasets/garbage.py",
        " and written_at is not None and written_at <= before:",
        ":",
        (f"{GARBAGE}test_a_blob_that_is_put_after_the_listing_was_read_is_kept[sqlite]",),
    ),
    Guard(
        "a blob that a row names is not collected, also if the row has just come",
        "datasets/garbage.py",
        "            if sha256 in garbage and",
        "            if",
        (f"{GARBAGE}test_a_row_that_comes_between_the_look_and_the_lock_keeps_its_blob[sqlite]",),
    ),
    Guard(
        "whatever names a blob keeps it",
        "datasets/garbage.py",
        'if column.name.endswith("sha256")]',
        'if column.name == "image_sha256"]',
        (f"{GARBAGE}test_whatever_refers_to_a_blob_keeps_it[sqlite-_by_adapter]",),
    ),
    Guard(
        "copies are found",
        "datasets/likeness.py",
        "        if bits[first] <= most_bits:\n",
        "        if False:\n",
        (f"{REPORT}test_each_fault_is_found_once_and_named[sqlite]",),
    ),
    Guard(
        "blur is found",
        "datasets/findings.py",
        "    elif one.sharpness is not None and one.sharpness < LEAST_SHARPNESS:\n",
        "    elif False:\n",
        (f"{REPORT}test_each_fault_is_found_once_and_named[sqlite]",),
    ),
    Guard(
        "tiny pictures are found",
        "datasets/findings.py",
        "    if scale > 1 or fill < LEAST_FILL:\n",
        "    if scale > 1:\n",
        (f"{REPORT}test_each_fault_is_found_once_and_named[sqlite]",),
    ),
    Guard(
        "pictures whose crop loses too much are found",
        "datasets/findings.py",
        "    if one.cut_away > MOST_CUT_AWAY:\n",
        "    if False:\n",
        (f"{REPORT}test_each_fault_is_found_once_and_named[sqlite]",),
    ),
    Guard(
        "captions that several pictures share are found",
        "datasets/findings.py",
        "        if len(same) > 1:\n",
        "        if False:\n",
        (f"{REPORT}test_each_fault_is_found_once_and_named[sqlite]",),
    ),
    Guard(
        "blur is measured in the training crop",
        "datasets/measure.py",
        'sharpness=sharpness(cut.convert("L"))',
        'sharpness=sharpness(picture.convert("L"))',
        ("datasets/test_datasets_measure.py::test_only_the_crop_counts",),
    ),
    Guard(
        "a picture is never scaled up to its bucket",
        "sizes.py",
        "        width, height = min(width, fitted_width), min(height, fitted_height)",
        "        width, height = fitted_width, fitted_height",
        ("house/test_sizes.py::test_nothing_is_scaled_up",),
    ),
)
