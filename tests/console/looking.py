"""A page looked at in both themes and two widths: what axe finds, and what is wider than the screen."""

from collections.abc import Sequence
from typing import Any

from tests.console.conftest import NARROW, WIDE

SERIOUS = ("serious", "critical")
COLOURS = ("color-contrast", "link-in-text-block")


def faults(page: Any, rules: Sequence[str] = ()) -> list[str]:
    """What axe calls serious or critical on the page as it is; by some of its rules only, where they are named."""
    only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    asked = {"resultTypes": ["violations"], "preload": False, **only}
    found = page.evaluate("options => axe.run(document, options)", asked)["violations"]
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')[:200]}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


def look(page: Any, found: dict[str, list[str]], name: str) -> None:
    """Puts into ``found`` what is wrong. A theme changes nothing but colours, so the dark one is asked about those."""
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        for theme, rules in (("light", ()), ("dark", COLOURS)):
            page.evaluate("theme => { localStorage['linocut.theme'] = theme }", theme)
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            told = [*faults(page, rules), *([f"{wide} pixels too wide"] if wide > 0 else [])]
            if told:
                found[f"{name}, {theme}, {size['width']}"] = told
    page.set_viewport_size(WIDE)
