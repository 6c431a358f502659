"""The pretraining's own rules: what ships can be trained further, and the losses say what they are meant to say."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.mini.test_measures import PAINTER

from linocut.catalogue import MINI, load_base
from linocut.pretrain import captions, data, tokenizer, vae
from linocut.pretrain.ahead import unwrap, wrap
from linocut.pretrain.config import TransformerConfig, VaeConfig
from linocut.pretrain.data import FRAME, STROKES, TOKEN, Batch, Example, Source, corner, cut
from linocut.pretrain.draw import CLASS_OF
from linocut.pretrain.export import export, wall_seconds, widen
from linocut.pretrain.losses import losses, smooth
from linocut.pretrain.muon import Muon, orthogonalise
from linocut.pretrain.net import HEADS, IMAGE_OFFSET, Mini, positions
from linocut.pretrain.partner import Partner, halves
from linocut.pretrain.scene import Colour, Ground, Item, Scene, sample
from linocut.pretrain.shipped import deepen, go_on, load_shipped, outer_layers, pause
from linocut.pretrain.spelling import MARKS
from linocut.pretrain.train import Run, averaged, read_header
from linocut.pretrain.words import Words

TINY = replace(TransformerConfig(), layers=3, heads=2, mlp=32, adaln=16, text_dim=16)
CHANNELS = 4 * VaeConfig().latent_channels
WHITE, RED = Colour("white", (255, 255, 255)), Colour("red", (220, 42, 42))


def fresh_words(config: TransformerConfig = TINY) -> Words:
    """The vocabulary with vectors of nothing."""
    words = tokenizer.build()
    return Words.of(words, torch.zeros(len(words), config.text_dim))


def random_batch(rows: int, lengths: list[int]) -> Batch:
    return Batch(
        torch.randn(rows, 64, CHANNELS), torch.randint(0, 50, (rows, 64)), torch.rand(rows, 64, STROKES),
        torch.rand(rows, 64, 3), torch.rand(rows, 64, FRAME + 1).round(), torch.randint(0, 40, (rows, max(lengths))),
        torch.rand(rows, max(lengths), MARKS + 1).round(),
        torch.tensor(lengths), torch.zeros(rows, 2, dtype=torch.long), (8, 8),
    )  # fmt: skip


def test_what_ships_can_be_trained_further(tmp_path: Path) -> None:
    """Everything but the auxiliary heads is there, and the run goes on counting where it stood."""
    config = TransformerConfig()
    load_shipped(MINI, tmp_path, config)
    run = Run(config, fresh_words(config))
    run.load(tmp_path / "transformer.safetensors")
    shipped = load_file(MINI / "transformer" / "diffusion_pytorch_model.safetensors")
    again = widen(dict(run.model.transformer.state_dict()))
    assert again.keys() >= shipped.keys()
    assert all(torch.allclose(again[name], tensor.float(), atol=1e-3) for name, tensor in shipped.items())
    told = json.loads((MINI / "training.json").read_text())
    table = load_file(MINI / "text_encoder" / "model.safetensors")["language_model.embed_tokens.weight"]
    assert torch.allclose(run.model.embedding.table(), table.float(), atol=2e-3)
    assert (run.step, run.seen, run.begun) == (told["steps"], told["images"], told["steps"])
    vae.build(VaeConfig()).load_state_dict(load_file(tmp_path / "vae.safetensors"))


def test_a_base_with_other_latents_gives_what_fits(tmp_path: Path) -> None:
    """Everything but the first and last layer, and a count that begins anew."""
    other = tmp_path / "other"
    shutil.copytree(MINI, other)
    path = other / "transformer" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    for name in ("input_proj.weight", "final_layer.linear.weight", "final_layer.linear.bias"):
        wider = 1 if name == "input_proj.weight" else 0
        tensors[name] = torch.cat([tensors[name]] * 2, wider)
    save_file(tensors, path)
    deeper = replace(VaeConfig(), encoder_channels=(16, 32, 64, 96), decoder_channels=(24, 48, 80, 112))
    weights = {name: tensor.contiguous() for name, tensor in vae.build(deeper).state_dict().items()}
    save_file(weights, other / "vae" / "diffusion_pytorch_model.safetensors")
    load_shipped(other, tmp_path / "work", TransformerConfig())
    made = load_file(tmp_path / "work" / "transformer.safetensors")
    assert torch.allclose(made["model.transformer.layers.3.attention.to_q.weight"],
                          tensors["layers.3.attention.to_q.weight"].float(), atol=1e-3)  # fmt: skip
    assert read_header(tmp_path / "work" / "transformer.safetensors") == {"step": "0", "seen": "0", "begun": "0"}


def test_what_ships_tells_how_it_came_to_be(tmp_path: Path) -> None:
    """In training.json and in each header: seeds, counts, machine, hours, the curve, the measures if there are any."""
    config = TransformerConfig()
    load_shipped(MINI, tmp_path, config)
    rows = [{"seconds": 90.0 * (step % 20 + 1), "step": step, "flow": 0.3} for step in range(40)]
    (tmp_path / "transformer.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "measures.json").write_text('{"one": {"mini": {"box": 1.0}}}')
    export(tmp_path, tmp_path / "out", config)
    export(tmp_path, tmp_path / "again", config)
    assert load_base(tmp_path / "out").identity == load_base(tmp_path / "again").identity
    told = json.loads((tmp_path / "out" / "training.json").read_text())
    assert told["data_seeds"] == {"autoencoder": VaeConfig().seed, "transformer": config.seed}
    assert told["hours_since_import"] == 1.0
    assert [told["curve"][0]["step"], told["curve"][-1]["step"]] == [0, 39]
    assert told["measures"] == {"one": {"mini": {"box": 1.0}}}
    files = list((tmp_path / "out").rglob("*.safetensors"))
    assert len(files) == 4
    assert all(json.loads(read_header(file)["linocut"]) == told for file in files)


def test_a_log_of_several_processes_counts_the_time_of_each() -> None:
    assert wall_seconds([]) == 0
    assert wall_seconds([{"seconds": 60.0}, {"seconds": 120.0}, {"seconds": 5.0}, {"seconds": 40.0}]) == 160


def test_a_paused_run_goes_on_where_it_stood(tmp_path: Path) -> None:
    one, file, two = (tmp_path / name for name in ("one", "file", "two"))
    run = Run(TINY, fresh_words())
    run.step, run.seen = 30, 400
    run.ema["heads.fill.bias"] += 0.5
    one.mkdir()
    run.save(one / "transformer.safetensors")
    weights = {name: tensor.contiguous() for name, tensor in vae.build(VaeConfig()).state_dict().items()}
    save_file(weights, one / "vae.safetensors")
    pause(one, file)
    go_on(file, two, TINY)
    again = Run(TINY, fresh_words())
    again.load(two / "transformer.safetensors")
    assert (again.step, again.seen, again.begun) == (30, 400, 30)
    for name, p in again.model.named_parameters():
        assert torch.allclose(p, run.ema[name], atol=2e-3)
        assert torch.equal(p, again.ema[name])
    assert load_file(two / "vae.safetensors").keys() == weights.keys()


def _lively(config: TransformerConfig) -> Mini:
    """A network whose blocks all matter: fresh ones have modulations and a last layer of zero."""
    torch.manual_seed(6)
    model = Mini(config, Words(torch.randn(40, config.text_dim)))
    with torch.no_grad():
        for block in model.transformer.layers:
            block.adaln_modulation.weight.normal_(std=0.1)
        model.transformer.final_layer.linear.weight.normal_(std=0.1)
    return model


def _ask(model: Mini) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    torch.manual_seed(7)
    z_bnc, ids_bl = torch.randn(2, 16, CHANNELS), torch.randint(0, 40, (2, 8))
    velocity_bnc, told = model(z_bnc, torch.tensor([0.9, 0.4]), ids_bl, torch.tensor([8, 5]), (4, 4))
    return velocity_bnc, told


def test_more_blocks_change_nothing_until_they_are_trained() -> None:
    """The last block stays the last; new ones stand before it, and their gates are the first thing to learn."""
    small, large = _lively(TINY), Mini(replace(TINY, layers=5), Words(torch.randn(40, TINY.text_dim)))
    large.load_state_dict(deepen(dict(small.state_dict()), 5))
    old, new = small.transformer.layers, large.transformer.layers
    for one, other in ((0, 0), (1, 1), (1, 2), (1, 3), (2, 4)):
        assert torch.equal(old[one].feed_forward.w2.weight, new[other].feed_forward.w2.weight)
    velocity_bnc, _ = _ask(large)
    assert torch.allclose(velocity_bnc, _ask(small)[0], atol=1e-5)
    velocity_bnc.square().mean().backward()  # type: ignore[no-untyped-call]
    quarters = new[3].adaln_modulation.bias.grad.view(4, -1).abs().amax(1) > 0
    assert quarters.tolist() == [False, True, False, True]
    assert all(torch.equal(small.state_dict()[name], t) for name, t in deepen(dict(small.state_dict()), 3).items())


def test_a_paused_run_with_fewer_blocks_goes_on_with_more(tmp_path: Path) -> None:
    one, file, two = (tmp_path / name for name in ("one", "file", "two"))
    run, deeper = Run(TINY, fresh_words()), replace(TINY, layers=4)
    one.mkdir()
    run.save(one / "transformer.safetensors")
    save_file({k: t.contiguous() for k, t in vae.build(VaeConfig()).state_dict().items()}, one / "vae.safetensors")
    pause(one, file)
    go_on(file, two, deeper)
    again = Run(deeper, fresh_words())
    again.load(two / "transformer.safetensors")
    assert torch.allclose(again.model.transformer.layers[3].attention.to_q.weight,
                          run.model.transformer.layers[2].attention.to_q.weight, atol=2e-3)  # fmt: skip


def test_fast_waves_of_the_time_reach_neither_the_run_nor_what_ships(tmp_path: Path) -> None:
    """While it trains they teach nothing; shipped they are zeros, so that the library's class says the same."""
    run = Run(TINY, fresh_words())
    fast = run.model.slow == 0
    assert 0 < fast.sum() < len(fast)
    run.model.told_time(torch.rand(5)).square().mean().backward()  # type: ignore[no-untyped-call]
    taught = run.model.transformer.t_embedding.mlp_in.weight.grad.abs().amax(0) > 0
    assert torch.equal(taught, ~fast)
    run.save(tmp_path / "transformer.safetensors")
    shipped, sigma_b = averaged(tmp_path, TINY), torch.rand(5)
    assert (shipped.transformer.t_embedding.mlp_in.weight[:, fast] == 0).all()
    said_bd = shipped.transformer.t_embedding(1 - sigma_b)
    assert torch.allclose(said_bd, run.model.told_time(sigma_b)[:, 0], atol=1e-4)


def test_each_auxiliary_head_looks_after_its_own_block() -> None:
    """What a head says depends on the blocks up to its own and on no later one."""
    model = _lively(replace(TINY, layers=8))
    before = _ask(model)[1]
    assert before.keys() == HEADS.keys()
    last_of = {"place": 2, "spell": 3, "frame": 4, "fill": 5, "ink": 7}
    for number in range(1, 9):
        block = model.transformer.layers[number - 1]
        kept = {name: tensor.clone() for name, tensor in block.state_dict().items()}
        with torch.no_grad():
            block.feed_forward.w2.weight.mul_(-1)
        moved = {name for name, said in _ask(model)[1].items() if not torch.allclose(said, before[name], atol=1e-6)}
        assert moved == {name for name, last in last_of.items() if number <= last}
        block.load_state_dict(kept)


def test_an_autoencoder_takes_the_outer_layers_of_a_deeper_one() -> None:
    config = replace(VaeConfig(), encoder_channels=(8, 16, 24), decoder_channels=(8, 16, 32))
    deeper = replace(config, encoder_channels=(8, 16, 24, 40), decoder_channels=(8, 16, 32, 48), latent_channels=4)
    own, other = (vae.build(c).state_dict() for c in (config, deeper))
    kept = own["decoder.conv_in.weight"].clone()
    assert not outer_layers(other, own)
    for mine, theirs in (
        ("encoder.conv_in", "encoder.conv_in"),
        ("encoder.down_blocks.1.resnets.0.conv1", "encoder.down_blocks.1.resnets.0.conv1"),
        ("decoder.up_blocks.0.upsamplers.0.conv", "decoder.up_blocks.1.upsamplers.0.conv"),
        ("decoder.up_blocks.2.resnets.1.conv2", "decoder.up_blocks.3.resnets.1.conv2"),
        ("decoder.conv_out", "decoder.conv_out"),
    ):
        assert torch.equal(own[f"{mine}.weight"], other[f"{theirs}.weight"])
    assert torch.equal(own["decoder.conv_in.weight"], kept)
    assert outer_layers(vae.build(config).state_dict(), own)


@pytest.mark.parametrize("told", [0, 1, 4])
def test_a_batch_with_few_or_no_captions_has_a_finite_loss(told: int) -> None:
    """Groups are sorted by length, so now and then all rows of one are the dropped captions."""
    torch.manual_seed(0)
    model = Mini(TINY, Words(torch.randn(40, TINY.text_dim)))
    batch = random_batch(4, [8] * told + [0] * (4 - told))
    total, parts = losses(model, batch, step=0)
    assert torch.isfinite(total)
    assert all((parts[name] > 0) == (told > 0) for name in ("whole", "colours", "frames"))


def test_halves_are_every_other_row_with_less_padding() -> None:
    batch = random_batch(5, [8, 20, 3, 17, 16])
    one, other = halves(batch)
    assert (one.lengths_b.tolist(), other.lengths_b.tolist()) == ([8, 3, 16], [20, 17])
    assert torch.equal(one.ids_bl, batch.ids_bl[::2, -16:])
    assert torch.equal(other.ids_bl, batch.ids_bl[1::2])
    assert torch.equal(one.marks_bl3, batch.marks_bl3[::2, -16:])
    assert torch.equal(other.frames_bn5, batch.frames_bn5[1::2])


def test_a_partner_adds_its_half_of_the_gradient() -> None:
    """The same as one process alone that works out both halves, also after the weights have moved."""
    torch.manual_seed(4)
    model, batch = Mini(TINY, Words(torch.randn(40, TINY.text_dim))), random_batch(4, [8, 8, 5, 0])
    own, other = halves(batch)
    partner = Partner(model, compiled=False)
    try:
        for step in (3, 4):
            wanted = torch.autograd.grad(
                (losses(model, own, step)[0] + losses(model, other, step, part=1)[0]) / 2, list(model.parameters())
            )
            partner.begin(other, step)
            model.zero_grad()
            losses(model, own, step)[0].backward()  # type: ignore[no-untyped-call]
            assert partner.add()["flow"] == pytest.approx(losses(model, other, step, part=1)[1]["flow"], rel=1e-4)
            for p, gradient in zip(model.parameters(), wanted, strict=True):
                assert p.grad is not None
                assert torch.allclose(p.grad, gradient, rtol=1e-3, atol=1e-5)
            with torch.no_grad():
                for p in model.parameters():
                    p.mul_(0.9)
    finally:
        partner.close()


def test_the_two_halves_of_a_step_have_noise_of_their_own() -> None:
    torch.manual_seed(5)
    model, batch = Mini(TINY, Words(torch.randn(40, TINY.text_dim))), random_batch(2, [8, 8])
    flows = [losses(model, batch, step, part)[1]["flow"] for step, part in ((0, 0), (0, 1), (1, 0), (0, 0))]
    assert flows[0] == flows[3]
    assert len(set(flows)) == 3


def test_batches_come_whole_from_the_drawing_process() -> None:
    sent = [
        Batch(torch.randn(2, 60, 48), torch.ones(2, 60, dtype=torch.long), torch.rand(2, 60, 64), torch.rand(2, 60, 3),
              torch.rand(2, 60, 5), torch.randint(0, 40, (2, length)), torch.rand(2, length, 3),
              torch.tensor([length, 0]), torch.tensor([[0, 3], [2, 1]]), (6, 10))
        for length in (8, 16)
    ]  # fmt: skip
    got = unwrap(wrap(sent))
    assert [batch.grid for batch in got] == [(6, 10), (6, 10)]
    for one, other in zip(sent, got, strict=True):
        pairs = [(value, vars(other)[name]) for name, value in vars(one).items() if name != "grid"]
        assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in pairs)


def test_an_error_everywhere_the_same_weighs_as_much_as_it_is_seen() -> None:
    steady, white = torch.full((2, 60, 5), 0.5), torch.randn(64, 64, 48, generator=torch.Generator().manual_seed(0))
    near, whole = smooth(steady, (6, 10))
    assert (near.item(), whole.item()) == (pytest.approx(9 * 0.25), pytest.approx(60 * 0.25))
    assert [part.item() for part in smooth(white, (8, 8))] == [pytest.approx(1, abs=0.1)] * 2


def test_orthogonalise_gives_singular_values_near_one() -> None:
    stack = torch.randn(3, 16, 40, generator=torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals(orthogonalise(stack))
    assert values.min() > 0.5
    assert values.max() < 1.5
    assert torch.linalg.svdvals(orthogonalise(stack.mT)).min() > 0.5


def test_a_word_knows_where_its_letters_are() -> None:
    item = Item("", WHITE, WHITE, False, (14.0, 40.0, 114.0, 80.0), text="TEA", face="")
    pixels, _, scene = PAINTER.paint(Scene(128, 128, Ground("plain", RED, RED, 16.0), (item,)))
    word = scene.items[0]
    lit = pixels[..., 1] > 150
    assert len(word.letters) == 3
    for x0, y0, x1, y1 in word.letters:
        assert lit[round(y0) : round(y1), round(x0) : round(x1)].mean() > 0.2
    ends = [word.letters[0][0], word.letters[-1][2]]
    assert ends == pytest.approx([word.box[0], word.box[2]], abs=1.5)


def test_a_colour_that_is_not_its_names_is_always_given() -> None:
    odd = Colour("red", (160, 60, 90))
    scene = Scene(128, 128, Ground("plain", odd, odd, 16.0), (Item("circle", WHITE, WHITE, False, (9, 9, 99, 99)),))
    for seed in range(20):
        written = captions.structured(scene, np.random.default_rng(seed))
        assert written["style_description"]["color_palette"][0] == "#A03C5A"


def _example(scene: Scene) -> Example:
    """A scene as the trainer keeps it; the latents say which token they belong to."""
    pixels, labels, exact = PAINTER.paint(scene)
    rows, cols = scene.height // TOKEN, scene.width // TOKEN
    latent_rcc = np.stack(np.meshgrid(np.arange(rows), np.arange(cols), indexing="ij"), -1).astype(np.float16)
    return Example(exact, latent_rcc, *data.cells(labels), data.cell_colours(pixels), data.frames(exact))


def test_cells_say_what_lies_in_them() -> None:
    item = Item("square", WHITE, WHITE, False, (32.0, 64.0, 64.0, 96.0))
    example = _example(Scene(160, 112, Ground("plain", RED, RED, 16.0), (item,)))
    inside = np.zeros((112 // TOKEN, 160 // TOKEN), bool)
    inside[64 // TOKEN : 96 // TOKEN, 32 // TOKEN : 64 // TOKEN] = True
    # The figure's outline may touch the cells beside it by a mark, never their middle.
    assert (example.labels_rc[inside] == CLASS_OF["square"]).all()
    assert example.strokes_rcc[inside].mean() > 0.9
    assert example.strokes_rcc[~inside].mean() < 0.02
    white = np.abs(example.colours_rcc - 1.0).max(-1) < 0.15
    assert (white == inside).all()


def test_frames_say_where_in_its_letter_or_figure_a_cell_lies() -> None:
    square = Item("square", WHITE, WHITE, False, (32.0, 64.0, 64.0, 96.0))
    word = Item("", WHITE, WHITE, False, (64.0, 8.0, 124.0, 40.0), text="HI", face="")
    example = _example(Scene(128, 128, Ground("plain", RED, RED, 16.0), (square, word)))
    inside = example.frames_rcc[..., FRAME] == 1
    assert inside[8:12, 4:8].all()
    assert not inside[6:, 9:].any()
    assert example.frames_rcc[9, 4, :FRAME].tolist() == pytest.approx([-0.75, -0.25, 1, 1])
    # Each letter has a frame of its own: its cell.
    h, i = (box for item in example.scene.items for box in item.cells)
    row = int((h[1] + h[3]) / 2 / TOKEN)
    for x0, _, x1, _ in (h, i):
        cell = int((x0 + x1) / 2 / TOKEN)
        across, _, wide, _, told = example.frames_rcc[row, cell].tolist()
        assert told == 1
        assert 4**wide == pytest.approx((x1 - x0) / TOKEN, rel=0.02)
        assert across == pytest.approx(((cell + 0.5) * TOKEN - (x0 + x1) / 2) / (x1 - x0) * 2, abs=0.01)


def test_letters_come_in_three_cases() -> None:
    words = [item.text for seed in range(300) for item in sample(np.random.default_rng((5, seed)), 128, 128, 0.6).items]
    long = [word for word in words if len(word) > 1 and word.isalpha()]
    shares = [np.mean([getattr(word, case)() for word in long]) for case in ("isupper", "islower", "istitle")]
    assert shares == pytest.approx([0.6, 0.22, 0.18], abs=0.06)


def test_training_sees_more_crowds_than_the_measures() -> None:
    def crowded(crowds: float) -> float:
        scenes = [sample(np.random.default_rng((6, seed)), 128, 128, 0.6, crowds) for seed in range(200)]
        return float(np.mean([len(scene.items) >= 3 for scene in scenes]))

    assert crowded(TransformerConfig().crowds) > 1.3 * crowded(0.14)


def test_a_window_is_the_same_part_of_everything() -> None:
    item = Item("star", WHITE, WHITE, False, (20.0, 30.0, 90.0, 100.0))
    example = _example(Scene(128, 128, Ground("plain", RED, RED, 16.0), (item,)))
    window = cut(example, (3, 6), 8)
    assert window.latent_rcc[0, 0].tolist() == [3, 6]
    assert window.latent_rcc[-1, -1].tolist() == [10, 13]
    assert window.scene is example.scene
    for name in ("labels_rc", "strokes_rcc", "colours_rcc", "frames_rcc"):
        assert np.array_equal(getattr(window, name), getattr(example, name)[3:11, 6:14])


def test_windows_stay_inside_and_seek_the_letters() -> None:
    word = Item("", WHITE, WHITE, False, (96.0, 8.0, 150.0, 30.0), text="TEA", face="")
    scene = Scene(160, 96, Ground("plain", RED, RED, 16.0), (word,))
    rng = np.random.default_rng(0)
    corners = np.array([corner(scene, 8, rng) for _ in range(400)])
    assert corners.min() >= 0
    assert corners[:, 0].max() <= 96 // TOKEN - 8
    assert corners[:, 1].max() <= 160 // TOKEN - 8
    middle = np.array([(8 + 30) / 2, (96 + 150) / 2]) / TOKEN
    covered = ((corners <= middle) & (middle < corners + 8)).all(1).mean()
    assert covered > 0.8
    assert len(np.unique(corners, axis=0)) > 20


def test_a_window_keeps_its_places_in_the_picture() -> None:
    lengths_b = torch.tensor([3, 0])
    whole, _ = positions(torch.tensor([3]), 4, (16, 16))
    where, mask = positions(lengths_b, 4, (8, 8), torch.tensor([[2, 5], [0, 8]]))
    grid = whole[0, 4:].view(16, 16, 3)
    assert torch.equal(where[0, 4:].view(8, 8, 3), grid[2:10, 5:13])
    assert torch.equal(where[1, 4:].view(8, 8, 3), grid[0:8, 8:16])
    assert torch.equal(where[0, :4], whole[0, :4])
    assert (where[0, 4:, 0] == IMAGE_OFFSET).all()
    assert (mask[0, 0, 0] == 0).tolist() == [False] + [True] * 67
    assert (mask[1, 0, 0] == 0).tolist() == [False] * 4 + [True] * 64


def test_muon_beside_makes_the_same_updates_one_step_late() -> None:
    gradients = torch.randn(3, 16, 24, generator=torch.Generator().manual_seed(2))
    ends = []
    for beside in (False, True):
        weight = torch.nn.Parameter(torch.zeros(16, 24))
        muon = Muon([weight], lr=0.01, beside=beside)
        track = []
        for gradient in gradients:
            weight.grad = gradient
            muon.step()
            track.append(weight.detach().clone())
        muon.flush()
        ends.append((track, weight.detach()))
    (now, now_end), (late, late_end) = ends
    assert not late[0].any()
    assert torch.allclose(late[1], now[0])
    assert torch.allclose(late[2], now[1])
    assert torch.allclose(late_end, now_end)


def test_batches_follow_from_the_step_windows_first_whole_pictures_last() -> None:
    config = replace(TINY, batch=2, whole_batch=1, whole_share=0.0, native_share=1.0, steps=100)
    encoder, words = vae.build(VaeConfig()), tokenizer.build()
    sources = [Source(config, encoder, words, Path()) for _ in range(2)]
    for source in sources:
        source.painter = PAINTER
    for step, rows, grid in ((0, 2, (8, 8)), (90, 1, (128 // TOKEN, 128 // TOKEN))):
        one, other = (source.batches(step) for source in sources)
        assert [batch.grid for batch in one] == [grid] * 4
        for a, b in zip(one, other, strict=True):
            assert a.latent_bnc.shape == (rows, grid[0] * grid[1], CHANNELS)
            assert torch.equal(a.latent_bnc, b.latent_bnc)
            assert torch.equal(a.ids_bl, b.ids_bl)
            assert torch.equal(a.corners_b2, b.corners_b2)
    assert not sources[0].batches(94)[0].corners_b2.any()
