"""The mask painter by finger, pen, keyboard and mouse, as the browser itself makes those events (CDP): which pixels are
painted, not only that something happened."""

from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.api.live import Account, Live
from tests.console.conftest import NARROW, Visit, playground

SIDE = 128
"""Of the picture, in pixels."""
RADIUS = 0.04 * SIDE
"""Of the brush, as it is at first."""
EDGE = 0.8
"""Pixels: so near to the brush's edge either is right."""
MASK = """() => {
    const canvas = document.querySelector('.painter canvas')
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
    let said = ''
    for (let i = 3; i < data.length; i += 4) said += data[i] ? '1' : '0'
    return said
}"""
LISTEN = """button => {
    window.heard = new Promise(told => button.addEventListener('click', () => told(true), { once: true }))
}"""
HEARD = """() => Promise.race([window.heard, new Promise(told => setTimeout(told, 8000, false))])"""
PAINTED = """() => new Promise(told => requestAnimationFrame(() => requestAnimationFrame(() => told(true))))"""
"""Chromium hands the moves of fingers and pens on with a frame: after two, all have come."""
Point = tuple[float, float]


class Hands:
    """Everything that can touch a painter. Points are shares of the picture's width and height."""

    def __init__(self, visit: Visit, picture: Path) -> None:
        self.page = playground(visit, "/v1/ideogram-v3/inpaint")
        self.page.set_input_files("input[type=file] >> nth=0", picture)
        self.canvas = self.page.locator(".painter canvas")
        self.canvas.scroll_into_view_if_needed()
        self._cdp = visit.context.new_cdp_session(self.page)
        self._fingers: dict[int, dict[str, float]] = {}

    def place(self, point: Point) -> dict[str, float]:
        box = self.canvas.bounding_box()
        assert box is not None
        return {"x": box["x"] + point[0] * box["width"], "y": box["y"] + point[1] * box["height"]}

    def fingers(self, kind: str, points: dict[int, dict[str, float]]) -> None:
        """``touchStart``, ``touchMove`` or ``touchEnd``, with all fingers that are down then."""
        touching = [{"id": finger, **place} for finger, place in points.items()]
        self._cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touching})

    def finger(self, *way: Point, meanwhile: Callable[[], None] = lambda: None) -> None:
        """One finger from point to point."""
        self.fingers("touchStart", {1: self.place(way[0])})
        for point in between(way):
            self.fingers("touchMove", {1: self.place(point)})
        meanwhile()
        self.fingers("touchEnd", {})

    def pinch(self, begin: tuple[Point, Point], end: tuple[Point, Point]) -> None:
        """Two fingers on the glass, which do not move along with the picture: from two places to two places."""
        first, last = ([self.place(one) for one in pair] for pair in (begin, end))
        self.fingers("touchStart", {1: first[0]})
        self.fingers("touchStart", {1: first[0], 2: first[1]})
        for share in np.linspace(0, 1, 9)[1:]:
            now = {
                finger: {axis: from_[axis] + share * (to[axis] - from_[axis]) for axis in "xy"}
                for finger, from_, to in zip((1, 2), first, last, strict=True)
            }
            self.fingers("touchMove", now)
        self.fingers("touchEnd", {1: now[1]})
        self.fingers("touchEnd", {})

    def pen(self, *way: Point, force: float = 0.5, meanwhile: Callable[[], None] = lambda: None) -> None:
        def send(kind: str, point: Point) -> None:
            held = {"button": "left", "buttons": 1, "clickCount": 1, "pointerType": "pen", "force": force}
            self._cdp.send("Input.dispatchMouseEvent", {"type": kind, **held, **self.place(point)})

        send("mousePressed", way[0])
        for point in between(way):
            send("mouseMoved", point)
        meanwhile()
        send("mouseReleased", way[-1])

    def mouse(self, *way: Point) -> None:
        self.page.mouse.move(*self.place(way[0]).values())
        self.page.mouse.down()
        for point in between(way):
            self.page.mouse.move(*self.place(point).values())
        self.page.mouse.up()

    def tap(self, name: str) -> None:
        """Until the button has had its click: Chromium makes it from the touch a moment later, and drops it where the
        touch follows a stroke within 0.3 s of its own time."""
        button = self.page.locator(f".painter button[aria-label^='{name}']")
        button.evaluate(LISTEN)
        for _ in range(3):
            self.page.wait_for_timeout(400)
            button.tap()
            if self.page.evaluate(HEARD):
                return
        raise AssertionError(f"three taps on {name} and no click")

    @property
    def mask(self) -> Any:
        """True where it is painted: rows and columns of the picture."""
        self.page.evaluate(PAINTED)
        said = self.page.evaluate(MASK)
        return (np.frombuffer(said.encode(), np.uint8) == ord("1")).reshape(SIDE, SIDE)

    @property
    def zoom(self) -> float:
        """Per cent."""
        return float(self.page.locator(".sheet").evaluate("one => parseFloat(one.style.width)"))


def between(way: tuple[Point, ...]) -> Iterator[Point]:
    """Ten points on the way from each point to the next."""
    for a, b in pairwise(way):
        for share in np.linspace(0, 1, 11)[1:]:
            yield a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def distance(*way: Point) -> Any:
    """Of each pixel's middle to a line through these points, in pixels."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    found = np.full((SIDE, SIDE), np.inf)
    for a, b in zip(way, way[1:] or way, strict=False):
        (ax, ay), (dx, dy) = (a[0] * SIDE, a[1] * SIDE), ((b[0] - a[0]) * SIDE, (b[1] - a[1]) * SIDE)
        length = dx * dx + dy * dy
        along = np.clip(((x - ax) * dx + (y - ay) * dy) / length, 0, 1) if length else 0.0
        found = np.minimum(found, np.hypot(x - ax - along * dx, y - ay - along * dy))
    return found


def is_line(mask: Any, *way: Point, radius: float = RADIUS) -> None:
    """All of a stroke through these points, and nothing else."""
    far = distance(*way)
    assert mask[far < radius - EDGE].all(), f"{(~mask[far < radius - EDGE]).sum()} pixels of the stroke are missing"
    assert not mask[far > radius + EDGE].any(), f"{mask[far > radius + EDGE].sum()} pixels beside the stroke"


@pytest.fixture
def touched(browser: Any, live: Live, owner: Account, picture: Path) -> Iterator[Hands]:
    """On a telephone."""
    visit = Visit(browser, live.url, owner.token, viewport=NARROW, has_touch=True, is_mobile=True)
    yield Hands(visit, picture)
    visit.close()


@pytest.fixture
def hands(visit: Visit, picture: Path) -> Hands:
    """At a desk."""
    return Hands(visit, picture)


LINE = ((0.2, 0.5), (0.8, 0.5))
RING = ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3))


def test_a_finger_uses_every_tool(touched: Hands, owner: Account) -> None:
    touched.finger(*LINE)
    is_line(touched.mask, *LINE)
    touched.tap("Clear")
    assert not touched.mask.any()
    touched.finger(*RING)
    ring = touched.mask
    is_line(ring, *RING)
    touched.tap("Fill")
    touched.finger((0.5, 0.5))
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    inside = (np.abs(x - 63.5) < 0.2 * SIDE) & (np.abs(y - 63.5) < 0.2 * SIDE)
    filled = touched.mask
    assert (filled == (ring | inside)).all()
    touched.tap("Invert")
    assert (touched.mask == ~filled).all()
    touched.tap("Undo")
    assert (touched.mask == filled).all()
    touched.tap("Eraser")
    touched.finger(*LINE)
    erased = touched.mask
    is_line(filled & ~erased | (distance(*LINE) < RADIUS) & ~filled, *LINE)
    touched.tap("Undo")
    assert (touched.mask == filled).all()
    touched.tap("Undo")
    assert (touched.mask == ring).all(), "the fill alone"
    page = touched.page
    page.get_by_label("Prompt *").fill("a star")
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        page.get_by_role("button", name="Draw", exact=True).tap()
    assert sent.value.status == 200, sent.value.text()
    [image] = owner.http.get("/images").json()["images"]
    [link] = [one["url"] for one in image["inputs"] if one["field"] == "mask"]
    stored = np.asarray(Image.open(BytesIO(owner.http.get(link).content)).convert("L"))
    assert ((stored == 0) == ring).all(), "what was painted is what is sent"


def test_two_fingers_zoom_and_move_and_paint_nothing(touched: Hands) -> None:
    touched.finger((0.1, 0.1))
    dot = touched.mask
    is_line(dot, (0.1, 0.1))
    for tool in ("Brush", "Eraser", "Fill"):
        touched.tap(tool)
        held = touched.place((0.5, 0.5))
        touched.pinch(((0.4, 0.5), (0.6, 0.5)), ((0.3, 0.5), (0.7, 0.5)))
        assert (touched.mask == dot).all(), f"{tool}: a pinch paints nothing"
        assert touched.zoom == pytest.approx(200, abs=4)
        now = touched.place((0.5, 0.5))
        assert now["x"] == pytest.approx(held["x"], abs=2), f"{tool}: what is between the fingers stays there"
        assert now["y"] == pytest.approx(held["y"], abs=2)
        touched.pinch(((0.4, 0.5), (0.6, 0.5)), ((0.45, 0.55), (0.65, 0.55)))
        moved = touched.place((0.5, 0.5))
        assert moved["x"] - now["x"] == pytest.approx(0.05 * touched.canvas.bounding_box()["width"], abs=3)  # type: ignore[index]
        assert touched.zoom == pytest.approx(200, abs=4)
        touched.pinch(((0.4, 0.5), (0.6, 0.5)), ((0.49, 0.5), (0.51, 0.5)))
        assert touched.zoom == 100, "never smaller than its place"
    touched.tap("Brush")
    touched.tap("Clear")
    touched.pinch(((0.4, 0.4), (0.6, 0.6)), ((0.3, 0.3), (0.7, 0.7)))
    touched.finger((0.4, 0.5), (0.6, 0.5))
    is_line(touched.mask, (0.4, 0.5), (0.6, 0.5))


def test_a_pen_paints_as_wide_as_it_is_pressed_and_a_palm_does_nothing(touched: Hands) -> None:
    touched.pen(*LINE, force=1)
    is_line(touched.mask, *LINE)
    touched.tap("Undo")
    touched.pen(*LINE, force=0.2)
    is_line(touched.mask, *LINE, radius=RADIUS * (0.3 + 0.7 * 0.2))
    touched.tap("Undo")
    palm = {5: touched.place((0.5, 0.9))}

    def lay_down() -> None:
        touched.fingers("touchStart", palm)
        touched.fingers("touchMove", {5: touched.place((0.6, 0.9))})

    touched.pen(*LINE, force=1, meanwhile=lay_down)
    touched.fingers("touchEnd", {})
    is_line(touched.mask, *LINE)
    assert touched.zoom == 100
    touched.tap("Clear")
    touched.fingers("touchStart", palm)
    touched.pen(*LINE, force=1)
    touched.fingers("touchEnd", {})
    is_line(touched.mask, *LINE)


def test_the_keyboard_alone_paints(hands: Hands) -> None:
    page = hands.page
    page.get_by_role("application", name="Mask").focus()
    page.keyboard.press("Space")
    is_line(hands.mask, (0.5, 0.5))
    for _ in range(2):
        page.keyboard.press("Shift+ArrowLeft")
    for _ in range(5):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    is_line(hands.mask & (distance((0.5, 0.5)) > 2 * RADIUS), (0.3, 0.45))
    page.keyboard.press("e")
    page.keyboard.press("Enter")
    is_line(hands.mask, (0.5, 0.5))
    page.keyboard.press("Control+z")
    assert hands.mask[int(0.45 * SIDE), int(0.3 * SIDE)]
    both = hands.mask
    page.keyboard.press("i")
    assert (hands.mask == ~both).all()
    page.keyboard.press("f")
    page.keyboard.press("Space")
    assert hands.mask[int(0.45 * SIDE), int(0.3 * SIDE)]
    assert not hands.mask[SIDE // 2, SIDE // 2], "what the fill did not reach"
    for _ in range(2):
        page.keyboard.press("Control+z")
    page.keyboard.press("b")
    for _ in range(8):
        page.keyboard.press("]")
    for _ in range(2):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Space")
    is_line(hands.mask & (distance((0.5, 0.5)) > RADIUS) & (distance((0.3, 0.45)) > RADIUS) |
            (distance((0.3, 0.65)) < 2 * RADIUS), (0.3, 0.65), radius=2 * RADIUS)  # fmt: skip
    page.keyboard.press("+")
    assert hands.zoom == 125
    for _ in range(8):
        page.keyboard.press("Shift+ArrowRight")
    ring, view = page.locator(".painter .ring").bounding_box(), page.locator(".painter .view").bounding_box()
    assert ring is not None
    assert view is not None
    assert ring["x"] + ring["width"] / 2 <= view["x"] + view["width"] + 1, "the brush is never out of sight"
    page.keyboard.press("-")
    assert hands.zoom == 100


def test_the_mouse_paints_where_it_is_at_every_zoom(hands: Hands) -> None:
    hands.mouse(*LINE)
    is_line(hands.mask, *LINE)
    hands.page.keyboard.press("Control+z")
    assert not hands.mask.any()
    held = hands.place((0.25, 0.25))
    hands.page.mouse.move(held["x"], held["y"])
    hands.page.keyboard.down("Control")
    hands.page.mouse.wheel(0, -300)
    hands.page.keyboard.up("Control")
    hands.page.wait_for_function("() => parseFloat(document.querySelector('.sheet').style.width) > 200")
    assert hands.place((0.25, 0.25)) == pytest.approx(held, abs=2), "what is under the pointer stays there"
    hands.mouse((0.2, 0.25), (0.4, 0.25))
    is_line(hands.mask, (0.2, 0.25), (0.4, 0.25))


def test_a_mask_that_was_recalled_or_chosen_is_painted_on(
    hands: Hands, visit: Visit, owner: Account, picture: Path, tmp_path: Path
) -> None:
    hands.mouse(*LINE)
    painted, page = hands.mask, hands.page
    page.get_by_label("Prompt *").fill("a star")
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        page.get_by_role("button", name="Draw", exact=True).click()
    assert sent.value.status == 200, sent.value.text()
    [image] = owner.http.get("/images").json()["images"]
    visit.settled("/gallery")
    visit.open(f"/playground/v1-ideogram-v3-inpaint?image={image['image_id']}")
    hands.canvas.wait_for()
    page.wait_for_function(f"() => ({MASK})().includes('1')")
    assert (hands.mask == painted).all()
    hands.mouse((0.5, 0.8), (0.6, 0.8))
    assert (hands.mask & painted).sum() == painted.sum(), "the mask that came along is still there"
    visit.settled("/gallery")
    playground(visit, "/v1/ideogram-v3/inpaint")
    Image.new("L", (64, 64)).save(tmp_path / "small.png")
    page.set_input_files("input[type=file] >> nth=1", tmp_path / "small.png")
    page.set_input_files("input[type=file] >> nth=0", picture)
    page.get_by_text("of another size than the picture").wait_for()
    page.get_by_text("Still missing: Mask, Prompt").wait_for()
