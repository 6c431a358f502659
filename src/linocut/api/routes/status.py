"""/status: how the server is, for everybody."""

from html import escape

from starlette.responses import Response

from linocut.api.board import Board
from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.api.static import STRICT, content
from linocut.status.parts import PARTS, SENTENCES, Incident, PartIs, overall

WORDS = {
    "operational": "works",
    "degraded_performance": "slow",
    "partial_outage": "works in part",
    "major_outage": "does not work",
}


async def page(call: Call) -> Response:
    """The page, whole: no script, and nothing that it loads but its style."""
    board = await call.shared.watcher.board()
    headers = {**STRICT, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(_filled(board), media_type="text/html", headers=headers)


def _filled(board: Board) -> str:
    worst = overall(board.parts, board.incidents)
    over = [one for one in board.latest if one.status == "resolved"]
    slots = {
        "<!-- indicator -->": worst,
        "<!-- sentence -->": SENTENCES[worst],
        "<!-- parts -->": "\n".join(map(_part, board.parts)),
        "<!-- incidents -->": "\n".join(map(_incident, board.incidents)) or "<p>Nothing is going on.</p>",
        "<!-- past -->": "\n".join(map(_incident, over)) or "<p>There were none.</p>",
        "<!-- at -->": f"{board.at:%Y-%m-%d %H:%M:%S} UTC",
    }
    text = content("status.html").decode()
    for slot, value in slots.items():
        text = text.replace(slot, value)
    return text


def _part(part: PartIs) -> str:
    name, does = PARTS[part.part]
    why = f"{does} {part.why}".strip()
    return f'<li class="{part.status}"><b>{escape(name)}</b> <i>{WORDS[part.status]}</i><p>{escape(why)}</p></li>'


def _incident(one: Incident) -> str:
    told = "".join(
        f"<li><b>{each.status}</b> <time>{each.created_at:%Y-%m-%d %H:%M} UTC</time><p>{escape(each.body)}</p></li>"
        for each in one.updates
    )
    return f'<article class="{one.impact}"><h3>{escape(one.name)}</h3><ul>{told}</ul></article>'


GET = Operation(
    "status_page", "How the server is, for people", "server", Serves(page), answer="text/html", key_needed=False,
    ours=True,
)  # fmt: skip
