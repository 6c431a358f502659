"""A run goes on from what ships or from a paused one, also with more blocks, and ships what it trained."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import torch
from mini.tests.test_pretraining import CHANNELS, TINY, fresh_words
from safetensors.torch import load_file, save_file

from linocut.bases import MINI, load_base
from pretrain import vae
from pretrain.config import TransformerConfig, VaeConfig
from pretrain.export import export, wall_seconds, widen
from pretrain.net import HEADS, Mini
from pretrain.shipped import deepen, go_on, load_shipped, outer_layers, pause
from pretrain.train import Run, averaged, read_header
from pretrain.words import Words


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
    assert told["data_seeds"] == {
        "autoencoder": VaeConfig().seed,
        "mend": VaeConfig().drawn_seed,
        "transformer": config.seed,
    }
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
