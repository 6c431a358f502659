"""The writer: the library's ``Qwen3ForCausalLM`` at tiny size, taught to answer texts with captions.

Legend: _bl = batch, token; t = tokens of answers; v = vocabulary.
"""

from __future__ import annotations

import torch
from torch.nn import functional
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from pretrain import tokenizer
from pretrain.config import WriterConfig

EMBEDDED = 0.06
"""Size of the vectors of tokens at first, of the tokenizer's own."""
NEAR = 4.0
"""Thousandths by which a number of a box may be off and still be half right."""


def build(config: WriterConfig, words: PreTrainedTokenizerFast) -> Qwen3ForCausalLM:
    """A fresh network."""
    torch.manual_seed(config.seed)
    stop, start = words.convert_tokens_to_ids([tokenizer.SPECIAL[0], tokenizer.SPECIAL[1]])
    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(words), hidden_size=config.width, intermediate_size=config.mlp,
            num_hidden_layers=config.layers, num_attention_heads=config.heads, num_key_value_heads=config.kv_heads,
            head_dim=config.width // config.heads, max_position_embeddings=1024, tie_word_embeddings=True,
            bos_token_id=start, eos_token_id=stop, pad_token_id=stop,
        )
    )  # fmt: skip
    with torch.no_grad():
        table = tokenizer.initial_embedding(words, config.width, config.seed)
        model.model.embed_tokens.weight.copy_(table * EMBEDDED)
    return model


def question(words: PreTrainedTokenizerFast, text: str) -> list[int]:
    """The tokens before an answer."""
    return list(words(f"{tokenizer.SPECIAL[1]}{text}{tokenizer.SPECIAL[2]}")["input_ids"])


@torch.no_grad()
def write(model: Qwen3ForCausalLM, words: PreTrainedTokenizerFast, text: str, longest: int = 280) -> str:
    """The likeliest answer, token by token; at most so many."""
    ids_bl = torch.tensor([question(words, text)])
    out = model.generate(
        ids_bl, attention_mask=torch.ones_like(ids_bl), max_new_tokens=longest, do_sample=False, use_cache=True
    )
    return str(words.decode(out[0, ids_bl.shape[1] :], skip_special_tokens=True))


def soft_targets(words: PreTrainedTokenizerFast) -> torch.Tensor:
    """vocab x vocab: of a number of a box also its neighbours are right, the further the less."""
    out = torch.eye(len(words))
    numbers = [(index, int(token)) for token, index in words.get_vocab().items()
               if token.isdigit() and len(token) > 2 and int(token) <= 1000]  # fmt: skip
    ids = torch.tensor([index for index, _ in numbers])
    values = torch.tensor([float(value) for _, value in numbers])
    near = torch.exp(-((values[:, None] - values) ** 2) / (2 * NEAR**2))
    out[ids[:, None], ids] = near / near.sum(1, keepdim=True)
    return out


def loss_of(
    model: Qwen3ForCausalLM, ids_bl: torch.Tensor, answers_bl: torch.Tensor, soft_vv: torch.Tensor
) -> torch.Tensor:
    """Mean cross entropy of the answers' tokens to the soft targets; see ``lessons.batch``."""
    states_bld = model.model(input_ids=ids_bl, use_cache=False).last_hidden_state
    following_t = ids_bl[:, 1:][answers_bl[:, :-1]]
    logits_tv = model.lm_head(states_bld[:, :-1][answers_bl[:, :-1]])
    return -(soft_vv[following_t] * functional.log_softmax(logits_tv, -1)).sum(-1).mean()
