"""Admission by bytes: what orders weigh, whose turn it is, and what a base must show before it serves."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.engine_orders import base, generate_order, train_order
from tests.engine.engine_support import CPU, stand_in_engine
from tests.engine.training_support import StandIn
from torch import Tensor

from linocut.engine.families.items import Text
from linocut.engine.memory import Footprint, Pool
from linocut.engine.resident import free_bytes
from linocut.engine.text_cache import TextCache
from linocut.engine.units import Denoise
from linocut.errors import NotReady, TooLarge
from linocut.orders import AdapterRef, PictureRef

FOOTPRINT = Footprint(latent_bytes_per_pixel=0.75, text_bytes_per_token=3328, lora_features=30_000, on_host=True)


def test_an_order_weighs_more_the_more_it_asks_for() -> None:
    small = FOOTPRINT.of_images(generate_order())
    assert FOOTPRINT.of_images(generate_order(seeds=(1, 2, 3))) > small
    assert FOOTPRINT.of_images(generate_order(output_width=1000)) > small
    assert FOOTPRINT.of_images(generate_order(caption="a red boat " * 50)) > small
    assert FOOTPRINT.of_images(generate_order(adapter=AdapterRef(sha256="0" * 64, size_bytes=1000))) == small + 1000
    run = train_order({})
    assert FOOTPRINT.of_run(train_order({}, rank=4)) - FOOTPRINT.of_run(run) == 14 * 4 * 2 * 30_000
    assert FOOTPRINT.of_run(run) > 14 * 4 * 2 * 30_000


def test_no_more_pictures_are_looked_at_than_planned() -> None:
    refs = [PictureRef(sha256=f"{n:064}", width=64, height=64) for n in range(4)]
    planned = replace(FOOTPRINT, references=3)
    assert planned.of_images(generate_order(references=tuple(refs[:3]))) > 0
    assert FOOTPRINT.of_images(generate_order(references=tuple(refs))) > 0, "nobody planned"
    with pytest.raises(TooLarge, match=r"room for 3 reference pictures at once, and 4 were sent. Send fewer"):
        planned.of_images(generate_order(references=tuple(refs)))


def test_beside_a_gpu_a_runs_samples_are_not_counted() -> None:
    on_gpu = Footprint(latent_bytes_per_pixel=0.75, text_bytes_per_token=3328, lora_features=30_000, on_host=False)
    assert on_gpu.of_run(train_order({})) == 7 * 4 * 2 * 30_000


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 100)), max_size=30),
    st.lists(st.integers(0, 29), max_size=60),
)
def test_a_pool_never_holds_more_than_its_budget_and_everyone_starts(
    orders: list[tuple[str, int]], ends: list[int]
) -> None:
    pool = Pool(100)
    sizes = {f"o{n}": size for n, (_, size) in enumerate(orders)}
    running: list[str] = []
    started: set[str] = set()

    def start() -> None:
        while (key := pool.start()) is not None:
            running.append(key)
            started.add(key)
            assert sum(sizes[k] for k in running) <= 100

    for n, (organization, size) in enumerate(orders):
        pool.wait(f"o{n}", organization, size)
        start()
    for end in [*ends, *[0] * len(orders)]:
        if running:
            pool.leave(running.pop(end % len(running)))
        start()
    assert started == sizes.keys()


def test_the_organisation_that_holds_least_is_next() -> None:
    pool = Pool(100)
    for key, organization in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")):
        pool.wait(key, organization, 40)
    assert [pool.start(), pool.start(), pool.start()] == ["a1", "b1", None]


def test_nobody_small_overtakes_who_waits_for_room() -> None:
    pool = Pool(100)
    pool.wait("first", "a", 60)
    assert pool.start() == "first"
    pool.wait("large", "b", 90)
    pool.wait("small", "b", 10)
    assert pool.start() is None
    pool.leave("first")
    assert [pool.start(), pool.start()] == ["large", "small"]


def test_what_never_fits_is_refused_at_once() -> None:
    with pytest.raises(TooLarge, match="fewer or smaller images"):
        Pool(100).wait("a", "org", 101)


def features(words: int) -> Text:
    return Text(words, {"features_TF": torch.zeros(words, 4)})


def test_the_text_cache_gives_up_what_was_used_longest_ago() -> None:
    one = features(1)
    cache = TextCache(2 * one.nbytes)
    cache.put("a", features(1))
    cache.put("b", features(1))
    assert cache.get("a")
    cache.put("c", features(1))
    assert cache.get("b") is None
    assert cache.get("a")
    cache.put("huge", features(100))
    assert cache.get("huge") is None
    assert cache.get("c")
    cache.put("c", features(2))
    assert cache.get("a") is None
    assert cache.get("c")


def test_there_is_free_memory() -> None:
    assert free_bytes(CPU) > 1 << 20


def test_a_base_that_cannot_draw_does_not_open() -> None:
    class Sick(StandIn):
        def velocity(self, items: Sequence[Denoise]) -> list[Tensor]:
            return [result * float("nan") for result in super().velocity(items)]

    assert base().native_pixels == 64
    with pytest.raises(NotReady, match="cannot draw"):
        stand_in_engine(Sick())
