"""One picture of a dataset over HTTP: its bytes, its caption, and that it goes; and the report of all of them."""

import io
import json
from typing import Any

import httpx2
import pytest
from PIL import Image
from tests.api.live import Account, Live
from tests.api.pictures import jpeg, png

STRUCTURED = {
    "compositional_deconstruction": {"elements": [], "background": "green"},
    "high_level_description": "tea",
    "tags": ["dropped"],
}


class Shelf:
    """A dataset with three pictures, the second of them captioned."""

    def __init__(self, account: Account) -> None:
        self.http = account.http
        self.dataset_id = account.http.post("/datasets", json={"name": "tea"}).json()["dataset_id"]
        files = [("files", (f"p{n}.png", png(n))) for n in range(3)] + [("files", ("p1.txt", b"a tea poster"))]
        assert self.http.post(f"{self.at}/upload_assets", files=files).json()["success_count"] == 3

    @property
    def at(self) -> str:
        return f"/datasets/{self.dataset_id}"

    def assets(self) -> list[dict[str, Any]]:
        return list(self.http.get(f"{self.at}/assets").json()["assets"])

    def caption(self, number: int, value: Any) -> httpx2.Response:
        return self.http.put(self.caption_of(number), json={"caption": value})

    def caption_of(self, number: int) -> str:
        return f"{self.at}/assets/{self.assets()[number]['asset_id']}/caption"


@pytest.fixture
def shelf(account: Account) -> Shelf:
    return Shelf(account)


def test_the_list_of_pictures(shelf: Shelf) -> None:
    answer = shelf.http.get(f"{shelf.at}/assets").json()
    assert answer["dataset_id"] == shelf.dataset_id
    assert [one["file_name"] for one in answer["assets"]] == ["p0.png", "p1.png", "p2.png"]
    assert [one["caption"] for one in answer["assets"]] == [None, "a tea poster", None]
    assert set(answer["assets"][0]) == {
        "asset_id", "file_name", "file_size_bytes", "width", "height", "creation_time", "caption",
    }  # fmt: skip
    detail = shelf.http.get(shelf.at).json()
    assert [f["x_linocut"]["asset_id"] for f in detail["files"]] == [one["asset_id"] for one in answer["assets"]]


@pytest.mark.parametrize(
    ("name", "data", "kind"), [("j.jpg", jpeg(9), "JPEG"), ("p.png", png(9), "PNG"), ("lies.jpg", png(8), "PNG")]
)
def test_a_picture_is_read_as_it_is_stored(shelf: Shelf, name: str, data: bytes, kind: str) -> None:
    upload = shelf.http.post(f"{shelf.at}/upload_assets", files=[("files", (name, data))])
    asset_id = upload.json()["successful_assets"][0]["asset_identifier"]["asset_id"]
    path = f"{shelf.at}/assets/{asset_id}"
    answer = shelf.http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, f"image/{kind.lower()}")
    assert answer.headers["x-content-type-options"] == "nosniff"
    picture = Image.open(io.BytesIO(answer.content))
    sent = Image.open(io.BytesIO(data)).convert("RGB")
    assert (picture.format, picture.convert("RGB").tobytes()) == (kind, sent.tobytes())
    again = shelf.http.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert shelf.http.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_picture_is_read_small(shelf: Shelf) -> None:
    upload = shelf.http.post(f"{shelf.at}/upload_assets", files=[("files", ("big.png", png(3, 700, 1400)))])
    path = f"{shelf.at}/assets/{upload.json()['successful_assets'][0]['asset_identifier']['asset_id']}"
    answer = shelf.http.get(path, params={"size": 512})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(answer.content)).size == (256, 512)
    assert shelf.http.get(path, params={"size": 300}).json()["error"].startswith("size must be one of 256, 512")
    assert shelf.http.delete(path).status_code == 204
    assert shelf.http.get(path, params={"size": 512}).status_code == 404


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("a kettle", "a kettle"),
        ("  two lines\r\nof it ", "  two lines\nof it "),
        ("{not json}", "{not json}"),
        ("5", "5"),
        ("null", "null"),
        ("{a sentence in braces: tea}", "{a sentence in braces: tea}"),
        (None, None),
        ("", None),
        (" \n", None),
    ],
)
def test_a_caption_is_written_and_read(shelf: Shelf, sent: str | None, read: str | None) -> None:
    answer = shelf.caption(1, sent)
    assert answer.status_code == 200
    assert answer.json() == {"asset_id": shelf.assets()[1]["asset_id"], "file_name": "p1.png", "caption": read}
    assert shelf.http.get(shelf.caption_of(1)).json() == answer.json()
    assert shelf.http.get(shelf.at).json()["files"][1]["caption"] == read
    assert [one["caption"] for one in shelf.assets()] == [None, read, None]


def test_a_structured_caption_is_an_object(shelf: Shelf) -> None:
    normal = {
        "high_level_description": "tea",
        "compositional_deconstruction": {"background": "green", "elements": []},
    }
    assert shelf.caption(0, STRUCTURED).json()["caption"] == normal
    assert shelf.http.get(shelf.caption_of(0)).json()["caption"] == normal
    stored = shelf.http.get(shelf.at).json()["files"][0]["caption"]
    assert stored.startswith('{"high_level_description":"tea","compositional')
    assert shelf.caption(0, shelf.assets()[0]["caption"]).json()["caption"] == normal
    assert shelf.caption(0, json.dumps(STRUCTURED)).json()["caption"] == normal


@pytest.mark.parametrize(
    "value",
    [5, True, [], ["a"], {}, {"high_level_description": "x"}, '{"high_level_description": "x"}', "x" * 10_001, 1.5],
)
def test_what_is_no_caption_is_refused_and_changes_nothing(shelf: Shelf, value: Any) -> None:
    answer = shelf.caption(1, value)
    assert answer.status_code == 400
    assert "caption" in answer.json()["error"]
    assert shelf.assets()[1]["caption"] == "a tea poster"


def test_a_caption_must_be_said_to_go(shelf: Shelf) -> None:
    answer = shelf.http.put(shelf.caption_of(1), json={})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("caption is required")


def test_a_picture_goes_with_its_caption_and_is_counted_out(shelf: Shelf) -> None:
    first, second, _ = shelf.assets()
    assert shelf.http.delete(f"{shelf.at}/assets/{first['asset_id']}").status_code == 204
    assert shelf.http.delete(f"{shelf.at}/assets/{first['asset_id']}").status_code == 404
    detail = shelf.http.get(shelf.at).json()
    assert detail["file_count"] == 2
    assert detail["dataset"]["cover_asset_identifier"]["asset_id"] == second["asset_id"]
    assert shelf.http.get(f"{shelf.at}/report").json()["summary"]["image_count"] == 2
    again = shelf.http.post(f"{shelf.at}/upload_assets", files=[("files", ("p0.png", png(0)))]).json()
    assert again["success_count"] == 1
    assert [one["file_name"] for one in shelf.assets()] == ["p1.png", "p2.png", "p0.png"]


def test_a_place_that_was_given_back_can_be_taken_again(live: Live, account: Account) -> None:
    """The count that guards the limit goes down with the picture."""
    from sqlalchemy import select

    from linocut.db.tables import datasets

    shelf = Shelf(account)
    for one in shelf.assets():
        shelf.http.delete(f"{shelf.at}/assets/{one['asset_id']}")
    with live.runtime.db.read() as tx:
        query = select(datasets.c.image_count).where(datasets.c.dataset_id == shelf.dataset_id)
        assert tx.execute(query).scalar_one() == 0


def test_what_may_not_be_seen_does_not_exist(live: Live, shelf: Shelf) -> None:
    stranger = live.account().http
    asset_id = shelf.assets()[0]["asset_id"]
    for method, below in (("GET", "/report"), ("GET", "/assets"), ("GET", f"/assets/{asset_id}"),
                          ("DELETE", f"/assets/{asset_id}"), ("GET", f"/assets/{asset_id}/caption"),
                          ("PUT", f"/assets/{asset_id}/caption")):  # fmt: skip
        body = {"json": {"caption": "mine now"}} if method == "PUT" else {}
        hidden = stranger.request(method, f"{shelf.at}{below}", **body)
        absent = stranger.request(method, f"/datasets/AAAAAAAAAAAAAAAAAAAAAA{below}", **body)
        assert hidden.status_code == absent.status_code == 404
        assert hidden.content == absent.content
    assert shelf.assets()[0]["caption"] is None


def test_a_picture_of_another_dataset_is_not_here(account: Account, shelf: Shelf) -> None:
    other = Shelf(account)
    path = f"{other.at}/assets/{shelf.assets()[0]['asset_id']}"
    assert account.http.get(path).status_code == 404
    assert account.http.delete(path).status_code == 404
    assert account.http.put(f"{path}/caption", json={"caption": "x"}).status_code == 404
    assert len(shelf.assets()) == 3


def test_the_report(live: Live, shelf: Shelf) -> None:
    shelf.http.post(f"{shelf.at}/upload_assets", files=[("files", ("lost.txt", b"whose")), ("files", ("x.txt", b"\0"))])
    body = shelf.http.get(f"{shelf.at}/report").json()
    assert set(body) == {"dataset_id", "base", "summary", "findings", "files"}
    assert body["base"] == live.runtime.base.identity
    summary = body["summary"]
    assert summary["is_ready"] is False
    assert summary["message"].startswith("Not ready to train. The dataset has 3 pictures")
    assert (summary["image_count"], summary["captioned_count"], summary["waiting_caption_count"]) == (3, 1, 1)
    assert summary["min_training_images"] == live.settings.min_training_images
    assert summary["finding_count"] == len(body["findings"])
    assert sum(summary["finding_counts"].values()) == sum(finding["count"] for finding in body["findings"])
    assert {"too_few_images", "tiny", "caption_missing", "caption_waiting", "caption_unreadable"} <= set(
        summary["finding_counts"]
    )
    file = body["files"][0]
    assert (file["width"], file["height"], file["bucket"]) == (48, 32, "48x32")
    assert file["crop"] == {"scaled_width": 48, "scaled_height": 32, "left": 0, "top": 0, "width": 48, "height": 32}
    schema = live.public.get("/openapi.json").json()["components"]["schemas"]
    assert set(schema["DatasetReport"]["required"]) == set(body)
    assert {finding["code"] for finding in body["findings"]} <= set(
        schema["DatasetFinding"]["properties"]["code"]["enum"]
    )


def test_the_python_client_says_the_same(live: Live, account: Account, shelf: Shelf) -> None:
    from linocut.client import Client
    from linocut.errors import NotFound

    first = shelf.assets()[0]["asset_id"]
    with Client(account.api_key, live.url) as client:
        assert client.assets(shelf.dataset_id) == shelf.assets()
        assert client.report(shelf.dataset_id) == shelf.http.get(f"{shelf.at}/report").json()
        assert client.picture(shelf.dataset_id, first) == shelf.http.get(f"{shelf.at}/assets/{first}").content
        for caption in ("a kettle", {**STRUCTURED, "tags": None}, None):
            client.set_caption(shelf.dataset_id, first, caption)
            assert client.caption(shelf.dataset_id, first) == shelf.assets()[0]["caption"]
        client.delete_asset(shelf.dataset_id, first)
        with pytest.raises(NotFound):
            client.caption(shelf.dataset_id, first)
        with pytest.raises(NotFound):
            client.unshare("none", "none")
