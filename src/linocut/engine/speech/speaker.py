"""A base's language model as one that writes: text in, the next token out, a chunk or a token at a time.

Shapes: T tokens of a chunk, F features, V words of the head.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor
from transformers import DynamicCache

from linocut.bases.speech import Head
from linocut.engine.families.parts.voice import Voice
from linocut.engine.speech.grammar import Limits, Pen, caption_schema
from linocut.engine.tools.chat import Message
from linocut.errors import InvalidRequest, RunFailed

FRAME = "<|im_start|>{role}\n{content}<|im_end|>\n"
ASSISTANT = "<|im_start|>assistant\n"
"""How a tokenizer without a template of its own is asked (ChatML, which the Qwen models were taught)."""


@dataclass(eq=False)
class Memory:
    """What a text under way has left in the model: the keys and values of all that was read so far."""

    cache: Any
    tokens: int = field(default=0)


class Speaker:
    """``name``: what answers call it; ``most_tokens`` and ``seconds``: the most that one caption takes;
    ``limits``: of the parts of a caption. ``InvalidRequest`` for a tokenizer that cannot be held to a grammar."""

    def __init__(
        self, voice: Voice, head_VF: Tensor, name: str, most_tokens: int, seconds: float, limits: Limits | None = None
    ) -> None:
        import llguidance.hf  # late, as in grammar.py

        self.name, self.most_tokens, self.seconds = name, most_tokens, seconds
        self._voice, self._head_VF, self._limits = voice, head_VF, limits or Limits()
        try:
            self._tokens = llguidance.hf.from_tokenizer(voice.tokenizer)
        except ValueError as cause:
            raise InvalidRequest(
                "LINOCUT_WRITER is 'base', and the base's tokenizer cannot be held to a grammar. Set LINOCUT_WRITER to "
                "grammar or endpoint (docs/writers.md)."
            ) from cause

    def pen(self, *, with_ratio: bool) -> Pen:
        """A pen for one caption."""
        return Pen(self._tokens, caption_schema(self._limits, with_ratio=with_ratio))

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """What the model is to answer, as tokens."""
        tokenizer = self._voice.tokenizer
        if tokenizer.chat_template:
            text = tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        else:
            text = "".join(FRAME.format(**message) for message in messages) + ASSISTANT
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    def text(self, tokens: list[int]) -> str:
        """What tokens say."""
        return str(self._voice.tokenizer.decode(tokens, clean_up_tokenization_spaces=False))

    def memory(self) -> Memory:
        """An empty one."""
        return Memory(DynamicCache(config=self._voice.body.config))

    def read(self, ids: tuple[int, ...], memory: Memory) -> Tensor:
        """``ids`` after what is in ``memory``, which grows by them -> the features ``[F]`` of the last one."""
        ids_1T = torch.tensor([ids], device=self._voice.body.device)
        found = self._voice.body(input_ids=ids_1T, past_key_values=memory.cache, use_cache=True)
        memory.tokens += len(ids)
        last_F: Tensor = found.last_hidden_state[0, -1]
        return last_F

    def choose(self, features_F: Tensor, allowed: bytes) -> int:
        """The likeliest word of those that are allowed. ``RunFailed`` where the model's answer is no number."""
        head_VF = self._head_VF
        scores_V = (head_VF @ features_F.to(head_VF.device, head_VF.dtype)).float().cpu()
        bits = np.unpackbits(np.frombuffer(allowed, np.uint8), bitorder="little")[: len(scores_V)]
        allowed_V = torch.from_numpy(bits.astype(bool))
        scores_V = scores_V[: len(bits)]
        if not bool(torch.isfinite(scores_V[allowed_V]).all()):
            raise RunFailed("The base's language model gave no finite number.")
        return int(scores_V.masked_fill(~allowed_V, -torch.inf).argmax())


def head_of_voice(voice: Voice, head: Head, on: torch.device, precision: torch.dtype) -> Tensor:
    """The head's weights ``[V, F]``: the table of words, the module's own, or read from their file now. A table that
    stays at home on the host is used there."""
    if head.shard is None:
        table: Tensor = voice.body.get_input_embeddings().weight
        return table
    if voice.head is not None and not head.beside_bytes:
        inside: Tensor = voice.head.weight
        return inside
    with safe_open(str(head.shard), framework="pt") as file:
        read_VF: Tensor = file.get_tensor(head.tensor)
    return read_VF.to(on, precision)
