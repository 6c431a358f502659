"""The adapter cache: bounded, least recently used first out, one object an adapter, one load however many ask."""

import gc
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
import torch

from linocut.engine.adapters.apply import Adapter
from linocut.engine.adapters.cache import AdapterCache

EACH = 80
"""Bytes of one adapter here."""


def _adapter(name: str) -> Adapter:
    return Adapter({"q": torch.zeros(2, 6)}, {"q": torch.zeros(4, 2)}, 1.0, name)


def _never() -> Adapter:
    raise AssertionError("it must not be loaded again")


def _absent() -> Adapter:
    raise LookupError


def test_what_is_kept_is_not_loaded_again() -> None:
    cache = AdapterCache(10 * EACH)
    first = cache.get("a", lambda: _adapter("a"))
    assert cache.get("a", _never) is first
    assert cache.nbytes == EACH


def test_the_least_recently_used_goes_first() -> None:
    cache = AdapterCache(2 * EACH)
    for name in ("a", "b"):
        cache.get(name, lambda name=name: _adapter(name))
    cache.get("a", _never)
    cache.get("c", lambda: _adapter("c"))
    gc.collect()
    assert cache.nbytes == 2 * EACH
    cache.get("a", _never)
    cache.get("c", _never)
    with pytest.raises(LookupError):
        cache.get("b", _absent)


def test_an_adapter_in_use_stays_the_same_object_when_its_bytes_are_given_up() -> None:
    cache = AdapterCache(EACH)
    in_use = cache.get("a", lambda: _adapter("a"))
    cache.get("b", lambda: _adapter("b"))
    assert cache.get("a", _never) is in_use
    assert cache.nbytes == EACH
    cache.get("b", lambda: _adapter("b"))
    del in_use
    gc.collect()
    with pytest.raises(LookupError):
        cache.get("a", _absent)


def test_one_larger_than_the_cache_is_given_and_not_kept() -> None:
    cache = AdapterCache(EACH - 1)
    given = cache.get("a", lambda: _adapter("a"))
    assert given.sha256 == "a"
    assert cache.nbytes == 0
    assert cache.get("a", _never) is given


def test_a_failed_load_is_tried_again() -> None:
    cache = AdapterCache(EACH)
    with pytest.raises(LookupError):
        cache.get("a", _absent)
    assert cache.get("a", lambda: _adapter("a")).sha256 == "a"


def test_threads_that_ask_at_once_load_once() -> None:
    cache, loads, together, slow = AdapterCache(EACH), [], Barrier(5), Event()

    def load() -> Adapter:
        loads.append(1)
        slow.wait(0.05)
        return _adapter("a")

    def ask(_: int) -> Adapter:
        together.wait()
        return cache.get("a", load)

    with ThreadPoolExecutor(5) as pool:
        found = list(pool.map(ask, range(5)))
    assert len(loads) == 1
    assert len({id(adapter) for adapter in found}) == 1
