"""``linocut bases``, and what serving one asks for."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bases.folders import published, write
from tests.bases.hub_server import COMMIT, Hub, of_folder, running
from tests.cli.conftest import Typed

from linocut.bases import load_base
from linocut.bases.known import catalogue
from linocut.cli import checks
from linocut.cli.fit import fit
from linocut.settings import Settings

SDXL, I4 = "StableDiffusionXLPipeline", "Ideogram4Pipeline"
REPOSITORY = "stabilityai/stable-diffusion-xl-base-1.0"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    folder = published(tmp_path / "authors", SDXL, unet={"sample_size": 128})
    with running(Hub({REPOSITORY: of_folder(folder)})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def test_list_names_every_base_and_where_it_is(typing: Typed, tmp_path: Path) -> None:
    code, out, _ = typing("bases", "list", "--data", tmp_path)
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines()[1:-1]}
    assert list(rows) == ["mini", *catalogue()]
    assert "shipped" in rows["mini"]
    assert "ask first" in rows["ideogram-4"]
    assert "not here" in rows["sdxl"]
    assert {rows[name].index("ask first") for name in ("sdxl-turbo", "ideogram-4")} == {out.index("to be hosted")}
    code, out, _ = typing("bases", "list", "--data", tmp_path, "--json")
    found = {row["name"]: row for row in json.loads(out)}
    assert found["sdxl"]["licence"]["name"] == "CreativeML Open RAIL++-M"
    assert found["flux2-klein-4b"]["can"]["references"] is True


def test_show_a_name_a_repository_and_a_folder(typing: Typed, tmp_path: Path) -> None:
    for asked in ("z-image-turbo", "Tongyi-MAI/Z-Image-Turbo"):
        code, out, _ = typing("bases", "show", asked, "--data", tmp_path)
        assert (code, "Apache-2.0" in out, "9 steps" in out) == (0, True, True), out
    folder = published(tmp_path / "mine", SDXL, unet={"sample_size": 64})
    code, out, _ = typing("bases", "show", folder, "--data", tmp_path, "--json")
    found = json.loads(out)
    assert (code, found["known_as"], found["identity"]) == (0, "sdxl-turbo", load_base(folder).identity)
    code, _, err = typing("bases", "show", "sdlx", "--data", tmp_path)
    assert (code, "There is no base 'sdlx'" in err) == (1, True)


def test_describe_prints_a_linocut_json_and_writes_it_once(typing: Typed, tmp_path: Path) -> None:
    folder = published(tmp_path / "mine", SDXL, unet={"sample_size": 128})
    before = load_base(folder)
    code, out, _ = typing("bases", "describe", folder)
    assert (code, json.loads(out)["family"]) == (0, "sdxl")
    assert not (folder / "linocut.json").exists()
    code, out, _ = typing("bases", "describe", folder, "--write", "--json")
    assert (code, json.loads(out)["path"]) == (0, str(folder / "linocut.json"))
    assert load_base(folder) == before
    code, _, err = typing("bases", "describe", folder, "--write")
    assert (code, "is there already" in err) == (1, True)
    code, _, err = typing("bases", "describe", tmp_path)
    assert (code, "not a base" in err) == (1, True)


def test_pull_then_it_is_here_and_served_by_name(typing: Typed, tmp_path: Path, hub: Hub) -> None:
    code, out, err = typing("bases", "pull", "sdxl", "--data", tmp_path)
    assert (code, f"commit {COMMIT}" in out, "linocut serve --base sdxl" in out) == (0, True, True), err
    assert "100 % of" in err
    code, out, _ = typing("bases", "list", "--data", tmp_path, "--json")
    assert {row["name"]: row["state"] for row in json.loads(out)}["sdxl"] == "here"
    assert checks.base(Settings(data=tmp_path, base="sdxl")).ok
    code, out, _ = typing("bases", "show", "sdxl", "--data", tmp_path, "--json")
    assert json.loads(out)["folder"] == str(tmp_path / "bases" / "sdxl")
    code, out, _ = typing("bases", "pull", "sdxl", "--data", tmp_path, "--json")
    assert json.loads(out)["bytes_fetched"] == 0


def test_pulled_bases_may_lie_elsewhere(typing: Typed, tmp_path: Path, hub: Hub) -> None:
    typing("bases", "pull", "sdxl", "--data", tmp_path, BASES=str(tmp_path / "big-disk"))
    assert (tmp_path / "big-disk" / "sdxl" / "model_index.json").exists()
    assert checks.base(Settings(data=tmp_path, base="sdxl", bases=str(tmp_path / "big-disk"))).ok


def test_serve_never_fetches_and_says_the_command(typing: Typed, tmp_path: Path, hub: Hub) -> None:
    code, _, err = typing("serve", "--data", tmp_path, "--base", "sdxl", "--port", 0)
    assert (code, "linocut bases pull sdxl" in err) == (1, True), err
    assert hub.asked == []
    found = checks.base(Settings(data=tmp_path, base="sdxl"))
    assert (found.ok, found.mend) == (False, "linocut bases pull sdxl")


def test_a_base_that_may_not_be_hosted_is_not_served_unless_its_licence_is_accepted(
    typing: Typed, tmp_path: Path
) -> None:
    folder = published(tmp_path / "i4", I4)
    for accepted in ((), ("--accept-licence", "sdxl")):
        code, _, err = typing("serve", "--data", tmp_path / "d", "--base", folder, "--port", 0, *accepted)
        assert (code, "--accept-licence ideogram-4" in err) == (1, True), err
    found = checks.base(Settings(data=tmp_path, base=str(folder)))
    assert (found.ok, "accept-licence ideogram-4" in found.mend) == (False, True)
    assert checks.base(Settings(data=tmp_path, base=str(folder), accept_licence="sdxl, Ideogram-4")).ok


def test_somebody_s_own_licence_in_linocut_json(tmp_path: Path) -> None:
    folder = published(tmp_path / "i4", I4)
    write(folder / "linocut.json", {"licence": {"name": "Ours", "hosting": True}})
    assert "licence Ours" in checks.base(Settings(data=tmp_path, base=str(folder))).found


@pytest.mark.long
def test_the_doctor_says_whether_it_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = fit(Settings(data=tmp_path))
    assert (small.ok, "nothing to plan" in small.found) == (True, True)
    monkeypatch.setattr("linocut.engine.resident.free_bytes", lambda _: 1 << 20)
    refused = fit(Settings(data=tmp_path))
    assert not refused.ok
    assert "mini does not fit on this device: to serve and train in fp32 takes" in refused.found
    assert "1.0 MiB are there" in refused.found
    monkeypatch.setattr("linocut.engine.resident.free_bytes", lambda _: 5 << 30)
    planned = fit(Settings(data=tmp_path, text_tower="device"))
    assert (planned.ok, "weights: denoising network, 2 of them" in planned.found) == (True, True)
    assert not fit(Settings(data=tmp_path, base=str(tmp_path / "none"))).ok


def test_how_a_known_base_would_fit_before_it_is_fetched(typing: Typed, tmp_path: Path) -> None:
    code, out, _ = typing("bases", "show", "ideogram-4", "--memory", 24, "--data", tmp_path)
    assert (code, "ideogram-4: fp8, to serve alone" in out) == (0, True), out
    code, out, _ = typing("bases", "show", "sdxl", "--memory", 12, "--data", tmp_path, "--json")
    assert set(json.loads(out)["fits"]) == {"both", "serving", "training"}
    code, out, _ = typing("bases", "show", "flux2-dev", "--memory", 24, "--data", tmp_path)
    assert (code, "flux2-dev: nf4, to serve alone" in out, "flux2-dev does not fit" in out) == (0, True, True)
    code, out, _ = typing("bases", "show", "ideogram-4-nf4", "--memory", 80, "--data", tmp_path)
    assert (code, "ideogram-4-nf4: nf4, to serve and train" in out) == (0, True), "its files are in four bits already"
    assert "of a style     steps 0.8, sigma -0.35" in out
