"""Ways back to a work folder, so that a later day can go on with training: from what ships, or from a paused run.

Half precision is what both hold: the run continues from rounded averaged weights, with fresh optimisers. A paused run
keeps the auxiliary heads and its count. A base with other latents gives what fits: the autoencoder's outer layers, and
the transformer without first and last. One with fewer blocks gets more that change nothing yet.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from pretrain import tokenizer, vae
from pretrain.config import TransformerConfig, VaeConfig
from pretrain.net import TAPS
from pretrain.train import Run, read_header
from pretrain.words import Words

_BLOCK = re.compile(r"(.*\blayers\.)(\d+)(\..*)")
_UP = re.compile(r"(decoder\.up_blocks\.)(\d+)\.")
_PAUSED = "checkpoint.safetensors"
_VAE = "vae.safetensors"
_WEIGHTS = "diffusion_pytorch_model.safetensors"


def narrow(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The inverse of ``export.widen``: thirteen equal taps -> the one that is trained."""
    out = {name: tensor.float() for name, tensor in tensors.items()}
    out["llm_cond_norm.weight"] = out["llm_cond_norm.weight"][::TAPS].clone()
    proj = out["llm_cond_proj.weight"]
    out["llm_cond_proj.weight"] = proj.view(len(proj), -1, TAPS).sum(-1)
    return out


def deepen(tensors: dict[str, torch.Tensor], layers: int) -> dict[str, torch.Tensor]:
    """The same function with more blocks: new ones before the last are copies of the one before it, with shut gates.

    A network of `layers` blocks or more stays as it is. Gates are a modulation's second and fourth quarter.
    """
    places = {name: match for name in tensors if (match := _BLOCK.fullmatch(name))}
    more = layers - 1 - max(int(match[2]) for match in places.values())
    if more <= 0:
        return tensors
    last = layers - 1 - more
    out = {name: tensor for name, tensor in tensors.items() if name not in places}
    for name, match in places.items():
        number = int(match[2])
        out[f"{match[1]}{number + more if number == last else number}{match[3]}"] = tensors[name]
        for new in range(last, layers - 1) if number == last - 1 else ():
            copy = tensors[name].clone()
            if ".adaln_modulation." in name:
                quarters = copy.view(4, -1)
                quarters[1], quarters[3] = 0.0, 0.0
            out[f"{match[1]}{new}{match[3]}"] = copy
    return out


def pause(work: Path, out: Path) -> None:
    """Write one small file to the folder ``out``: the autoencoder and the averaged weights, fp16."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = {f"vae.{name}": tensor for name, tensor in load_file(work / _VAE).items()}
    run = work / "transformer.safetensors"
    tensors |= {name: tensor for name, tensor in load_file(run).items() if name.startswith("ema.")}
    halved = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    save_file(halved, out / _PAUSED, metadata=read_header(run))


def go_on(base: Path, work: Path, config: TransformerConfig) -> None:
    """Write ``vae.safetensors`` and ``transformer.safetensors`` to ``work`` from a paused run or an exported base."""
    work.mkdir(parents=True, exist_ok=True)
    if not (base / _PAUSED).exists():
        load_shipped(base, work, config)
        return
    tensors = {k: v.float() if v.is_floating_point() else v for k, v in load_file(base / _PAUSED).items()}
    save_file({k.removeprefix("vae."): v for k, v in tensors.items() if k.startswith("vae.")}, work / _VAE)
    tensors = deepen(tensors, config.layers)
    words = tokenizer.build()
    run = Run(config, Words.of(words, tokenizer.initial_embedding(words, config.text_dim, config.seed)))
    with torch.no_grad():
        for name, p in run.model.named_parameters():
            kept = tensors.get(f"ema.{name}", p[:0])
            p[: len(kept)].copy_(kept)  # heads and tokens that came later keep their beginning
            run.ema[name].copy_(p)
    header = read_header(base / _PAUSED)
    run.step, run.seen = int(header["step"]), int(header["seen"])
    run.begun = run.step
    run.save(work / "transformer.safetensors")


def load_shipped(base: Path, work: Path, config: TransformerConfig) -> None:
    """Write ``vae.safetensors`` and ``transformer.safetensors`` to ``work`` from the exported pipeline in ``base``."""
    work.mkdir(parents=True, exist_ok=True)
    own = vae.build(VaeConfig())
    whole = outer_layers(load_file(base / "vae" / _WEIGHTS), own.state_dict())
    save_file({name: tensor.contiguous() for name, tensor in own.state_dict().items()}, work / _VAE)
    run = start_from(base, config)
    if whole:
        record = json.loads((base / "training.json").read_text("utf-8"))
        run.step, run.seen = record["steps"], record["images"]
        run.begun = run.step
    run.save(work / "transformer.safetensors")


def outer_layers(shipped: dict[str, torch.Tensor], own: dict[str, torch.Tensor]) -> bool:
    """Fill an autoencoder's weights from another's, in place; whether all were there.

    Of one with more stages the layers nearest the pixels are taken: decoders count their stages from the inside.
    """
    more = _stages(shipped) - _stages(own)
    found = 0
    for name, tensor in own.items():
        there = _UP.sub(lambda match: f"{match[1]}{int(match[2]) + more}.", name)
        if there in shipped and shipped[there].shape == tensor.shape:
            tensor.copy_(shipped[there])
            found += 1
    return found == len(own)


def _stages(weights: dict[str, torch.Tensor]) -> int:
    return len({match[2] for name in weights if (match := _UP.match(name))})


def start_from(base: Path, config: TransformerConfig) -> Run:
    """A run whose weights are the shipped ones, except layers of another shape (first and last, for other latents)."""
    words, text = tokenizer.build(), load_file(base / "text_encoder" / "model.safetensors")
    [name] = [name for name in text if name.endswith("embed_tokens.weight")]
    table = tokenizer.initial_embedding(words, config.text_dim, config.seed)
    table[: len(text[name])] = text[name].float()  # tokens that came later keep their beginning
    run = Run(config, Words.of(words, table))
    own = run.model.transformer.state_dict()
    shipped = deepen(narrow(load_file(base / "transformer" / _WEIGHTS)), config.layers)
    with torch.no_grad():
        for name, tensor in shipped.items():
            if own[name].shape == tensor.shape:
                own[name].copy_(tensor)
        for name, p in run.model.named_parameters():
            run.ema[name].copy_(p)
    return run
