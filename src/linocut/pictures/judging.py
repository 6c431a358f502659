"""Whether a picture may be taken, by a classifier. Runs only inside the decoding process.

The network is loaded with the first picture that is judged, so that a process which measures or reads masks only never
pays for it.
"""

from collections.abc import Callable
from functools import cache

from PIL import Image

from linocut.errors import NotReady
from linocut.pictures.refusal import Refused
from linocut.sight import PictureJudge, judges_with
from linocut.verdicts import SafetyRule

NO_JUDGE = "Pictures must be judged for safety here, and the classifier cannot be loaded; ask the server's operator."


def judge_of(rule: SafetyRule) -> Callable[[Image.Image], str]:
    """What judges under this rule, as ``decoding.Judge``. ``Refused`` for a picture that is not safe, and for any where
    a verdict is required and none can be had."""
    if rule.mode == "off" or (rule.mode == "on" and not judges_with(rule)):
        return lambda picture: ""
    opened = cache(lambda: PictureJudge(rule))

    def judge(picture: Image.Image) -> str:
        try:
            found = opened()
        except NotReady:
            if rule.mode == "required":
                raise Refused("INTERNAL_ERROR", NO_JUDGE) from None
            return ""
        verdict = found.judge(picture)
        if verdict.withholds:
            raise Refused(
                "FAILED_SAFETY_CHECK",
                "Image provided failed safety check due to the inclusion of prohibited content (judged by "
                f"{verdict.component}).",
                verdict.component,
            )
        return verdict.component

    return judge
