"""What can be measured of a picture's style: its colours, its ground, how strong its contrasts and how fine its detail.

Runs inside the decoding process, so without NumPy. About 10 ms a picture.

**Colours**: a reduced picture is quantised by median cut, near colours are joined, the largest shares come first; but
the colours of the ground, those of the rim, come before them. **Ground**: how often the rim's grey goes up and down:
along two sides (stripes), along all four (dots, checks, or diagonal stripes, along which less changes), or hardly ever
(a gradient); one colour with a fine grain is paper.
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
GRAIN = 3.0
"""Mean step between neighbours of a rim of one colour, of 255, from which on it is paper."""
SWING = 14
"""Of 255: less is no change of colour along a side."""
MANY = 4
"""Changes along a side from which on it is a pattern, and no gradient with something before it."""
FEW = 2
"""Changes along a side up to which a pattern does not follow it: lettering at its end makes two."""
SLANT = 0.8
"""How much less changes along one diagonal than along the other where the pattern follows it."""
Rgb = tuple[int, int, int]
_SIDES = ((0, 0, SIDE, RIM), (0, SIDE - RIM, SIDE, SIDE), (0, 0, RIM, SIDE), (SIDE - RIM, 0, SIDE, SIDE))


def seen(picture: Image.Image) -> Seen:
    """The measures of an upright RGB picture."""
    small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    grey = small.convert("L")
    rim = _rim(small)
    ground, kind = _ground(small, _shares(rim))
    whole = _shares(small)
    ends = (ground[0], ground[-1]) if "gradient" in kind else None
    rest = [
        (colour, share)
        for colour, share in whole
        if all(_apart(colour, g) >= NEAR for g in ground) and not (ends and _between(colour, *ends))
    ]
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
    reduced = picture.quantize(32, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
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
        fine = min(ImageStat.Stat(_steps(small.crop(box).convert("L"))).mean[0] for box in _SIDES)
        return [rim[0][0]], "paper" if fine > GRAIN else "plain"
    along_rows = min(_turns(small, (0, y, SIDE, y + RIM)) for y in (0, SIDE - RIM))  # one side may have lettering
    along_columns = min(_turns(small, (x, 0, x + RIM, SIDE)) for x in (0, SIDE - RIM))
    colours = [colour for colour, _ in rim[:2]]
    if len(colours) < 2:
        return colours, "plain"
    if max(along_rows, along_columns) >= MANY:
        return colours, _alternating(small, along_rows, along_columns, rim)
    top, bottom = _mean(small, (0, 0, SIDE, RIM)), _mean(small, (0, SIDE - RIM, SIDE, SIDE))
    left, right = _mean(small, (0, 0, RIM, SIDE)), _mean(small, (SIDE - RIM, 0, SIDE, SIDE))
    down, across = _apart(top, bottom), _apart(left, right)
    if max(down, across) < NEAR:
        return colours, "radial gradient"
    return ([top, bottom], "gradient") if down >= across else ([left, right], "horizontal gradient")


def _alternating(small: Image.Image, along_rows: int, along_columns: int, rim: list[tuple[Rgb, float]]) -> str:
    """Stripes, by the direction in which nothing changes; dots or checks where there is none."""
    sides = [small.crop(box).convert("L") for box in _SIDES]
    falling, rising = (sum(_change(side, step) for side in sides) for step in ((1, 1), (1, -1)))
    if min(falling, rising) < SLANT * max(falling, rising):
        return "diagonal stripes"
    if min(along_rows, along_columns) <= FEW:
        return "stripes" if along_rows <= FEW else "vertical stripes"
    return "dots" if rim[0][1] > 1.6 * rim[1][1] else "checks"


def _turns(small: Image.Image, box: tuple[int, int, int, int]) -> int:
    """How often the grey goes up and down along a side, by more than ``SWING``."""
    side = small.crop(box).convert("L")
    size = (SIDE, 1) if side.width > side.height else (1, SIDE)
    profile = side.resize(size, Image.Resampling.BOX).tobytes()
    turns, last, direction = 0, profile[0], 0
    for value in profile:
        if abs(value - last) >= SWING:
            now = 1 if value > last else -1
            turns += now != direction
            direction, last = now, value
        elif direction * (value - last) > 0:
            last = value
    return turns


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


def _mean(small: Image.Image, box: tuple[int, int, int, int]) -> Rgb:
    mean = ImageStat.Stat(small.crop(box)).mean
    return round(mean[0]), round(mean[1]), round(mean[2])


def _between(colour: Rgb, first: Rgb, last: Rgb) -> bool:
    """Whether it is a shade of a gradient."""
    shades = [[f + (t - f) * part / 8 for f, t in zip(first, last, strict=True)] for part in range(9)]
    return any(sum(abs(x - y) for x, y in zip(colour, shade, strict=True)) < NEAR for shade in shades)


def _apart(a: Rgb, b: Rgb) -> int:
    return sum(abs(x - y) for x, y in zip(a, b, strict=True))


def _hex(colour: Rgb) -> str:
    return "#" + "".join(f"{part:02X}" for part in colour)
