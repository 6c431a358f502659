"""Grounds that are cut away, and grounds that alone are spoken of."""

import json

import pytest

from linocut.api.translate.cutouts import TRANSPARENT
from linocut.api.translate.versions import V3
from linocut.generation.grounds import KEYS, ground_caption, key_for
from linocut.prompting import colours_in


@pytest.mark.parametrize(("colours", "key"), [([], "magenta"), (["#DC2A2A"], "cyan"), (["#FAD02C"], "blue")])
def test_the_key_is_far_from_every_colour_that_is_used(colours: list[str], key: str) -> None:
    used = [tuple(int(value[i : i + 2], 16) for i in (1, 3, 5)) for value in colours]
    assert key_for(used) == key  # type: ignore[arg-type]


def test_no_key_is_a_colour_that_is_used() -> None:
    for name, value in KEYS.items():
        assert key_for([value]) != name
        assert key_for([value, (255, 255, 255), (0, 0, 0)]) != name


def test_words_of_colour_are_found_with_their_values() -> None:
    assert colours_in("a red cup, #12ab9F and navy; reddish") == ("#DC2A2A", "#12AB9F", "#14235A")
    assert colours_in("nothing here") == ()


def test_a_ground_is_all_that_its_caption_says() -> None:
    caption = json.loads(ground_caption("  a sunny \n beach "))
    assert caption["compositional_deconstruction"] == {"background": "a sunny beach", "elements": []}
    structured = '{"high_level_description":"x"}'
    assert ground_caption(structured) == structured


def test_transparent_pictures_have_the_largest_size_of_their_ratio_and_no_flash() -> None:
    assert "FLASH" in V3.speeds
    assert "FLASH" not in TRANSPARENT.speeds
    for ratio, (width, height) in TRANSPARENT.ratios.items():
        across, down = map(int, ratio.split("x"))
        alike = [size for size in V3.resolutions if size[0] * down == size[1] * across]
        assert all(other[0] * other[1] <= width * height for other in alike), ratio
        assert abs(width / height / (across / down) - 1) < 0.02 or not alike, ratio
