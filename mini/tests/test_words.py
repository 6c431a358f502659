"""How captions are read while the base trains: letters fall apart, words stay whole, numbers lie on smooth waves."""

from __future__ import annotations

import pytest
import torch
from mini.tests.test_measures import PAINTER
from safetensors.torch import load_file

from linocut.bases import MINI
from pretrain import captions, tokenizer
from pretrain.scene import Colour, Ground, Item, Scene
from pretrain.spelling import Spelling
from pretrain.words import Words, number_waves, own_vectors

TOKENIZER = tokenizer.build()
IDS = TOKENIZER.get_vocab()
WHITE, RED = Colour("white", (255, 255, 255)), Colour("red", (220, 42, 42))


def pieces(text: str) -> list[str]:
    return list(TOKENIZER.convert_ids_to_tokens(TOKENIZER(text)["input_ids"]))


@pytest.mark.parametrize("text", ["TEA", "tea", "sun", "Teapot", "no1!", "42", "don't", "x"])
def test_lettering_falls_into_letters(text: str) -> None:
    scaffolding = ['{"compositional_deconstruction":{"background":"', "plain", "\u0120red",
                   '","elements":[{"type":"text","', 'text":"']  # fmt: skip
    caption = '{"compositional_deconstruction":{"background":"plain red","elements":[{"type":"text","text":"'
    assert pieces(f'{caption}{text}","desc":"white rounded"}}]}}}}') == [
        *scaffolding, *text, '","desc":"', "white", "\u0120rounded", '"}]}}',
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["poster", "flat", "soft", "lettering"])
def test_the_language_of_captions_keeps_its_words(word: str) -> None:
    assert pieces(f'{{"style_description":{{"aesthetics":"{word}","lighting":"even"')[1] == word
    assert pieces(f"a {word}, sans-serif")[1:] == [f"\u0120{word}", ",", "\u0120sans", "-", "serif"]


def test_a_box_is_four_numbers_whatever_they_are() -> None:
    found = pieces('bbox":[7,42,100,1000],"text":"')
    assert found == ['bbox":[', "7", ",", "42", ",", "100", ",", "1000", '],"text":"']


def test_a_table_of_smooth_numbers_is_fitted_exactly() -> None:
    """What training ends with is what the next one begins with, rounded to half precision or not."""
    shipped = load_file(MINI / "text_encoder" / "model.safetensors")["language_model.embed_tokens.weight"].float()
    words = Words.of(TOKENIZER, shipped)
    assert torch.allclose(words.table(), shipped, atol=2e-3)
    again = Words.of(TOKENIZER, words.table().detach())
    assert torch.allclose(again.mix, words.mix, atol=2e-3)


def test_neighbouring_numbers_ship_as_neighbours() -> None:
    shipped = load_file(MINI / "text_encoder" / "model.safetensors")["language_model.embed_tokens.weight"].float()
    table = shipped / shipped.square().mean(1, keepdim=True).sqrt()
    numbers = table[[IDS[str(n)] for n in range(256, 1001)]]
    assert numbers.diff(dim=0).square().mean().sqrt() < 0.3
    assert (numbers[:1] - numbers[-1:]).square().mean().sqrt() > 0.5


def test_a_number_learns_from_its_neighbour_a_word_from_itself() -> None:
    words = Words.of(TOKENIZER, torch.zeros(len(IDS), 8))
    optimiser = torch.optim.SGD(words.parameters(), 0.1)
    words(torch.tensor([IDS["500"], IDS["A"], IDS["7"]])).sum().neg().backward()
    optimiser.step()
    moved = words.table().detach().mean(1)
    near, far = moved[IDS["501"]], moved[IDS["250"]]
    assert near > 0.9 * moved[IDS["500"]] > 0.05
    assert abs(far) < 0.3 * near
    assert moved[IDS["A"]] == pytest.approx(0.1)
    assert moved[IDS["B"]] == 0
    assert moved[IDS["7"]] - moved[IDS["8"]] > 0.09  # a digit is a letter of its own beside a coordinate


def test_waves_and_vectors_of_their_own() -> None:
    waves, own = number_waves(TOKENIZER), own_vectors(TOKENIZER)
    assert waves[IDS["\u0120red"]].abs().sum() == 0
    assert own[IDS["\u0120red"]] == 1
    # Two decimal digits are a coordinate and a byte of a colour.
    assert [bool(part.any()) for part in waves[IDS["42"]].split((64, 32, 32))] == [True, False, True]
    assert [bool(part.any()) for part in waves[IDS["#42"]].split((64, 32, 32))] == [False, True, False]
    assert own[[IDS["42"], IDS["#42"], IDS["500"], IDS["AB"]]].sum() == 0


def test_letters_of_boxed_lettering_know_where_they_stand() -> None:
    """Also those after a lettering without a box, and when a word is written as one element a letter."""

    def word(text: str, box: tuple[float, float, float, float]) -> Item:
        return Item("", WHITE, WHITE, False, box, text=text, face="rounded")

    items = (word("Tea", (10.0, 8.0, 74.0, 40.0)), word("NO", (64.0, 80.0, 120.0, 110.0)))
    _, _, scene = PAINTER.paint(Scene(128, 128, Ground("plain", RED, RED, 16.0), items))
    full = captions.full(scene)
    first, second = full["compositional_deconstruction"]["elements"]
    spelled = [{**second, "text": letter} for letter in second["text"]]
    unboxed = {key: value for key, value in first.items() if key != "bbox"}
    spelling = Spelling(TOKENIZER)
    for elements, letters in (([first, second], "TeaNO"), ([first, *spelled], "TeaNO"), ([unboxed, second], "NO")):
        full["compositional_deconstruction"]["elements"] = elements
        ids = TOKENIZER(tokenizer.wrap(captions.serialise(full)))["input_ids"]
        marks = spelling.marks(ids, scene)
        told = [(TOKENIZER.convert_ids_to_tokens(ids[i]), *marks[i, :2]) for i in range(len(ids)) if marks[i, 2]]
        boxes = [box for item in scene.items for box in item.cells][-len(letters) :]
        assert [letter for letter, *_ in told] == list(letters)
        for (_, middle, wide), (x0, _, x1, _) in zip(told, boxes, strict=True):
            assert (middle * 128, wide * 128) == (pytest.approx((x0 + x1) / 2), pytest.approx(x1 - x0))
