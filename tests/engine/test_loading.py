"""Loading by a plan: in fewer bits, with a tower that lives on the host, in half precision on a CPU, and told."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from tests.engine.family_support import CAPTION
from tests.engine.tiny_bases import flux2_base, ideogram4_base
from torch import nn

from linocut.bases import load_base
from linocut.bases.sizes import can_be_quantised, sizes_of_folder
from linocut.engine import resident
from linocut.engine.adapters.apply import project, share_rows
from linocut.engine.asked import Room
from linocut.engine.families.family import load_family
from linocut.engine.loading import Loading
from linocut.engine.measure import Peak
from linocut.engine.open import open_engine
from linocut.engine.quantised import can_quantise, quantise
from linocut.engine.room import precisions_here
from linocut.engine.visiting import visiting
from linocut.errors import InvalidRequest, TooLarge

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ideogram4_base(tmp_path_factory.mktemp("loading") / "base")


def test_a_tower_on_the_host_reads_the_same_and_holds_one_block_at_a_time(folder: Path) -> None:
    plain = load_family("ideogram4", folder, CPU, torch.float32)
    away = load_family("ideogram4", folder, CPU, Loading(CPU, "fp32", tower_on_host=True))
    [expected], [found] = plain.encode_text([CAPTION]), away.encode_text([CAPTION])
    assert torch.equal(expected.tensors["features_TF"], found.tensors["features_TF"])
    tower = away.text_encoder  # type: ignore[attr-defined]
    assert tower.device == CPU
    largest = sizes_of_folder(folder).towers[0].block * 4
    layers = sum(one.numel() for one in tower.language_model.layers.parameters()) * 4
    assert largest < layers / 4

    def held(network: nn.Module) -> int:
        ids = torch.zeros(1, 8, dtype=torch.long)
        with torch.no_grad(), Peak() as peak:
            network(input_ids=ids, attention_mask=torch.ones_like(ids))
        return int(peak.bytes)

    beside = held(tower) - held(plain.text_encoder)  # type: ignore[attr-defined]
    assert 0 < beside < 1.5 * largest, (beside, largest, layers)
    assert all(one.device.type == "cpu" for one in tower.parameters())


def test_a_second_network_may_live_on_the_host_too(folder: Path) -> None:
    from linocut.engine.families.items import Item

    plain = load_family("ideogram4", folder, CPU, torch.float32)
    away = load_family("ideogram4", folder, CPU, Loading(CPU, "fp32", second_on_host=True))
    [text] = plain.encode_text([CAPTION])
    item = Item(torch.randn(plain.latent_shape((4, 4))), (4, 4), 0.5, text, None, 3.0)
    assert torch.equal(plain.velocity([item])[0], away.velocity([item])[0])


def test_a_block_goes_home_when_it_fails() -> None:
    class Fails(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(x.unsqueeze(9))

    network = nn.Sequential()
    network.blocks = nn.ModuleList([Fails()])
    home = network.blocks[0].linear.weight.data_ptr()
    visiting(network, CPU)
    for _ in range(2):
        with pytest.raises(IndexError):
            network.blocks[0](torch.zeros(4))
        assert network.blocks[0].linear.weight.data_ptr() == home


def test_half_precision_on_a_cpu_where_it_is_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linocut.engine.room.has_bfloat16", lambda: True)
    base = load_base(folder)
    engine = open_engine("torch", base, folder, 1, 1 << 20, Room(precision="bf16"))
    family = engine._executor._bench.family  # type: ignore[attr-defined]
    assert {one.dtype for one in family.conditional.transformer.parameters()} == {torch.bfloat16}
    engine.close()


def test_it_is_told_part_by_part_with_figures(folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    room = Room(told=lambda part, before, size: told.append((part, before, size)))
    open_engine("torch", load_base(folder), folder, 1, 1 << 20, room).close()
    parts = {part.name: 4 * part.values for part in sizes_of_folder(folder).parts}
    assert [part for part, _, _ in told] == ["transformer", "unconditional_transformer", "text_encoder", "vae"]
    assert [before for _, before, _ in told] == [
        0, parts["transformer"], 2 * parts["transformer"], 2 * parts["transformer"] + parts["text_encoder"]
    ]  # fmt: skip
    assert {size for _, _, size in told} == {sum(parts.values())}


def test_what_does_not_fit_is_refused_before_anything_is_loaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident, "free_bytes", lambda _: 1 << 20)
    told: list[str] = []
    with pytest.raises(TooLarge, match="does not fit on this device"):
        open_engine("torch", load_base(folder), folder, 1, 1 << 10, Room(told=lambda part, *_: told.append(part)))
    assert told == []


def test_a_library_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linocut.engine.quantised.find_spec", lambda _: None)
    assert not can_quantise("fp8")
    for precision, library in (("fp8", "torchao"), ("nf4", "bitsandbytes")):
        with pytest.raises(InvalidRequest, match=rf"takes {library}: pip install 'linocut\[quantised\]'"):
            quantise(nn.Linear(4, 4), precision, CPU)


def test_which_precisions_there_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linocut.engine.room.can_quantise", lambda precision: precision == "nf4")
    assert precisions_here(folder, True, Room()) == ("fp32",)
    assert precisions_here(folder, False, Room()) == ("bf16", "nf4")
    assert precisions_here(folder, False, Room(precision="fp8")) == ("fp8",)


def test_a_base_that_is_packed_in_few_bits_names_what_reads_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "packed"
    shutil.copytree(folder, packed)
    config = packed / "transformer" / "config.json"
    said = {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}
    config.write_text(json.dumps({**json.loads(config.read_text()), **said}))
    monkeypatch.setattr("linocut.engine.families.parts.folder.can_quantise", lambda _: False)
    with pytest.raises(InvalidRequest, match=r"packed in few bits.* pip install 'linocut\[quantised\]'"):
        load_family("ideogram4", packed, CPU, torch.float32)


class _Odd(nn.Module):
    """A linear of a kind that gives a view, as a quantised one may."""

    def __init__(self, inner: nn.Linear) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept: torch.Tensor = self.inner(x)
        self.kept = kept
        return kept.view(kept.shape)


def test_a_linear_of_any_kind_is_called_and_what_it_gives_is_left_alone() -> None:
    from linocut.engine.adapters.apply import Adapter

    inner, x = nn.Linear(8, 8), torch.randn(3, 8)
    adapter = Adapter({"l": torch.randn(2, 8)}, {"l": torch.randn(8, 2)}, 1.0, "")
    shares = share_rows([adapter], [3])
    odd = _Odd(inner)
    expected = project(inner, "l", x, shares)
    assert torch.equal(project(odd, "l", x, shares), expected)
    assert torch.equal(odd.kept, inner(x)), "not added to in place"
    assert not torch.equal(expected, inner(x))


@pytest.mark.parametrize("precision", [p for p in ("fp8", "nf4") if can_quantise(p)])
def test_quantised_linears_are_near_and_take_what_was_planned(precision: str, tmp_path: Path) -> None:
    """Runs where the extra is installed."""
    from linocut.bases.plan import part_bytes

    base_folder = flux2_base(tmp_path / "base", max_text_tokens=64)
    torch.manual_seed(0)
    inner = nn.Linear(64, 128).bfloat16()
    network = nn.Sequential()
    network.blocks = nn.ModuleList([nn.Sequential(inner)])
    x = torch.randn(5, 64).bfloat16()
    exact = inner(x)
    quantise(network, precision, CPU)
    assert can_be_quantised("blocks.0.0.weight", (128, 64))
    near = network.blocks[0](x)
    error = (near - exact).norm() / exact.norm()
    assert 0 < error < (0.05 if precision == "fp8" else 0.2)
    family = load_family("flux2", base_folder, CPU, Loading(CPU, precision))  # type: ignore[arg-type]
    [text] = family.encode_text([CAPTION])
    assert torch.isfinite(text.tensors["features_TF"]).all()
    assert part_bytes(sizes_of_folder(base_folder).networks[0], precision) < part_bytes(  # type: ignore[arg-type]
        sizes_of_folder(base_folder).networks[0], "bf16"
    )
