"""What can be measured of a picture's style: its colours, its ground, how strong its contrasts and how fine its detail.

Runs inside the decoding process, so without NumPy. About 10 ms a picture.

**Colours**: a reduced picture is quantised by median cut, near colours are joined, the largest shares come first; but
the colours of the ground, those of the rim, come before them. **Ground**: how the rim's colours change: along the rows
(vertical stripes), the columns, the diagonals, over all four sides slowly (a gradient), or in spots (dots, checks); one
colour with a fine grain is paper.
"""

from PIL import Image, ImageFilter, ImageStat

from linocut.pictures.types import Seen

SIDE = 64
RIM = 8
"""Pixels of the rim of a reduced picture, in which the ground is looked for."""
MOST_COLOURS = 6
NEAR = 48
"""Colours that differ by less in the sum over their channels are one."""
LEAST_SHARE = 0.03
ONE = 0.8
"""Share of the rim that the ground's one colour has at least."""
Rgb = tuple[int, int, int]


def seen(picture: Image.Image) -> Seen:
    """The measures of an upright RGB picture."""
    small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    grey = small.convert("L")
    rim = _rim(small)
    ground, kind = _ground(small, _shares(rim))
    whole = _shares(small)
    rest = [(colour, share) for colour, share in whole if all(_apart(colour, g) >= NEAR for g in ground)]
    under = {g: sum(share for colour, share in whole if _apart(colour, g) < NEAR) or LEAST_SHARE for g in ground}
    palette = [(g, under[g]) for g in ground] + rest
    return Seen(
        palette=tuple((_hex(colour), round(share, 3)) for colour, share in palette[:MOST_COLOURS]),
        ground=kind,
        contrast=round(ImageStat.Stat(grey).stddev[0], 1),
        detail=round(ImageStat.Stat(_steps(grey)).mean[0], 1),
    )


def _rim(small: Image.Image) -> Image.Image:
    """The four sides, one after another, as one strip."""
    strip = Image.new("RGB", (SIDE, 4 * RIM))
    for place, box in enumerate(((0, 0, SIDE, RIM), (0, SIDE - RIM, SIDE, SIDE))):
        strip.paste(small.crop(box), (0, place * RIM))
    for place, left in enumerate((0, SIDE - RIM)):
        side = small.crop((left, 0, left + RIM, SIDE)).transpose(Image.Transpose.ROTATE_90)
        strip.paste(side, (0, (2 + place) * RIM))
    return strip


def _shares(picture: Image.Image) -> list[tuple[Rgb, float]]:
    """Its colours with their shares, the largest first; near ones as one."""
    reduced = picture.quantize(16, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    values, total = reduced.getpalette() or [], picture.width * picture.height
    counted = sorted(((count, index) for index, count in enumerate(reduced.histogram()) if count), reverse=True)
    found: list[tuple[Rgb, float]] = []
    for count, index in counted:
        red, green, blue = values[3 * index : 3 * index + 3]
        colour = red, green, blue
        place = next((i for i, (other, _) in enumerate(found) if _apart(colour, other) < NEAR), None)
        if place is None:
            found.append((colour, count / total))
        else:
            found[place] = (found[place][0], found[place][1] + count / total)
    found.sort(key=lambda one: -one[1])
    return [one for one in found if one[1] >= LEAST_SHARE] or found[:1]


def _ground(small: Image.Image, rim: list[tuple[Rgb, float]]) -> tuple[list[Rgb], str]:
    """(its colours, its pattern in the embedded base's words)."""
    if rim[0][1] >= ONE:
        fine = ImageStat.Stat(_steps(_rim(small).convert("L"))).mean[0]
        return [rim[0][0]], "paper" if fine > 3.0 else "plain"
    first, last = _side(small, 0, 1), _side(small, 0, -1)
    left, right = _side(small, 1, 1), _side(small, 1, -1)
    down, across = _apart(first, last), _apart(left, right)
    rough = ImageStat.Stat(_steps(_rim(small).convert("L"))).mean[0]
    if rough < 6.0 and max(down, across) >= NEAR:
        return ([first, last], "gradient") if down >= across else ([left, right], "horizontal gradient")
    colours = [colour for colour, _ in rim[:2]]
    if len(colours) < 2:
        return colours, "plain"
    if rough < 6.0:
        return colours, "radial gradient"
    return _alternating(small, colours, rim)


def _alternating(small: Image.Image, colours: list[Rgb], rim: list[tuple[Rgb, float]]) -> tuple[list[Rgb], str]:
    """Stripes, by the direction in which nothing changes; dots or checks where there is none."""
    grey = _rim_grey(small)
    along_rows = _change(grey[0], (1, 0)) + _change(grey[1], (1, 0))
    along_columns = _change(grey[2], (0, 1)) + _change(grey[3], (0, 1))
    if along_rows < 0.35 * along_columns:
        return colours, "stripes"
    if along_columns < 0.35 * along_rows:
        return colours, "vertical stripes"
    both = sum(_change(side, (1, 1)) for side in grey)
    other = sum(_change(side, (1, -1)) for side in grey)
    if min(both, other) < 0.6 * max(both, other):
        return colours, "diagonal stripes"
    return (colours, "dots") if rim[0][1] > 1.6 * rim[1][1] else (colours, "checks")


def _rim_grey(small: Image.Image) -> list[Image.Image]:
    boxes = ((0, 0, SIDE, RIM), (0, SIDE - RIM, SIDE, SIDE), (0, 0, RIM, SIDE), (SIDE - RIM, 0, SIDE, SIDE))
    return [small.crop(box).convert("L") for box in boxes]


def _change(grey: Image.Image, step: tuple[int, int]) -> float:
    """Mean difference of neighbours that lie ``step`` apart."""
    x, y = abs(step[0]), abs(step[1])
    width, height = grey.width - x, grey.height - y
    up = 0 if step[1] >= 0 else y
    here = grey.crop((0, up, width, up + height)).tobytes()
    there = grey.crop((x, y - up, x + width, y - up + height)).tobytes()
    return sum(abs(a - b) for a, b in zip(here, there, strict=True)) / max(1, len(here))


def _steps(grey: Image.Image) -> Image.Image:
    """How much each value differs from the mean around it."""
    kernel = ImageFilter.Kernel((3, 3), (-1, -1, -1, -1, 8, -1, -1, -1, -1), scale=8)
    edges = grey.filter(kernel)
    return edges.crop((1, 1, grey.width - 1, grey.height - 1))


def _side(small: Image.Image, axis: int, end: int) -> Rgb:
    """The mean colour of one side's rim: axis 0 the top (1) and the bottom (-1), axis 1 the left and the right."""
    start = 0 if end > 0 else SIDE - RIM
    box = (0, start, SIDE, start + RIM) if axis == 0 else (start, 0, start + RIM, SIDE)
    mean = ImageStat.Stat(small.crop(box)).mean
    return round(mean[0]), round(mean[1]), round(mean[2])


def _apart(a: Rgb, b: Rgb) -> int:
    return sum(abs(x - y) for x, y in zip(a, b, strict=True))


def _hex(colour: Rgb) -> str:
    return "#" + "".join(f"{part:02X}" for part in colour)
