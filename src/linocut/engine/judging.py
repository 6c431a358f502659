"""Every drawn image is judged before anybody is told of it, in the engine's helper threads. Imports no torch."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from io import BytesIO
from threading import Lock

import msgspec
from PIL import Image

from linocut.errors import NotReady
from linocut.observe import log
from linocut.orders import Event, ImageDrawn
from linocut.sight import PictureJudge, judges_with
from linocut.verdicts import NOT_JUDGED, UNJUDGED, SafetyRule, Verdict

Judge = Callable[[bytes], Verdict]
"""The verdict on a PNG; slow, called in a helper thread."""


class ByClassifier:
    """Judges as the rule says; the network is loaded with the first image. Thread-safe.

    A picture that nobody can judge is told as not evaluated; where a verdict is required it is withheld.
    """

    def __init__(self, rule: SafetyRule) -> None:
        self._rule = rule
        self._opened: PictureJudge | None = None
        self._lock = Lock()

    def __call__(self, png: bytes) -> Verdict:
        """The verdict."""
        try:
            return self._judge().judge(_over_white(png))
        except NotReady as missing:
            return self._unjudged(missing.message)
        except Exception as fault:  # a verdict that failed must not let a picture through, nor end its order
            log("engine").error("an image could not be judged", exc_info=fault)
            return self._unjudged("")

    def _judge(self) -> PictureJudge:
        with self._lock:
            if self._opened is None:
                self._opened = PictureJudge(self._rule)
            return self._opened

    def _unjudged(self, why: str) -> Verdict:
        if why:
            log("engine").warning("images are not judged", why=why)
        if self._rule.mode == "required":
            return Verdict(component="", is_safe=False, reason=NOT_JUDGED)
        return UNJUDGED


def judge_by(rule: SafetyRule) -> Judge | None:
    """What judges images under this rule; None where it is off. Where nothing is installed each is told as not
    evaluated."""
    if rule.mode == "off":
        return None
    if rule.mode == "on" and not judges_with(rule):
        return lambda png: UNJUDGED
    return ByClassifier(rule)


class Telling:
    """An engine's events on their way out: an order's wait from its first image that is not judged yet, so that they
    stay in order; the others' go on."""

    def __init__(self, judge: Judge | None, helpers: Executor) -> None:
        self._judge, self._helpers = judge, helpers
        self._held: list[tuple[str, Event | Future[Event]]] = []

    def put(self, key: str, event: Event) -> None:
        """Something happened; an image goes to the judge."""
        if self._judge is not None and isinstance(event, ImageDrawn) and event.verdict is None:
            self._held.append((key, self._helpers.submit(_judged, self._judge, event)))
        else:
            self._held.append((key, event))

    def take(self) -> list[Event]:
        """What may be told now."""
        waiting: set[str] = set()
        ready, held = [], []
        for key, item in self._held:
            if key in waiting or (isinstance(item, Future) and not item.done()):
                waiting.add(key)
                held.append((key, item))
            else:
                ready.append(item.result() if isinstance(item, Future) else item)
        self._held = held
        return ready

    def pending(self) -> Iterator[Future[Event]]:
        """The verdicts that are waited for."""
        return (item for _, item in self._held if isinstance(item, Future))

    def clear(self) -> None:
        """Nobody is told any more."""
        self._held.clear()

    def __bool__(self) -> bool:
        return bool(self._held)


def _judged(judge: Judge, event: ImageDrawn) -> Event:
    verdict = judge(event.png)
    return msgspec.structs.replace(event, verdict=verdict, png=b"" if verdict.withholds else event.png)


def _over_white(png: bytes) -> Image.Image:
    """The picture as it looks on white paper."""
    picture = Image.open(BytesIO(png), formats=("PNG",)).convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture)
    return paper.convert("RGB")
