"""The guards of pictures from strangers, and of the process that opens them."""

from tests.guards.guard import Guard

BAD = "pictures/test_pictures_refused.py::"
INTAKE = "pictures/test_pictures_intake.py::"
CHILD = "pictures/test_pictures_decoder.py::"

GUARDS = (
    Guard(
        "pixels are counted before one is decoded",
        "pictures/decoding.py",
        "    if width * height > max_pixels:\n",
        "    if False:\n",
        (f"{BAD}test_a_bomb_of_pixels_is_refused_before_a_pixel_is_decoded",),
    ),
    Guard(
        "a WebP's canvas is looked at before its decoder makes room for it",
        "pictures/decoding.py",
        '    if kind == "webp" and (declared := webp_size(head)):\n',
        "    if False and (declared := webp_size(head)):\n",
        (f"{BAD}test_a_bomb_of_pixels_is_refused_before_a_pixel_is_decoded",),
    ),
    Guard(
        "a PNG's texts have a limit together",
        "pictures/decoding.py",
        "    PngImagePlugin.MAX_TEXT_MEMORY = MAX_TEXT_BYTES\n",
        "",
        (f"{BAD}test_many_texts_that_are_each_small_enough_are_refused",),
    ),
    Guard(
        "only three formats are opened",
        "pictures/decoding.py",
        "Image.open(io.BytesIO(data), formats=_PILLOW_FORMATS[kind])",
        "Image.open(io.BytesIO(data))",
        (f"{BAD}test_no_other_format_is_even_loaded",),
    ),
    Guard(
        "a PNG is checked to its end",
        "pictures/decoding.py",
        '        if kind == "png":\n',
        "        if False:\n",
        (f"{BAD}test_a_png_is_checked_to_its_end_and_not_only_to_its_last_pixel",),
    ),
    Guard(
        "a picture has a least side",
        "pictures/decoding.py",
        "    if min(width, height) < limits.min_side:\n",
        "    if False:\n",
        (f"{BAD}test_too_small",),
    ),
    Guard(
        "a picture is stored without what its file said besides",
        "pictures/decoding.py",
        "    picture.info = {}",
        "    picture.info = dict(picture.info)",
        ("pictures/test_pictures_decoding.py::test_an_rgb_profile_is_followed",),
    ),
    Guard(
        "the decoding process has a limit of memory",
        "pictures/decode_child.py",
        "        (resource.RLIMIT_AS, memory_bytes),\n",
        "",
        (
            f"{CHILD}test_it_has_limits_and_no_secrets",
            f"{BAD}test_a_picture_that_needs_more_memory_than_there_is_gets_a_sentence",
        ),
    ),
    Guard(
        "the decoding process has its own clock",
        "pictures/decode_child.py",
        "    signal.setitimer(signal.ITIMER_REAL, wall_seconds)\n",
        "",
        (f"{CHILD}test_the_child_dies_of_its_own_clock",),
        errors=("TimeoutExpired",),
        waits=True,
    ),
    Guard(
        "the server does not wait for a decoder that hangs",
        "pictures/decoder.py",
        "max(0.0, self._deadline - time.monotonic()) * 1000",
        "None",
        (f"{CHILD}test_a_child_that_hangs_amid_a_picture_is_killed_and_replaced",),
        waits=True,
    ),
    Guard(
        "no secret reaches the decoding process",
        "pictures/decoder.py",
        "env=_bare_environment(),",
        "env=None,",
        (f"{CHILD}test_it_has_limits_and_no_secrets",),
    ),
    Guard(
        "the decoding process dies with its server, also while a fork holds the pipe",
        "pictures/decode_child.py",
        "                if os.getppid() != parent:\n",
        "                if False:\n",
        (f"{CHILD}test_the_child_dies_with_a_killed_server[forked]",),
    ),
    Guard(
        "a mask has its picture's size",
        "pictures/decoding.py",
        "    if mask.size != (width, height):\n",
        "    if False:\n",
        (f"{INTAKE}test_a_mask_has_its_picture_s_size",),
    ),
    Guard(
        "a mask that says nothing is refused",
        "pictures/masks.py",
        "        if len(set(_values_under(grey, seen))) < 2:\n",
        "        if False:\n",
        (f"{INTAKE}test_a_mask_drawn_in_its_transparency_alone_is_refused",),
    ),
    Guard(
        "a request's file has a limit of bytes",
        "pictures/intake.py",
        "        if size > self.max_file_bytes:\n",
        "        if False:\n",
        (f"{INTAKE}test_a_file_over_the_limit_is_not_even_read",),
        errors=("InvalidRequest",),
    ),
)
