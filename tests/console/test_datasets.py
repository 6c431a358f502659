"""Datasets in the browser: good and bad files, a lost connection, captions by keyboard, findings ended by one click."""

import base64
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.api.live import Account, Live
from tests.console.conftest import Visit

from linocut.samples import PICTURES

POSTERS = sorted(PICTURES.glob("*.png"))


@pytest.fixture
def dataset(owner: Account) -> str:
    return str(owner.http.post("/datasets", json={"name": "posters"}).json()["dataset_id"])


def filled(owner: Account, dataset: str, count: int) -> None:
    files = [("files", (path.name, path.read_bytes())) for path in POSTERS[:count]]
    assert owner.http.post(f"/datasets/{dataset}/upload_assets", files=files).status_code == 200


def captions(owner: Account, dataset: str) -> dict[str, Any]:
    assets = owner.http.get(f"/datasets/{dataset}/assets").json()["assets"]
    return {one["file_name"]: one["caption"] for one in assets}


def test_every_refused_file_has_its_reason(visit: Visit, owner: Account, dataset: str, tmp_path: Path) -> None:
    good = POSTERS[0]
    half = tmp_path / "half.png"
    half.write_bytes(good.read_bytes()[:2000])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in/cup.png", POSTERS[1].read_bytes())
        archive.writestr("in/cup.txt", "a cup from the archive")
        archive.writestr("in/readme.pdf", "no picture")
    archive_path = tmp_path / "more.zip"
    archive_path.write_bytes(packed.getvalue())
    page = visit.open(f"/datasets/{dataset}")
    page.get_by_text("Drop pictures anywhere").wait_for()
    page.get_by_label("Add files").set_input_files([good, half, archive_path])
    page.get_by_text("2 pictures taken, 2 files refused").wait_for()
    refused = page.locator(".refused li").all_inner_texts()
    assert len(refused) == 2
    assert any(text.startswith("half.png") and len(text) > len("half.png") + 15 for text in refused)
    assert any("readme.pdf" in text for text in refused)
    page.get_by_text("2 of 3 pictures").wait_for()
    assert captions(owner, dataset)["cup.png"] == "a cup from the archive"


def test_what_is_dropped_anywhere_is_taken(visit: Visit, owner: Account, dataset: str) -> None:
    page = visit.open(f"/datasets/{dataset}")
    page.get_by_text("Drop pictures anywhere").wait_for()
    content = base64.b64encode(POSTERS[2].read_bytes()).decode()
    data = page.evaluate_handle(
        """content => { const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob(content), c => c.charCodeAt(0))], 'dropped.png'));
        return data }""",
        content,
    )
    page.dispatch_event("body", "dragover", {"dataTransfer": data})
    page.get_by_text("Let go to add them").wait_for()
    page.dispatch_event("body", "drop", {"dataTransfer": data})
    page.get_by_text("1 picture taken").wait_for()
    assert list(captions(owner, dataset)) == ["dropped.png"]


def test_an_upload_goes_on_after_a_lost_connection(visit: Visit, owner: Account, dataset: str) -> None:
    page = visit.open(f"/datasets/{dataset}")
    page.get_by_text("Drop pictures anywhere").wait_for()
    visit.context.set_offline(True)
    page.get_by_text("The server does not answer").wait_for(timeout=3000)
    page.get_by_label("Add files").set_input_files(POSTERS[:4])
    page.get_by_text("waits for the server").wait_for()
    visit.context.set_offline(False)
    page.get_by_text("4 pictures taken").wait_for()
    assert len(captions(owner, dataset)) == 4, "each once"


def test_captions_are_edited_by_keyboard_alone(visit: Visit, owner: Account, dataset: str) -> None:
    filled(owner, dataset, 3)
    names = [path.name for path in POSTERS[:3]]
    page = visit.open(f"/datasets/{dataset}")
    page.get_by_label(f"Caption of {names[0]}").focus()
    for text in ("a red cup", "a red leaf", "a sun"):
        page.keyboard.type(text)
        page.keyboard.press("Control+Enter")
    page.keyboard.press("PageUp")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == f"Caption of {names[1]}"
    saved(page)
    assert list(captions(owner, dataset).values()) == ["a red cup", "a red leaf", "a sun"]
    page.keyboard.press("Control+Alt+f")
    typing_in(page, "Find")
    page.keyboard.type("red")
    page.get_by_text("In 2 captions.").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.type("green")
    page.keyboard.press("Enter")
    saved(page)
    assert list(captions(owner, dataset).values()) == ["a green cup", "a green leaf", "a sun"]
    page.keyboard.press("Control+Alt+p")
    typing_in(page, "Words")
    page.keyboard.type("poster, ")
    page.keyboard.press("Enter")
    saved(page)
    assert captions(owner, dataset)[names[2]] == "poster, a sun"
    page.keyboard.press("Control+Alt+z")
    page.keyboard.press("Control+Alt+z")
    saved(page)
    assert list(captions(owner, dataset).values()) == ["a red cup", "a red leaf", "a sun"]


def typing_in(page: Any, label: str) -> None:
    """Waits until the window that a key opened has the keyboard in its field."""
    field = page.get_by_label(label, exact=True).element_handle()
    page.wait_for_function("field => document.activeElement === field", arg=field)


def saved(page: Any) -> None:
    page.get_by_text("All saved").wait_for()
    page.wait_for_timeout(100)
    page.get_by_text("All saved").wait_for()


def test_boxes_are_dragged_over_the_picture(visit: Visit, owner: Account, dataset: str) -> None:
    filled(owner, dataset, 1)
    asset = owner.http.get(f"/datasets/{dataset}/assets").json()["assets"][0]["asset_id"]
    caption = {
        "high_level_description": "a cup",
        "compositional_deconstruction": {
            "background": "poster",
            "elements": [{"type": "obj", "bbox": [200, 200, 600, 600], "desc": "a cup"}],
        },
    }
    assert owner.http.put(f"/datasets/{dataset}/assets/{asset}/caption", json={"caption": caption}).status_code == 200
    page = visit.open(f"/datasets/{dataset}")
    page.get_by_role("button", name="Structured caption of").click()
    box = page.get_by_role("button", name="Box of a cup")
    frame = page.get_by_role("dialog").locator(".frame").bounding_box()
    place = box.bounding_box()
    assert frame is not None
    assert place is not None
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] / 2 + frame["width"] / 10, place["y"] + place["height"] / 2)
    page.mouse.up()
    box.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    page.mouse.move(frame["x"] + 8, frame["y"] + 8)
    page.mouse.down()
    page.mouse.move(frame["x"] + frame["width"] / 5, frame["y"] + frame["height"] / 5)
    page.mouse.up()
    page.get_by_label("What it is like").last.fill("a corner")
    page.get_by_role("button", name="Save").click()
    saved(page)
    stored = next(iter(captions(owner, dataset).values()))
    first, second = stored["compositional_deconstruction"]["elements"]
    assert first["bbox"] == pytest.approx([210, 300, 610, 710], abs=4)
    assert second["bbox"][2:] == pytest.approx([200, 200], abs=4)
    assert second["desc"] == "a corner"


def test_a_copy_is_dropped_by_one_click(visit: Visit, owner: Account, live: Live, dataset: str, tmp_path: Path) -> None:
    from PIL import Image

    filled(owner, dataset, 2)
    with Image.open(POSTERS[0]) as image:
        image.convert("RGB").save(tmp_path / "again.jpg", quality=85)
    again = {"files": ("again.jpg", (tmp_path / "again.jpg").read_bytes())}
    owner.http.post(f"/datasets/{dataset}/upload_assets", files=again)
    page = visit.open(f"/datasets/{dataset}")
    page.get_by_role("tab", name="Report").click()
    page.get_by_role("button", name="Drop the copy").click()
    page.get_by_role("tab", name="2 pictures").wait_for()
    assert sorted(captions(owner, dataset)) == sorted(path.name for path in POSTERS[:2]), "the first one stays"
    page.get_by_role("button", name="Keep").first.click()
    page.get_by_role("button", name="Show again what you kept").wait_for()
