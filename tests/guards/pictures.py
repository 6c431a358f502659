"""The guards of pictures from strangers, and of the process that opens them."""

from tests.guards.guard import Guard

BAD = "datasets/test_datasets_refused_pictures.py::"
CHILD = "datasets/test_datasets_decoder.py::"

GUARDS = (
    Guard(
        "pixels are counted before one is decoded",
        "datasets/pictures.py",
        "    if width * height > max_pixels:\n",
        "    if False:\n",
        (f"{BAD}test_a_bomb_of_pixels_is_refused_before_a_pixel_is_decoded",),
    ),
    Guard(
        "a WebP's canvas is looked at before its decoder makes room for it",
        "datasets/pictures.py",
        '    if kind == "webp" and (declared := webp_size(head)):\n',
        "    if False and (declared := webp_size(head)):\n",
        (f"{BAD}test_a_bomb_of_pixels_is_refused_before_a_pixel_is_decoded",),
    ),
    Guard(
        "a PNG's texts have a limit together",
        "datasets/pictures.py",
        "    PngImagePlugin.MAX_TEXT_MEMORY = MAX_TEXT_BYTES\n",
        "",
        (f"{BAD}test_many_texts_that_are_each_small_enough_are_refused",),
    ),
    Guard(
        "only three formats are opened",
        "datasets/pictures.py",
        "Image.open(io.BytesIO(data), formats=_PILLOW_FORMATS[kind])",
        "Image.open(io.BytesIO(data))",
        (f"{BAD}test_no_other_format_is_even_loaded",),
    ),
    Guard(
        "a PNG is checked to its end",
        "datasets/pictures.py",
        '        if kind == "png":\n',
        "        if False:\n",
        (f"{BAD}test_a_png_is_checked_to_its_end_and_not_only_to_its_last_pixel",),
    ),
    Guard(
        "a picture has a least side",
        "datasets/pictures.py",
        "    if min(width, height) < limits.min_side:\n",
        "    if False:\n",
        (f"{BAD}test_too_small",),
    ),
    Guard(
        "a picture is stored without what its file said besides",
        "datasets/pictures.py",
        "    upright.info = {}",
        "    upright.info = dict(upright.info)",
        ("datasets/test_datasets_pictures.py::test_an_rgb_profile_is_followed",),
    ),
    Guard(
        "the decoding process has a limit of memory",
        "datasets/decode_child.py",
        "        (resource.RLIMIT_AS, memory_bytes),\n",
        "",
        (
            f"{CHILD}test_it_has_limits_and_no_secrets",
            f"{BAD}test_a_picture_that_needs_more_memory_than_there_is_gets_a_sentence",
        ),
    ),
    Guard(
        "the decoding process has its own clock",
        "datasets/decode_child.py",
        "    signal.setitimer(signal.ITIMER_REAL, wall_seconds)\n",
        "",
        (f"{CHILD}test_the_child_dies_of_its_own_clock",),
        errors=("TimeoutExpired",),
        waits=True,
    ),
    Guard(
        "the server does not wait for a decoder that hangs",
        "datasets/decoder.py",
        "max(0.0, self._deadline - time.monotonic()) * 1000",
        "None",
        (f"{CHILD}test_a_child_that_hangs_amid_a_picture_is_killed_and_replaced",),
        waits=True,
    ),
    Guard(
        "no secret reaches the decoding process",
        "datasets/decoder.py",
        "env=_bare_environment(),",
        "env=None,",
        (f"{CHILD}test_it_has_limits_and_no_secrets",),
    ),
    Guard(
        "the decoding process dies with its server, also while a fork holds the pipe",
        "datasets/decode_child.py",
        "                if os.getppid() != parent:\n",
        "                if False:\n",
        (f"{CHILD}test_the_child_dies_with_a_killed_server[forked]",),
    ),
)
