"""A model's page: with whom it is shared, its files, and the previews of its training."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api.live import Account, Live
from tests.console.conftest import AXE, Visit, member_of, trained
from tests.console.looking import faults

from linocut.custom_models.service import CANCELLED


@pytest.fixture(scope="module")
def maker(live: Live) -> Account:
    return live.account(organization="Print shop")


@pytest.fixture(scope="module")
def model(maker: Account) -> str:
    return trained(maker)


@pytest.fixture
def seen(browser: Any, live: Live, maker: Account, model: str) -> Iterator[Visit]:
    """The page of its training, at its end."""
    made = Visit(browser, live.url, maker.token)
    made.open(f"/runs/{model}").get_by_role("link", name="The model").wait_for()
    yield made
    made.close()


def test_the_bare_base_is_the_first_column_of_the_previews(seen: Visit) -> None:
    page = seen.page
    heads = page.get_by_role("region", name="Previews").get_by_role("columnheader").all_inner_texts()
    assert heads[:2] == ["Prompt", "Base"], heads
    assert len(heads) > 2
    assert all(one.isdecimal() for one in heads[2:])
    page.get_by_role("button", name="Compare prompt 1").last.click()
    left = page.get_by_role("dialog").get_by_label("Left")
    assert left.evaluate("one => one.selectedOptions[0].text") == "Base", "what it is compared with"


def test_a_stopped_training_is_known_by_the_servers_sentence() -> None:
    source = Path(__file__).parents[2] / "console" / "src" / "lib" / "models.ts"
    assert f"STOPPED = '{CANCELLED}'" in source.read_text()


def test_its_files_are_downloaded_in_every_layout(seen: Visit, maker: Account, model: str, tmp_path: Path) -> None:
    page = seen.settled(f"/models/{model}")
    names = set()
    for layout in ("for diffusers", "for ComfyUI", "for kohya", "as it is stored", "the model card"):
        with page.expect_download() as file:
            page.get_by_role("button", name=f"Download {layout}").click()
        names.add(file.value.suggested_filename)
        file.value.save_as(tmp_path / layout)
    uri = maker.http.get(f"/models/{model}").json()["model"]["custom_model_uri"]
    version = uri.removeprefix("model/").replace("/", "-")
    endings = ("-diffusers.safetensors", "-comfyui.safetensors", "-kohya.safetensors", ".safetensors", "-README.md")
    assert names == {f"{version}{ending}" for ending in endings}
    assert "# Posters" in (tmp_path / "the model card").read_text()


def test_whom_it_is_shared_with_is_said_by_name_and_number(
    browser: Any, live: Live, maker: Account, seen: Visit, model: str
) -> None:
    tokens = [member_of(live, maker, f"{name} of the print shop") for name in ("ann", "ben")]
    page = seen.settled(f"/models/{model}")
    page.get_by_role("button", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("2 other members would see it").wait_for()
    dialog.get_by_text("Print shop", exact=True).wait_for()
    dialog.get_by_role("button", name="Share with Print shop").click()
    dialog.get_by_text("2 other members may see it and draw with it").wait_for()
    page.reload()
    page.get_by_role("button", name="Share", exact=True).click()
    dialog.get_by_text("Shared", exact=True).wait_for()
    page.evaluate(AXE.read_text())
    assert faults(page) == []
    other = Visit(browser, live.url, tokens[0])
    other.settled(f"/models/{model}").get_by_role("heading", name="Posters").wait_for()
    assert other.page.get_by_role("heading", name="Files").count() == 0, "the weights are the owner's"
    dialog.get_by_role("button", name="Stop sharing with Print shop").click()
    dialog.get_by_text("The pictures that they drew with it stay theirs.").wait_for()
    other.page.reload()
    other.page.get_by_role("alert").get_by_text("There is no model").wait_for()
    other.close()
