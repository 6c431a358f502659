"""What a pass may hold: counted on a CPU, tried again in parts, and given back when it fails."""

from collections.abc import Sequence
from pathlib import Path
from weakref import ref

import pytest
import torch
from tests.engine.engine_orders import base, generate_order, no_blobs, run_to_the_end
from tests.engine.engine_support import CPU, GRID, denoise
from tests.engine.training_support import CHANNELS, StandIn
from torch import Tensor

from linocut.engine.executor import Broken, Done, Executor
from linocut.engine.families.items import Grid
from linocut.engine.families.parts.tiles import OVERLAP, tiled
from linocut.engine.memory import MIB
from linocut.engine.pass_memory import CountedPass, watch_passes
from linocut.engine.resident import engine_over
from linocut.engine.units import DecodeLatents, Denoise
from linocut.engine.work import OutOfMemory
from linocut.errors import NotReady, TooLarge
from linocut.orders import Failed

KIB = 1024


def test_a_pass_is_counted_by_what_is_alive() -> None:
    with CountedPass(10 * KIB):
        for _ in range(100):
            torch.ones(KIB)  # 4 KiB each, gone at once
        kept = [torch.ones(KIB), torch.ones(KIB)]
        kept[0].add_(1.0)
        kept[0].view(2, -1).t()  # a view holds nothing of its own
        with pytest.raises(torch.OutOfMemoryError):
            kept.append(torch.ones(KIB))


def test_what_came_from_outside_is_not_the_passs() -> None:
    outside = torch.ones(100 * KIB)
    with CountedPass(KIB):
        outside.mul_(2.0)
        assert outside[:10].view(5, 2).shape == (5, 2)


def test_a_backward_pass_counts_too() -> None:
    weight = torch.ones(8 * KIB, requires_grad=True)

    def forward() -> Tensor:
        return weight.exp().square().sum()  # 64 KiB at its most, of which 32 are kept for the backward pass

    with CountedPass(80 * KIB):
        loss = forward()
        with pytest.raises(torch.OutOfMemoryError):
            loss.backward()  # type: ignore[no-untyped-call]
    with CountedPass(400 * KIB):
        forward().backward()  # type: ignore[no-untyped-call]


def test_no_limit_watches_nothing() -> None:
    with watch_passes(CPU, 0)():
        torch.ones(KIB)
    assert isinstance(watch_passes(CPU, 5)(), CountedPass)


class Room(StandIn):
    """A base with room for ``most`` pictures at a time, each of ``pixels`` at most when decoded."""

    def __init__(self, most: int = 99, tiles: int = 1) -> None:
        super().__init__()
        self.most, self.tiles = most, tiles
        self.released = 0
        self.asked: list[int] = []

    def velocity(self, items: Sequence[Denoise]) -> list[Tensor]:
        self.asked.append(len(items))
        if len(items) > self.most:
            raise torch.OutOfMemoryError
        return super().velocity(items)

    def decode(self, latents_NC: Sequence[Tensor], grids: Sequence[Grid], *, tiles: int = 1) -> list[Tensor]:
        self.asked.append(tiles)
        if tiles < self.tiles:
            raise torch.OutOfMemoryError
        return super().decode(latents_NC, grids)

    def release(self) -> None:
        self.released += 1


def test_a_batch_without_room_is_run_in_halves() -> None:
    family = Room(most=2)
    units = [denoise(value / 10) for value in range(7)]
    outcomes = Executor(family, CPU).run(units)
    assert family.asked == [7, 4, 2, 2, 3, 2, 1]
    assert family.released == 3
    alone = [Executor(StandIn(), CPU).run([unit])[0] for unit in units]
    for outcome, lonely in zip(outcomes, alone, strict=True):
        assert isinstance(outcome, Done)
        assert isinstance(lonely, Done)
        assert torch.equal(outcome.result, lonely.result)


def test_alone_it_is_tried_once_more_and_then_told() -> None:
    family = Room(most=0)
    [outcome] = Executor(family, CPU).run([denoise()])
    assert isinstance(outcome, Broken)
    assert isinstance(outcome.error, OutOfMemory)
    assert (family.asked, family.released) == ([1, 1], 2)


@pytest.mark.parametrize(("tiles", "asked"), [(2, [1, 1, 2]), (4, [1, 1, 2, 4]), (8, [1, 1, 2, 4])])
def test_a_picture_without_room_is_decoded_in_tiles(tiles: int, asked: list[int]) -> None:
    family = Room(tiles=tiles)
    [outcome] = Executor(family, CPU).run([DecodeLatents(torch.zeros(4, CHANNELS), GRID)])
    assert family.asked == asked
    assert isinstance(outcome, Done if tiles <= 4 else Broken)


def test_nothing_of_a_failed_pass_is_alive_when_it_is_tried_again() -> None:
    """A traceback would hold the frames and with them every tensor of the pass that had no room."""
    made: list[ref[Tensor]] = []
    alive: list[bool] = []

    class Holding(StandIn):
        def velocity(self, items: Sequence[Denoise]) -> list[Tensor]:
            alive.append(any(one() is not None for one in made))
            activations = torch.ones(KIB)
            made.append(ref(activations))
            raise torch.OutOfMemoryError

    Executor(Holding(), CPU).run([denoise(0.1), denoise(0.2), denoise(0.3)])
    assert len(made) == 8
    assert not any(alive)


def doubled(latents_1Khw: Tensor) -> Tensor:
    return latents_1Khw.repeat_interleave(8, 2).repeat_interleave(8, 3)


@pytest.mark.parametrize("size", [(5, 5), (16, 40), (33, 18), (3, 64)])
@pytest.mark.parametrize("tiles", [1, 2, 4])
def test_tiles_join_to_the_whole(size: tuple[int, int], tiles: int) -> None:
    """Exactly, for a decoder that looks at nothing but the place itself; each tile is smaller than the whole."""
    latents_1Khw = torch.randn((1, 2, *size), generator=torch.Generator().manual_seed(1))
    seen: list[int] = []

    def decode(piece: Tensor) -> Tensor:
        seen.append(piece.shape[2] * piece.shape[3])
        return doubled(piece)

    torch.testing.assert_close(tiled(decode, latents_1Khw, tiles), doubled(latents_1Khw))
    most = (-(-size[0] // tiles) + OVERLAP) * (-(-size[1] // tiles) + OVERLAP)
    assert max(seen) <= most
    assert len(seen) <= tiles**2


def test_the_setting_limits_what_orders_hold() -> None:
    engine = engine_over(base(), StandIn(), CPU, MIB, 8 * MIB)
    engine.admit("small", generate_order(), no_blobs, Path())
    engine.admit("huge", generate_order(seeds=tuple(range(300)), output_width=64, output_height=48), no_blobs, Path())
    events = run_to_the_end(engine)
    [huge] = [event for event in events if isinstance(event, Failed)]
    assert huge.key == "huge"
    assert isinstance(huge.error, TooLarge)
    assert "this engine has 2 MiB" in huge.error.message
    engine.close()


def test_a_limit_that_no_pass_fits_is_told_at_the_start() -> None:
    with pytest.raises(NotReady, match="LINOCUT_ENGINE_MEMORY_MIB"):
        engine_over(base(), StandIn(), CPU, MIB, 16)
