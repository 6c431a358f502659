"""A folder as its authors publish it, and nothing of ours in it, is known for what it is."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.bases.folders import published, write

from linocut.bases import FAMILIES, MINI, check_parts, facts_of, load_base
from linocut.bases.known import catalogue, known_by
from linocut.bases.licences import check_licence
from linocut.bases.types import SPEEDS
from linocut.errors import InvalidRequest

KLEIN, SDXL, ZIMAGE = "Flux2KleinPipeline", "StableDiffusionXLPipeline", "ZImagePipeline"
WHICH: list[tuple[str, str, dict[str, Any]]] = [
    ("ideogram-4", "Ideogram4Pipeline", {}),
    ("ideogram-4-nf4", "Ideogram4Pipeline", {"transformer": {"quantization_config": {"quant_method": "bitsandbytes"}}}),
    ("flux2-klein-4b", KLEIN, {"index": {"is_distilled": True}, "transformer": {"num_layers": 5}}),
    ("flux2-klein-base-4b", KLEIN, {"index": {"is_distilled": False}, "transformer": {"num_layers": 5}}),
    ("flux2-klein-base-4b", KLEIN, {"transformer": {"num_layers": 5}}),
    ("flux2-klein-9b", KLEIN, {"index": {"is_distilled": True}, "transformer": {"num_layers": 8}}),
    ("flux2-klein-base-9b", KLEIN, {"index": {"is_distilled": False}, "transformer": {"num_layers": 8}}),
    ("flux2-dev", "Flux2Pipeline", {}),
    ("qwen-image", "QwenImagePipeline", {}),
    ("qwen-image-edit", "QwenImageEditPipeline", {}),
    ("qwen-image-edit-2509", "QwenImageEditPlusPipeline", {}),
    ("z-image-turbo", ZIMAGE, {"scheduler": {"shift": 3.0}}),
    ("z-image", ZIMAGE, {"scheduler": {"shift": 6.0}}),
    ("sdxl", SDXL, {"unet": {"sample_size": 128}}),
    ("sdxl-turbo", SDXL, {"unet": {"sample_size": 64}}),
]


@pytest.mark.parametrize(("name", "pipeline", "configs"), WHICH)
def test_a_published_folder_is_known_by_its_class_and_its_configs(
    tmp_path: Path, name: str, pipeline: str, configs: dict[str, Any]
) -> None:
    folder = published(tmp_path / "weights", pipeline, **configs)
    facts = facts_of(folder)
    assert facts["known_as"] == facts["name"] == name
    if facts["family"] in FAMILIES:
        check_parts(folder)
        base = load_base(folder)
        assert (base.name, base.licence) == (name, catalogue()[name].licence)
        assert set(base.sampling) == set(SPEEDS)


def test_distilled_variants_have_few_steps_and_no_guidance_and_their_originals_have_both() -> None:
    known = catalogue()
    for distilled, original in (
        ("flux2-klein-4b", "flux2-klein-base-4b"),
        ("flux2-klein-9b", "flux2-klein-base-9b"),
        ("z-image-turbo", "z-image"),
        ("sdxl-turbo", "sdxl"),
    ):
        fast, slow = known[distilled].sampling["DEFAULT"], known[original].sampling["DEFAULT"]
        assert fast.guidance == 1.0 < slow.guidance
        assert 2 * fast.steps < slow.steps
    assert known["sdxl-turbo"].native_pixels == 512


def test_ideogram_s_presets_are_those_that_its_authors_publish() -> None:
    speeds = catalogue()["ideogram-4"].sampling
    assert [
        (speeds[name].steps, speeds[name].guidance, speeds[name].mu, speeds[name].std, speeds[name].polish_steps)
        for name in ("TURBO", "DEFAULT", "QUALITY")
    ] == [(12, 7.0, 0.5, 1.75, 1), (20, 7.0, 0.0, 1.75, 2), (48, 7.0, 0.0, 1.5, 3)]
    assert all(one.by_size and one.polish_guidance == 3.0 for one in speeds.values())


def test_every_entry_is_whole_and_no_two_share_a_name_or_a_repository() -> None:
    repositories = [one.repository.lower() for one in catalogue().values()]
    assert len(set(repositories)) == len(repositories)
    for one in catalogue().values():
        assert set(one.sampling) == set(SPEEDS)
        assert all(one.sampling[a].steps <= one.sampling[b].steps for a, b in pairwise(SPEEDS))
        assert one.licence.name != "not known"
        assert one.licence.url.startswith("https://")
        assert known_by(one.repository.upper()) is one is known_by(one.name)


def test_every_number_has_its_source_beside_it() -> None:
    text = (Path(load_base.__code__.co_filename).parent / "known.toml").read_text()
    for line in text.splitlines():
        if line.startswith(("native_pixels", "size_multiple", "max_text_tokens", "sampling.", "training")):
            assert any(f"[{tag}]" in line.rpartition("#")[2] for tag in "LMPTE"), line


def test_which_may_be_hosted() -> None:
    refused = {one.name for one in catalogue().values() if not one.licence.hosting}
    assert refused == {
        "ideogram-4", "ideogram-4-nf4", "flux2-klein-9b", "flux2-klein-base-9b", "flux2-dev", "sdxl-turbo"
    }  # fmt: skip


def test_a_linocut_json_goes_over_the_catalogue_a_speed_and_a_number_at_a_time(tmp_path: Path) -> None:
    folder = published(tmp_path / "mine", SDXL, unet={"sample_size": 128})
    plain = load_base(folder)
    own = {
        "name": "acme/Style 2", "native_pixels": 768, "sampling": {"FLASH": {"steps": 3, "guidance": 2.0}},
        "training": {"lora_rank": 8},
    }  # fmt: skip
    write(folder / "linocut.json", own)
    base = load_base(folder)
    assert (base.name, base.native_pixels, base.known_as) == ("acme/Style 2", 768, "sdxl")
    assert (base.sampling["FLASH"].steps, base.sampling["QUALITY"]) == (3, plain.sampling["QUALITY"])
    assert (base.training.lora_rank, base.training.learning_rate) == (8, plain.training.learning_rate)
    assert base.identity == plain.identity, "another recipe is no other base"


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"natve_pixels": 512}, "nothing reads its `natve_pixels`; is `native_pixels` meant?"),
        ({"training": {"rank": 8}}, "nothing reads its `training.rank`"),
        ({"sampling": {"FLASH": {"steps": 4, "guidance": 1, "sigma": 2}}}, "nothing reads its `sampling.FLASH.sigma`"),
        ({"native_pixels": 0}, ">= 1"),
        ({"sampling": {"FLASH": {"steps": 0, "guidance": 1.0}}}, ">= 1"),
        ({"training": {"ema": 1.5}}, "<= 1"),
        ({"native_pixels": 4}, "`native_pixels` is less than `size_multiple`"),
        ({"sampling": 3}, "sampling"),
        ({"identity": "mine"}, "nothing reads its `identity`"),
        ({"sampling": {"FAST": {"steps": 4, "guidance": 1}}}, "nothing reads its `sampling.FAST`; is `sampling.FLASH`"),
        ({"training": {"kinds": {"styel": {}}}}, "nothing reads its `training.kinds.styel`; is `training.kinds.style`"),
        ({"training": {"kinds": {"style": {"steps": 0}}}}, "`training.kinds.style.steps` is 0. Expected `float` > 0.0"),
        ({"max_references": 99}, "`max_references` is 99. Expected `int` <= 11"),
        ({"known_as": "nope"}, "`known_as` is 'nope', which `linocut bases list` does not have"),
        ({"name": ""}, "`name` is ''; it takes 1 to 100 characters"),
        ({"name": "../../x y"}, "`name` is '../../x y'; it takes"),
        ({"name": "x\n"}, "`name` is 'x\\n'; it takes"),
        ({"name": "a,b"}, "`name` is 'a,b'; it takes"),
    ],
)
def test_a_wrong_linocut_json_is_told_by_its_field(tmp_path: Path, own: dict[str, Any], sentence: str) -> None:
    folder = published(tmp_path / "mine", SDXL)
    write(folder / "linocut.json", own)
    with pytest.raises(InvalidRequest) as told:
        load_base(folder)
    assert sentence in told.value.message
    assert "docs/bases.md" in told.value.message


@pytest.mark.parametrize(
    "where",
    ["sampling.DEFAULT.guidance", "sampling.DEFAULT.mu", "sampling.DEFAULT.std", "sampling.DEFAULT.polish_guidance",
     "training.learning_rate", "training.weight_decay", "training.sigma_mean", "training.sigma_std",
     "training.kinds.style.sigma", "training.kinds.style.few_rate", "cfg_normalization", "cfg_truncation"],
)  # fmt: skip
@pytest.mark.parametrize("number", ["NaN", "1e999", "-Infinity"])
def test_no_number_of_a_linocut_json_is_none_or_without_end(tmp_path: Path, where: str, number: str) -> None:
    folder = published(tmp_path / "mine", SDXL)
    *outer, last = where.split(".")
    written = f'{{"{last}": {number}}}'
    for name in reversed(outer):
        written = f'{{"{name}": {written}}}'
    (folder / "linocut.json").write_text(written)
    with pytest.raises(InvalidRequest, match=f"`{re.escape(where)}` is -?(nan|inf)"):
        load_base(folder)


def test_a_base_that_may_not_be_hosted_wants_its_licence_accepted_by_name(tmp_path: Path) -> None:
    base = load_base(published(tmp_path / "i4", "Ideogram4Pipeline"))
    for accepted in (frozenset[str](), frozenset({"sdxl"}), frozenset({"yes"})):
        with pytest.raises(InvalidRequest) as told:
            check_licence(base, accepted)
        assert "--accept-licence ideogram-4" in told.value.message
        assert "Ideogram Non-Commercial Model Agreement" in told.value.message
    check_licence(base, frozenset({"ideogram-4"}))
    check_licence(load_base(MINI), frozenset())
    check_licence(load_base(published(tmp_path / "sdxl", SDXL)), frozenset())


def test_a_base_that_is_known_and_has_no_code_here_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = published(tmp_path / "x", "Flux2Pipeline")
    check_parts(folder)
    monkeypatch.setattr("linocut.bases.folder.FAMILIES", ("sdxl",))
    for look in (load_base, check_parts):
        with pytest.raises(InvalidRequest, match=r"holds FLUX\.2 dev .* knows and cannot run yet; it runs sdxl"):
            look(folder)


def test_what_the_configs_say_more_exactly_than_the_catalogue(tmp_path: Path) -> None:
    sizes = [(128, 1024), (64, 512), (8, 64), ("x", 1024), (0, 1024)]
    for number, (side, pixels) in enumerate(sizes):
        folder = published(tmp_path / f"sdxl{number}", SDXL, unet={"sample_size": side})
        assert load_base(folder).native_pixels == pixels
    places = [([1536, 512, 512], (1024, 512)), ([256, 32, 48], (512, 224)), ([34, 1, 1], (16, 32)), ("x", (1024, 512))]
    for number, (lengths, found) in enumerate(places):
        folder = published(tmp_path / f"z{number}", ZIMAGE, transformer={"axes_lens": lengths})
        base = load_base(folder)
        assert (base.native_pixels, base.max_text_tokens) == found


def test_mini_says_itself_what_it_is() -> None:
    own = json.loads((MINI / "linocut.json").read_text())
    base = load_base(MINI)
    assert (base.name, base.known_as, base.licence.name) == ("mini", "mini", "Apache-2.0")
    assert base.sampling["TURBO"].steps == own["sampling"]["TURBO"]["steps"]
    assert not base.sampling["TURBO"].by_size, "Ideogram 4's own presets have no part in it"
    assert base.training_pixels == base.native_pixels == 128
