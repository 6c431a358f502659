"""Datasets over HTTP; what the room itself promises is tested in tests/datasets."""

import re

import pytest
from tests.api.live import Account, Live
from tests.api.pictures import jpeg, png, zipped

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


def _dataset(account: Account, name: str = "posters") -> str:
    answer = account.http.post("/datasets", json={"name": name})
    assert answer.status_code == 200
    return str(answer.json()["dataset_id"])


def test_a_new_dataset(account: Account) -> None:
    body = account.http.post("/datasets", json={"name": "Tea posters"}).json()
    assert set(body) == {"dataset_id", "name", "user_id", "creation_time"}
    assert (body["name"], body["user_id"]) == ("Tea posters", account.user_id)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", body["dataset_id"])
    assert TIME.fullmatch(body["creation_time"])


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"name"', b"null", b"{}", b'{"name": null}', b'{"name": 5}', b'{"name": ""}',
        b'{"name": "\xff"}', b"[" * 50_000, b'{"name": "' + b"x" * 65 + b'"}',
    ],
)  # fmt: skip
def test_a_body_that_is_no_request(account: Account, body: bytes) -> None:
    answer = account.http.post("/datasets", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "", "text/json",
                                          "application/vnd.api+json", "APPLICATION/JSON"])  # fmt: skip
def test_json_by_any_of_its_names(account: Account, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    assert account.http.post("/datasets", content=b'\xef\xbb\xbf{"name": "x"}', headers=headers).status_code == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"]
)
def test_an_encoding_that_is_not_published(account: Account, content_type: str) -> None:
    answer = account.http.post("/datasets", content=b"name=x", headers={"Content-Type": content_type})
    assert answer.status_code == 400
    assert answer.json()["error"] == "Send the body as application/json, and say so in Content-Type."


def test_json_has_a_size_limit(account: Account) -> None:
    answer = account.http.post("/datasets", json={"name": "x", "padding": "y" * 5_000_000})
    assert answer.status_code == 413


def test_search_and_order(account: Account) -> None:
    first, second = _dataset(account, "Tea posters"), _dataset(account, "Bicycles")
    assert [d["dataset_id"] for d in account.http.get("/datasets").json()["datasets"]] == [second, first]
    account.http.post(f"/datasets/{first}/upload_assets", files={"files": ("a.png", png(1))})
    assert [d["dataset_id"] for d in account.http.get("/datasets").json()["datasets"]] == [first, second]
    found = account.http.get("/datasets", params={"search": "tEa"}).json()["datasets"]
    assert [d["dataset_id"] for d in found] == [first]
    assert account.http.get("/datasets", params={"search": "x" * 65}).status_code == 400


def test_upload_tells_what_became_of_each_file(account: Account) -> None:
    dataset_id = _dataset(account)
    files = [
        ("files", ("tea.jpg", png(1), "image/jpeg")),  # by content, never by name
        ("files", ("blob", jpeg(2), "application/octet-stream")),
        ("files", ("blob", png(3), "application/octet-stream")),
        ("files", ("tea.txt", b"a poster of tea", "text/plain")),
        ("files", ("more.zip", zipped({"four.png": png(4), "four.txt": b"the fourth"}), "application/zip")),
        ("files", ("broken.png", png(5)[:60], "image/png")),
        ("note", ("note.txt", b"not ours", "text/plain")),
    ]
    report = account.http.post(f"/datasets/{dataset_id}/upload_assets", files=files).json()
    assert (report["total_count"], report["success_count"], report["failure_count"]) == (5, 4, 1)
    (failed,) = report["failed_assets"]
    assert (failed["file_name"], failed["failure_reason"]) == ("broken.png", "INVALID_IMAGE")
    assert failed["message"].endswith(".")
    assert {a["asset_identifier"]["asset_type"] for a in report["successful_assets"]} == {"UPLOAD"}

    detail = account.http.get(f"/datasets/{dataset_id}").json()
    assert detail["file_count"] == 4
    assert detail["custom_model_ids"] == []
    captions = {file["file_name"]: file["caption"] for file in detail["files"]}
    assert captions["tea.jpg"] == "a poster of tea"
    assert captions["four.png"] == "the fourth"
    cover = detail["dataset"]["cover_asset_identifier"]
    assert cover == {"asset_type": "UPLOAD", "asset_id": detail["files"][0]["x_linocut"]["asset_id"]}


@pytest.mark.parametrize("field", ["files", "files[]", "files[0]"])
def test_files_under_each_spelling_of_a_list(account: Account, field: str) -> None:
    report = account.http.post(f"/datasets/{_dataset(account)}/upload_assets", files=[(field, ("a.png", png(1)))])
    assert report.json()["success_count"] == 1


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"files": [("file", ("a.png", b"x"))]}, "files is required"),
        ({"files": [("files", ("", b""))]}, "files is required"),
        ({"json": {"files": []}}, "multipart/form-data"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, "boundary"),
        ({"content": b"--b\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, "last boundary"),
        ({"content": b"", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, "last boundary"),
    ],
)
def test_an_upload_without_files(account: Account, how: dict[str, object], words: str) -> None:
    answer = account.http.post(f"/datasets/{_dataset(account)}/upload_assets", **how)  # type: ignore[arg-type]
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_deleted_is_gone_at_once(live: Live, account: Account) -> None:
    dataset_id = _dataset(account)
    assert live.account().http.delete(f"/datasets/{dataset_id}").status_code == 404
    answer = account.http.delete(f"/datasets/{dataset_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert account.http.get(f"/datasets/{dataset_id}").status_code == 404
    assert account.http.delete(f"/datasets/{dataset_id}").status_code == 404
    assert account.http.post(f"/datasets/{dataset_id}/upload_assets", files={"files": b"x"}).status_code == 404
    assert account.http.get("/datasets").json() == {"datasets": []}
