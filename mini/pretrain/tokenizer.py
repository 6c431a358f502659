"""The tokenizer: byte-level BPE with hand-laid merges, so that captions are short and every text still passes.

One token each: JSON scaffolding, integers 0..1000, the red byte of a colour with its hash, every pair of hexadecimal
digits, every capital letter alone, every word of the lexicon with its leading blank. All else falls back to bytes.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from linocut.prompting.lexicon import COLOURS, FACES, OBJECTS, SHAPES
from pretrain import captions
from pretrain.config import SIZES, VaeConfig
from pretrain.scene import GROUNDS

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
SCAFFOLDING = (
    '{"high_level_description":"', '{"style_description":{"aesthetics":"',
    '","style_description":{"aesthetics":"', '","lighting":"', '","medium":"', '","art_style":"', '","photo":"',
    '","color_palette":["', '"]},"compositional_deconstruction":{"background":"',
    '"},"compositional_deconstruction":{"background":"', '","compositional_deconstruction":{"background":"',
    '{"compositional_deconstruction":{"background":"', '","elements":[]}}', '","elements":[{"type":"obj","',
    '","elements":[{"type":"text","', '"]},{"type":"obj","', '"]},{"type":"text","', '"},{"type":"obj","',
    '"},{"type":"text","', 'bbox":[', '],"text":"', '],"desc":"', 'text":"', '","desc":"', 'desc":"', '"]}]}}',
    '"}]}}', '","',
)  # fmt: skip
RULER = tuple(f"<|{i}|>" for i in range(max(map(max, SIZES)) // VaeConfig().token))
"""Stands before every caption. The network knows places only relative to each other, and a text's tokens count from its
first one: beside tokens that say their own number an image token can tell its row and its column."""
CHAT_TEMPLATE = (
    f"{{% for message in messages %}}{{{{ '<|im_start|>{''.join(RULER)}' }}}}"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}"
    "{% endif %}{{ '<|im_end|>' }}{% endfor %}"
)
HEX = "0123456789ABCDEF"
PAIRS = [a + b for a in HEX for b in HEX]
_OTHER_WORD_LIST = """
a an and the with of in on at to word letter letters nothing poster card logo sign picture image drawing flat simple
plain background title text top bottom left right center middle upper lower corner large small big tiny two three
dark light bright graphic_design illustration photograph painting clean soft white-on tea brand style print pattern
texture frame framed double colorful vintage retro modern minimal hand drawn paper round capital caps lettering font
green-and
"""
OTHER_WORDS = tuple(_OTHER_WORD_LIST.split())


def lexicon_words() -> list[str]:
    phrases = [*COLOURS, *SHAPES, *OBJECTS, *FACES, *GROUNDS, "tilted", "outlined", "border", "to",
               *captions.AESTHETICS, *captions.LIGHTING, *captions.ART_STYLES, *OTHER_WORDS]  # fmt: skip
    return sorted({word for phrase in phrases for word in re.findall(r"[a-z]+", phrase)})


def _byte_letters() -> dict[int, str]:
    """The printable stand-in of each byte that byte-level BPE uses."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {b: chr(b) for b in kept}
    spare = (b for b in range(256) if b not in table)
    table.update({b: chr(256 + i) for i, b in enumerate(spare)})
    return table


class _Merges:
    """Collects merges so that each wanted string comes out as one token."""

    def __init__(self, alphabet: list[str]) -> None:
        self.vocab = {token: index for index, token in enumerate(alphabet)}
        self.merges: list[tuple[str, str]] = []

    def join(self, left: str, right: str) -> str:
        if left + right not in self.vocab:
            self.vocab[left + right] = len(self.vocab)
            self.merges.append((left, right))
        return left + right

    def chain(self, text: str) -> None:
        built = text[0]
        for letter in text[1:]:
            built = self.join(built, letter)


def build() -> PreTrainedTokenizerFast:
    letters = _byte_letters()
    merges = _Merges([letters[b] for b in range(256)])
    for pair in PAIRS:
        merges.chain(pair)
    for pair in PAIRS:
        merges.join("#", pair)
    for number in range(100, 1000):
        merges.join(str(number)[:2], str(number)[2:])
    merges.join("100", "0")
    for word in lexicon_words():
        merges.chain("\u0120" + word)
        merges.chain(word)
    core = Tokenizer(models.BPE(vocab=merges.vocab, merges=merges.merges, ignore_merges=True))
    # Colours fall into #RR, GG, BB; numbers stay whole up to four digits; each capital stands alone.
    # What is lettered is one word between two pieces of scaffolding and falls into letters; words of styles do not.
    known = "|".join(sorted({*captions.AESTHETICS, *captions.LIGHTING, *captions.ART_STYLES, "lettering"}))
    lettered = rf"\A(?:{known})\z|(?<![-_ ,])[a-z0-9](?=[A-Za-z0-9!?&.'-]*\z)"
    hexes = r"#[0-9A-F]{2}(?=[0-9A-F]{4})|(?<=#[0-9A-F]{2})[0-9A-F]{2}|(?<=#[0-9A-F]{4})[0-9A-F]{2}"
    pattern = hexes + "|" + lettered + r"|[0-9]{1,4}|[A-Z]| ?[a-z]+|\s|[^\sA-Za-z0-9]"
    core.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(list(SPECIAL))
    core.add_tokens(list(SCAFFOLDING))
    core.add_special_tokens(list(RULER))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token=SPECIAL[0], eos_token=SPECIAL[2], bos_token=SPECIAL[1],
        model_max_length=2048, clean_up_tokenization_spaces=False,
    )  # fmt: skip
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def wrap(text: str) -> str:
    """What the chat template makes of one user turn."""
    return SPECIAL[1] + "".join(RULER) + text + SPECIAL[2]


def initial_embedding(tokenizer: PreTrainedTokenizerFast, width: int, seed: int) -> torch.Tensor:
    """vocab x width. Numbers, bytes and ruler start as smooth waves of their value, so that neighbours start alike."""
    rng = np.random.default_rng(seed)
    table = rng.normal(0, 1.0, (len(tokenizer), width))
    half = width // 2
    for token, index in tokenizer.get_vocab().items():
        if re.fullmatch(r"[0-9]{1,4}", token) and int(token) <= 1000:
            table[index, :half] = _waves(int(token) / 1000, half)
            table[index, half:] *= 0.3
        if re.fullmatch(r"#?[0-9A-F]{2}", token):
            table[index, half:] = _waves(int(token.removeprefix("#"), 16) / 255, width - half)
            if token[0] == "#" or not token.isdigit():
                table[index, :half] *= 0.3
    for index, token in enumerate(RULER):
        table[tokenizer.get_vocab()[token]] = _waves(index / len(RULER), width)
    return torch.from_numpy(table).float()


def _waves(value: float, width: int) -> np.ndarray:
    turns = np.pi * value * 2.0 ** (np.arange(width // 2) * 6.0 / (width // 2) - 1.0)
    return np.concatenate([np.sin(turns), np.cos(turns)]) * 1.3


def save(folder: Path) -> PreTrainedTokenizerFast:
    tokenizer = build()
    tokenizer.save_pretrained(str(folder))
    return tokenizer
