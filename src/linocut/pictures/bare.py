"""A JPEG without everything that is no picture: no EXIF, no place where it was taken, no comment, thumbnail or second
picture, nothing behind its end. The pixels are not touched. Runs only inside the decoding process.

Format: ITU-T T.81, annex B. Of the application segments, JFIF's and Adobe's say how numbers become colours; they are
written anew, without what else they may carry. Any file that is not plainly built is left to the decoder.
"""

import re
import struct

MOST_SCANS = 24
"""Scans of one picture: tools write up to 13. Each costs whoever opens the file a pass over all its pixels."""

_START, _END, _SCAN, _JFIF, _ADOBE = 0xD8, 0xD9, 0xDA, 0xE0, 0xEE
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive; all with Huffman codes
_TABLES = {0xC4, 0xDB, 0xDD}  # Huffman tables, quantisation, restart interval
_DROPPED = {*range(0xE1, 0xEE), 0xEF, 0xFE}  # application segments and comments
_JFIF_PLAIN = b"\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")
"""In coded data: all but a stuffed 255 and restarts."""


def bare_jpeg(data: bytes) -> bytes | None:
    """The JPEG file of the same pixels without anything else; None for one that is not plainly built."""
    if data[:2] != b"\xff\xd8":
        return None
    pieces, at, frames, scans = [b"\xff\xd8"], 2, 0, 0
    while True:
        if len(data) < at + 4 and data[at : at + 2] != b"\xff\xd9":
            return None
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # a marker may stand behind any number of these
            at += 1
            continue
        if marker == _END:
            pieces.append(b"\xff\xd9")
            return b"".join(pieces) if frames == 1 and scans else None
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if length < 2 or end > len(data):
            return None
        segment = data[at:end]
        if marker in _FRAMES or marker in _TABLES:
            frames += marker in _FRAMES
            pieces.append(segment)
        elif marker == _SCAN:
            scans += 1
            found = _MARKER.search(data, end)
            if found is None or scans > MOST_SCANS:
                return None
            pieces += [segment, data[end : found.start()]]
            end = found.start()
        elif marker in (_JFIF, _ADOBE):
            if scans:
                return None
            pieces.append(_colours(marker, segment[4:]))
        elif marker not in _DROPPED:
            return None
        at = end


def _colours(marker: int, content: bytes) -> bytes:
    """What a JFIF or Adobe segment says of colours; empty for another kind of segment under the same number."""
    if marker == _JFIF and content.startswith(b"JFIF\0"):
        return _JFIF_PLAIN
    if marker == _ADOBE and content.startswith(b"Adobe") and len(content) >= 12:
        return b"\xff\xee\0\x0e" + content[:12]
    return b""
