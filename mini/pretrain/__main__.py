"""`python -m pretrain STAGE`; mini/README.md tells the whole run."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import linocut

MINI = Path(linocut.__file__).parent / "mini"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m pretrain", description=__doc__)
    stages = ("tokenizer", "import", "vae", "mend", "transformer", "reader", "writer", "pause", "export", "sheet")
    parser.add_argument("stage", choices=stages)
    parser.add_argument("--work", type=Path, default=Path("mini-train"), help="folder for checkpoints and logs")
    parser.add_argument("--fonts", type=Path, help="folder that the font packages were installed into")
    parser.add_argument("--out", type=Path, help="where pause, export and sheet write to")
    parser.add_argument("--base", type=Path, default=MINI, help="import: exported folder or paused run")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --work")
    parser.add_argument("--decoder-only", action="store_true", help="vae: sharpen the decoder, leave the latents")
    parser.add_argument("--keep-latents", action="store_true", help="vae: learn fine patterns, keep other latents")
    parser.add_argument("--mirror-rims", action="store_true", help="vae: unmark the encoder's rims, leave the rest")
    parser.add_argument("--compile", action="store_true", help="transformer: compile the block; needs a C++ compiler")
    parser.add_argument("--device", help="transformer: train there (cuda) and not on two CPU cores")
    parser.add_argument("--drawers", type=int, help="with --device: how many processes draw pictures; 15")
    parser.add_argument("--batch", type=int, help="with --device: pictures a step")
    parser.add_argument(
        "--seconds", type=float, help="length of a run: of CPU (vae, mend), of clock (reader, writer, --device)"
    )
    parser.add_argument("--steps", type=int, help="transformer: total steps of the run")
    args = parser.parse_args()
    if args.keep_latents and (not args.resume or args.decoder_only or args.mirror_rims):
        parser.error("--keep-latents needs --resume, and neither --decoder-only nor --mirror-rims beside it")
    others = (args.resume, args.compile, args.steps, args.decoder_only, args.keep_latents, args.mirror_rims)
    if args.stage in ("reader", "writer") and any(others):
        parser.error(f"the stage {args.stage} begins anew each time and takes --work, --fonts and --seconds alone")
    on_device = args.stage == "transformer" and args.device is not None
    if (args.device or args.drawers or args.batch) and not on_device:
        parser.error("--device belongs to the stage transformer, --drawers and --batch to --device")
    if on_device and args.steps is not None:
        parser.error("with --device a run's length is --seconds, not --steps")
    if args.stage == "transformer" and args.seconds is not None and not on_device:
        parser.error("a run of the transformer has --steps; --seconds is for one with --device")
    fonts = args.fonts or args.work / "fonts"
    if args.stage in ("vae", "mend"):
        from pretrain import mend, vae
        from pretrain.config import VaeConfig

        config = VaeConfig() if args.seconds is None else replace(VaeConfig(), seconds=args.seconds)
        if args.stage == "mend":
            mend.mend(config, args.work, fonts)
        elif args.mirror_rims:
            vae.mirror_rims(config, args.work, fonts)
        else:
            vae.train(config, args.work, fonts, args.resume, args.decoder_only, args.keep_latents)
    elif args.stage in ("reader", "writer"):
        _captions(args, fonts)
    elif args.stage == "tokenizer":
        from pretrain import tokenizer

        tokenizer.save(args.out or args.work / "tokenizer")
    else:
        _transformer(args, fonts)


def _captions(args: argparse.Namespace, fonts: Path) -> None:
    from pretrain.captioner import read_train, write_train
    from pretrain.config import ReaderConfig, WriterConfig

    length = {} if args.seconds is None else {"seconds": args.seconds}
    if args.stage == "reader":
        read_train.train(replace(ReaderConfig(), **length), args.work, fonts)
    else:
        write_train.train(replace(WriterConfig(), **length), args.work, fonts)


def _gpu(args: argparse.Namespace, fonts: Path) -> None:
    from pretrain import gpu
    from pretrain.config import GpuConfig

    given = {"seconds": args.seconds, "whole_batch": args.batch}
    config = replace(GpuConfig(), **{name: value for name, value in given.items() if value is not None})
    gpu.train(config, args.work, fonts, args.resume, args.drawers or 15, args.device, args.compile)


def _transformer(args: argparse.Namespace, fonts: Path) -> None:
    from pretrain.config import TransformerConfig

    if args.stage == "transformer" and args.device:
        _gpu(args, fonts)
        return
    config = TransformerConfig() if args.steps is None else replace(TransformerConfig(), steps=args.steps)
    if args.stage == "transformer":
        from pretrain.train import train

        train(config, args.work, fonts, args.resume, args.compile)
    elif args.stage == "import":
        from pretrain.shipped import go_on

        go_on(args.base, args.work, config)
    elif args.stage == "pause":
        from pretrain.shipped import pause

        pause(args.work, args.out)
    elif args.stage == "export":
        from pretrain.export import export

        export(args.work, args.out, config)
    else:
        from pretrain.sheet import measure

        measure(args.work, fonts, args.out or args.work, config)


if __name__ == "__main__":
    main()
