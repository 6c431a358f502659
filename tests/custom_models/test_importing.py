"""Which of several bases a LoRA is matched to."""

from pathlib import Path

import numpy as np
import pytest
from tests.lora_files.lora_support import by_hand

from linocut.custom_models.importing import take
from linocut.errors import InvalidRequest

LAYER = "layers.0.attention.to_q"


def base(folder: Path, side: int) -> Path:
    (folder / "transformer").mkdir(parents=True)
    linear = {f"{LAYER}.weight": np.zeros((side, side), "f4")}
    (folder / "transformer" / "weights.safetensors").write_bytes(by_hand(linear))
    return folder


def lora(side: int) -> bytes:
    return by_hand(
        {f"{LAYER}.lora_A.weight": np.ones((2, side), "f4"), f"{LAYER}.lora_B.weight": np.ones((side, 2), "f4")}
    )


def test_it_is_matched_to_the_first_base_that_it_fits(tmp_path: Path) -> None:
    folders = {"ideogram4@11111111": base(tmp_path / "one", 4), "z_image@22222222": base(tmp_path / "two", 6)}
    assert take(lora(4), folders, alpha=None, most_bytes=1 << 20).base == "ideogram4@11111111"
    assert take(lora(6), folders, alpha=None, most_bytes=1 << 20).base == "z_image@22222222"
    with pytest.raises(InvalidRequest, match=r"8 to 8, not 4 to 4.*The other base of this server does not fit either"):
        take(lora(8), folders, alpha=None, most_bytes=1 << 20)
    one = dict(list(folders.items())[:1])
    with pytest.raises(InvalidRequest, match="not 4 to 4") as alone:
        take(lora(8), one, alpha=None, most_bytes=1 << 20)
    assert "either" not in alone.value.message
    with pytest.raises(InvalidRequest, match="no files of a base"):
        take(lora(4), {}, alpha=None, most_bytes=1 << 20)
