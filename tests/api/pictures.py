"""Small pictures and ZIPs of them, made on the spot."""

import io
import zipfile

from PIL import Image


def png(number: int, width: int = 48, height: int = 32) -> bytes:
    """A small picture; each number another one."""
    picture = Image.new("RGB", (width, height), (number * 37 % 256, number * 91 % 256, number * 151 % 256))
    picture.putpixel((number % width, number // width % height), (255, 255, 255))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def jpeg(number: int) -> bytes:
    """The same as a JPEG."""
    out = io.BytesIO()
    Image.open(io.BytesIO(png(number))).save(out, "JPEG")
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    """A ZIP of ``files``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()
