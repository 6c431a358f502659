"""The pretraining's own rules: batches hold what was drawn, and the losses say what they are meant to say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mini.tests.test_measures import PAINTER

from pretrain import captions, data, tokenizer, vae
from pretrain.ahead import unwrap, wrap
from pretrain.config import TransformerConfig, VaeConfig
from pretrain.data import FRAME, STROKES, TOKEN, Batch, Example, Source, corner, cut
from pretrain.draw import CLASS_OF
from pretrain.losses import losses, noise_of, smooth
from pretrain.muon import Muon, orthogonalise
from pretrain.net import IMAGE_OFFSET, Mini, positions
from pretrain.partner import Partner, halves
from pretrain.scene import Colour, Ground, Item, Scene, sample
from pretrain.spelling import MARKS
from pretrain.words import Words

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


def loss_at(model: Mini, batch: Batch, step: int, part: int = 0) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    return losses(model, batch, noise_of(model.config, step, part), step / model.config.steps)


@pytest.mark.parametrize("told", [0, 1, 4])
def test_a_batch_with_few_or_no_captions_has_a_finite_loss(told: int) -> None:
    """Groups are sorted by length, so now and then all rows of one are the dropped captions."""
    torch.manual_seed(0)
    model = Mini(TINY, Words(torch.randn(40, TINY.text_dim)))
    batch = random_batch(4, [8] * told + [0] * (4 - told))
    total, parts = loss_at(model, batch, 0)
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
                (loss_at(model, own, step)[0] + loss_at(model, other, step, 1)[0]) / 2, list(model.parameters())
            )
            partner.begin(other, step)
            model.zero_grad()
            loss_at(model, own, step)[0].backward()  # type: ignore[no-untyped-call]
            assert partner.add()["flow"] == pytest.approx(loss_at(model, other, step, 1)[1]["flow"].item(), rel=1e-4)
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
    flows = [loss_at(model, batch, step, part)[1]["flow"].item() for step, part in ((0, 0), (0, 1), (1, 0), (0, 0))]
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
        if written["compositional_deconstruction"]["background"] not in captions.ART_STYLES:  # or all of it is unsaid
            assert written["style_description"]["color_palette"][0] == "#A03C5A"


def test_now_and_then_a_caption_leaves_the_ground_unsaid() -> None:
    scene = Scene(128, 128, Ground("plain", RED, RED, 16.0), (Item("circle", WHITE, WHITE, False, (9, 9, 99, 99)),))
    written = [captions.structured(scene, np.random.default_rng(seed)) for seed in range(400)]
    grounds = [caption["compositional_deconstruction"]["background"] for caption in written]
    vague = [ground in captions.ART_STYLES for ground in grounds]
    assert np.mean(vague) == pytest.approx(captions.VAGUE, abs=0.04)
    assert all(said or ground == "plain red" for said, ground in zip(vague, grounds, strict=True))


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
    window = cut(example, (3, 6), (4, 8))
    assert window.latent_rcc[0, 0].tolist() == [3, 6]
    assert window.latent_rcc[-1, -1].tolist() == [6, 13]
    assert window.scene is example.scene
    for name in ("labels_rc", "strokes_rcc", "colours_rcc", "frames_rcc"):
        assert np.array_equal(getattr(window, name), getattr(example, name)[3:7, 6:14])


@pytest.mark.parametrize("window", [(8, 8), (4, 16)])
def test_windows_stay_inside_and_seek_the_letters(window: tuple[int, int]) -> None:
    word = Item("", WHITE, WHITE, False, (96.0, 8.0, 150.0, 30.0), text="TEA", face="")
    scene = Scene(160, 96, Ground("plain", RED, RED, 16.0), (word,))
    rng = np.random.default_rng(0)
    corners = np.array([corner(scene, window, rng) for _ in range(400)])
    assert corners.min() >= 0
    assert corners[:, 0].max() <= 96 // TOKEN - window[0]
    assert corners[:, 1].max() <= 160 // TOKEN - window[1]
    middle = np.array([(8 + 30) / 2, (96 + 150) / 2]) / TOKEN
    covered = ((corners <= middle) & (middle < corners + window)).all(1).mean()
    assert covered > 0.8
    assert len(np.unique(corners, axis=0)) > 20


def test_windows_seek_long_words_more_than_letters_and_figures() -> None:
    long = Item("", WHITE, WHITE, False, (4.0, 8.0, 124.0, 24.0), text="GARDEN", face="")
    short = Item("", WHITE, WHITE, False, (40.0, 100.0, 60.0, 120.0), text="A", face="")
    scene = Scene(128, 128, Ground("plain", RED, RED, 16.0), (long, short))
    rng = np.random.default_rng(0)
    rows = np.array([corner(scene, (4, 16), rng)[0] for _ in range(400)])
    over_long, over_short = (rows <= 2).mean(), (rows >= 10).mean()
    assert over_long > 2 * over_short > 0.1


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
    config = replace(TINY, batch=2, whole_batch=1, whole_share=0.0, native_share=1.0, steps=100, whole_from=0.7)
    config = replace(config, windows=((4, 16),))
    encoder, words = vae.build(VaeConfig()), tokenizer.build()
    sources = [Source(config, encoder, words, Path()) for _ in range(2)]
    for source in sources:
        source.painter = PAINTER
    for step, rows, grid in ((0, 2, (4, 16)), (90, 1, (128 // TOKEN, 128 // TOKEN))):
        one, other = (source.batches(step) for source in sources)
        assert [batch.grid for batch in one] == [grid] * 4
        for a, b in zip(one, other, strict=True):
            assert a.latent_bnc.shape == (rows, grid[0] * grid[1], CHANNELS)
            assert torch.equal(a.latent_bnc, b.latent_bnc)
            assert torch.equal(a.ids_bl, b.ids_bl)
            assert torch.equal(a.corners_b2, b.corners_b2)
    assert not sources[0].batches(94)[0].corners_b2.any()
