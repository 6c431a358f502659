"""The guards of files and blobs: flushed before they are acknowledged, checked when read; of links that end."""

from tests.guards.guard import Guard

LOCAL = "storage/test_local.py::"
LINKS = "storage/test_links.py::"

GUARDS = (
    Guard(
        "a blob's bytes are on the disk before its name",
        "files.py",
        "                os.fsync(stream.fileno())\n",
        "",
        (f"{LOCAL}test_bytes_then_name_then_folder_are_flushed_before_a_put_returns",),
    ),
    Guard(
        "a blob's name is on the disk before it is acknowledged",
        "files.py",
        "            raise\n        fsync_folder(path.parent)\n",
        "            raise\n",
        (f"{LOCAL}test_bytes_then_name_then_folder_are_flushed_before_a_put_returns",),
    ),
    Guard(
        "a file is written beside its place",
        "files.py",
        "            partial.replace(path)\n",
        "            path.write_bytes(data)\n            partial.unlink()\n",
        (f"{LOCAL}test_bytes_then_name_then_folder_are_flushed_before_a_put_returns",),
    ),
    Guard(
        "a write that fails leaves nothing",
        "files.py",
        "        except BaseException:\n            partial.unlink(missing_ok=True)\n            raise\n",
        "        except BaseException:\n            raise\n",
        (f"{LOCAL}test_a_full_disk_leaves_nothing_behind",),
    ),
    Guard(
        "what a living writer is writing is not swept",
        "storage/local.py",
        "                if time.time() - entry.stat().st_mtime >= older_than_seconds:\n",
        "                if True:\n",
        (f"{LOCAL}test_leftovers_of_killed_writers_are_swept_when_old_and_only_then",),
    ),
    Guard(
        "a blob that is put again is young again",
        "storage/local.py",
        "            os.utime(place)\n",
        "",
        (f"{LOCAL}test_putting_again_renews_the_age_and_not_the_file",),
    ),
    Guard(
        "the checksum of a blob is looked at whenever it is read",
        "storage/store.py",
        "        if sha256_hex(data) != sha256:\n",
        "        if False:\n",
        ("storage/test_store.py::test_changed_bytes_are_noticed_and_healed_by_putting_again[folder]",),
    ),
    Guard(
        "only a hash names a blob",
        "storage/keys.py",
        "    if not _SHA256.fullmatch(sha256):\n",
        "    if False:\n",
        ("storage/test_store.py::test_only_a_hash_names_a_blob[folder-../../etc/passwd]",),
    ),
    Guard(
        "a link needs its signature",
        "storage/links.py",
        "    return genuine and in_time\n",
        "    return in_time\n",
        (f"{LINKS}test_no_changed_signature_passes", "api/test_images.py::test_a_changed_link_is_refused"),
    ),
    Guard(
        "a link ends",
        "storage/links.py",
        "    return genuine and in_time\n",
        "    return genuine\n",
        (f"{LINKS}test_a_link_opens_its_image_until_it_expires", "api/test_images.py::test_a_link_ends"),
    ),
    Guard(
        "a link is for one image",
        "storage/links.py",
        'f"linocut image\\n{image_id}\\n{expiry}"',
        'f"linocut image\\n{expiry}"',
        (
            f"{LINKS}test_a_link_is_for_one_image_one_moment_and_one_server",
            "api/test_images.py::test_one_image_s_signature_opens_no_other",
        ),
    ),
    Guard(
        "signatures are compared in constant time",
        "storage/links.py",
        "hmac.compare_digest(_signature(image_id, exp, secret), sig)",
        "_signature(image_id, exp, secret) == sig",
        (f"{LINKS}test_the_comparison_takes_the_same_time_for_every_signature",),
    ),
    Guard(
        "whatever a client writes into a link is answered with no",
        "storage/links.py",
        "    if not _EXPIRY.fullmatch(exp) or not _SIGNATURE.fullmatch(sig):\n",
        "    if False:\n",
        (f"{LINKS}test_whatever_a_client_sends_is_answered_with_no", f"{LINKS}test_an_expiry_has_one_spelling"),
        errors=("ValueError", "TypeError", "ExceptionGroup"),
    ),
    Guard(
        "an image is shown for a good link only",
        "api/routes/api/images/ephemeral/_image_id__png.py",
        "    if not verify(image_id, expires, signature, call.runtime.link_secret, ids.now()):\n",
        "    if False:\n",
        ("api/test_images.py::test_a_changed_link_is_refused", "api/test_images.py::test_a_link_ends"),
    ),
)
