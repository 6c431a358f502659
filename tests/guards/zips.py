"""The guards of archives from strangers."""

from tests.guards.guard import Guard

ZIPS = "datasets/test_datasets_zips.py::"

GUARDS = (
    Guard(
        "an archive has a limit of entries",
        "datasets/zips.py",
        "count > limits.max_zip_entries or ",
        "",
        (f"{ZIPS}test_a_hundred_thousand_entries_are_refused_before_they_are_read",),
    ),
    Guard(
        "an archive's directory has a limit of bytes",
        "datasets/zips.py",
        " or directory_bytes > _MAX_DIRECTORY_BYTES:",
        ":",
        (f"{ZIPS}test_a_huge_directory_of_few_entries",),
    ),
    Guard(
        "no byte of an archive serves two entries",
        "datasets/zips.py",
        "        if record.header_at < end:\n",
        "        if False:\n",
        (f"{ZIPS}test_entries_that_share_their_bytes", f"{ZIPS}test_an_entry_that_lies_over_another"),
        errors=("Exhausted",),
    ),
    Guard(
        "an archive with a password is refused",
        "datasets/zips.py",
        "    if (flags | local_flags) & _ENCRYPTED:\n",
        "    if False:\n",
        (f"{ZIPS}test_an_encrypted_archive", f"{ZIPS}test_encrypted_in_the_local_header_only"),
    ),
    Guard(
        "both headers of an entry tell one name",
        "datasets/zips.py",
        " or stream.read(name_bytes) != name:",
        ":",
        (f"{ZIPS}test_a_local_header_that_tells_another_name",),
    ),
    Guard(
        "links and devices in an archive are refused",
        "datasets/zips.py",
        "        if entry.unix_mode and not stat.S_ISREG(entry.unix_mode) and stat.S_IFMT(entry.unix_mode):\n",
        "        if False:\n",
        (f"{ZIPS}test_symbolic_links_and_devices",),
    ),
    Guard(
        "an archive expands to a limit of bytes",
        "datasets/zips.py",
        "            if self._expanded > self._limits.max_zip_expanded_bytes:\n",
        "            if False:\n",
        (f"{ZIPS}test_many_entries_that_expand_too_far_together",),
    ),
    Guard(
        "an entry expands to a limit of bytes, whatever it says of itself",
        "datasets/zips.py",
        "            if len(data) > self._limits.max_file_bytes:\n",
        "            if False:\n",
        (f"{ZIPS}test_an_entry_that_expands_too_far",),
        errors=("Exhausted",),
    ),
    Guard(
        "an entry is unpacked piece by piece",
        "datasets/zips.py",
        "inflate.decompress(packed, _PIECE)",
        "inflate.decompress(packed)",
        (f"{ZIPS}test_an_entry_that_expands_too_far",),
        errors=("Exhausted",),
    ),
    Guard(
        "an entry's checksum is looked at",
        "datasets/zips.py",
        " or zlib.crc32(data) != entry.crc:",
        ":",
        (f"{ZIPS}test_a_wrong_checksum_or_size",),
    ),
    Guard(
        "what systems put into every archive is left out",
        "datasets/zips.py",
        '"__MACOSX" in folders or ',
        "",
        (f"{ZIPS}test_what_systems_add_is_not_wanted",),
    ),
    Guard(
        "a ZIP inside a ZIP is not opened",
        "datasets/ingest.py",
        '            if kind == "zip":\n',
        "            if False:\n",
        ("datasets/test_datasets_zip_uploads.py::test_a_zip_inside_a_zip[sqlite]",),
    ),
    Guard(
        "a name points nowhere",
        "datasets/names.py",
        '    base = name.replace("\\\\", "/").rsplit("/", 1)[-1]\n',
        "    base = name\n",
        ("datasets/test_datasets_names.py::test_clean_name",),
    ),
    Guard(
        "half a character is no slash",
        "datasets/zip_names.py",
        '        name = _HALF.sub(b"_", name)\n    try:\n',
        "        pass\n    try:\n",
        ("datasets/test_datasets_zip_names.py::test_whatever_a_name_s_bytes_are_the_entry_does_not_vanish",),
    ),
    Guard(
        "a ZIP64 record is believed only where it fits",
        "datasets/zips.py",
        " or directory_at + directory_bytes != record_at:\n",
        ":\n",
        (f"{ZIPS}test_a_zip64_archive_has_the_same_limits",),
        errors=("OverflowError", "OSError", "ValueError"),
    ),
)
