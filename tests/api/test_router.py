"""From method and path to an operation."""

import pytest
from starlette.responses import Response

from linocut.api.call import Call
from linocut.api.operation import Operation, Serves
from linocut.api.router import Router
from linocut.errors import MethodNotAllowed, NotFound


async def _handler(call: Call) -> Response:
    return Response()


def _operation(method: str, path: str, **given: object) -> Operation:
    does = Serves(_handler)
    return Operation(f"{method} {path}", "", "t", does, method=method, path=path, **given)  # type: ignore[arg-type]


ROUTER = Router(
    [
        _operation("GET", "/things"),
        _operation("POST", "/things"),
        _operation("GET", "/things/{thing_id}"),
        _operation("DELETE", "/things/{thing_id}"),
        _operation("GET", "/things/{thing_id}/events", answers_head=False),
        _operation("GET", "/pictures/{picture_id}.png"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "name", "values"),
    [
        ("GET", "/things", "GET /things", {}),
        ("POST", "/things", "POST /things", {}),
        ("POST", "/things/", "POST /things", {}),  # the same operation: a redirect would lose the body
        ("HEAD", "/things", "GET /things", {}),
        ("DELETE", "/things/a-b_c", "DELETE /things/{thing_id}", {"thing_id": "a-b_c"}),
        ("GET", "/things/a/events", "GET /things/{thing_id}/events", {"thing_id": "a"}),
        ("GET", "/pictures/x.y.png", "GET /pictures/{picture_id}.png", {"picture_id": "x.y"}),
    ],
)
def test_finds(method: str, path: str, name: str, values: dict[str, str]) -> None:
    operation, found = ROUTER.find(method, path)
    assert (operation.name, found) == (name, values)


@pytest.mark.parametrize("path", ["/", "/thing", "/things//", "//things", "/things/a/b", "/pictures/x.jpg", "/Things"])
def test_knows_nothing_else(path: str) -> None:
    with pytest.raises(NotFound):
        ROUTER.find("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PATCH", "/things", "GET, HEAD, POST"),
        ("POST", "/things/a", "DELETE, GET, HEAD"),
        ("HEAD", "/things/a/events", "GET"),
        ("get", "/things", "GET, HEAD, POST"),
    ],
)
def test_names_every_method_of_an_address(method: str, path: str, allow: str) -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        ROUTER.find(method, path)
    assert refused.value.details["allow"] == allow


def test_two_operations_at_one_place_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="two operations"):
        Router([_operation("GET", "/a/{b}"), _operation("GET", "/a/{b}")])
