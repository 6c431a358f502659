"""Rounds of SIGKILLs at random moments of real clients' work, and what is promised to the clients through them."""

import hashlib
import random
import time
from collections.abc import Sized
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from tests.faults.server import PATIENCE_SECONDS, Server
from tests.faults.story import Client, Promises, check_promises

VICTIMS = ("engine", "engine", "api", "both", "supervisor")


@dataclass
class Deaths:
    """Who was killed, and after how many seconds GETs were answered again."""

    victims: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def without_an_api(self) -> list[float]:
        """The waits after which somebody had to start it again, shortest first."""
        return sorted(s for who, s in zip(self.victims, self.seconds, strict=True) if who not in ("engine", "nobody"))


def _round(server: Server, key: str, chance: random.Random, longest_pause: float, deaths: Deaths) -> None:
    """Let the clients work a while, kill somebody, and wait until GETs are answered again."""
    time.sleep(chance.uniform(0.05, longest_pause))
    died = {victim: deaths.victims.count(victim) for victim in VICTIMS}
    victim = chance.choice([victim for victim in VICTIMS if died[victim] == min(died.values())])  # each has its turn
    if not server.kill(victim):
        return
    if victim == "supervisor":
        server.bury()
        server.start()
    deaths.victims.append(victim)
    deaths.seconds.append(server.wait_for("/datasets", key, PATIENCE_SECONDS))


def _wait_for(promised: Sized, clients: list[Client], seconds: float) -> None:
    """On a machine that is busy with other work, the rounds may be over before a client has come to train and draw;
    with nobody killed any more it must come to that."""
    deadline = time.monotonic() + seconds
    while not promised and not any(client.broken for client in clients) and time.monotonic() < deadline:
        time.sleep(0.1)


def _final_models(server: Server, key: str, promises: Promises, seconds: float) -> list[dict[str, object]]:
    deadline = time.monotonic() + seconds
    with httpx2.Client(base_url=server.url, headers={"Api-Key": key}, timeout=10.0) as http:
        while True:
            models = http.get("/models").raise_for_status().json()["models"]
            if all(m["status"] in ("COMPLETED", "ERRORED") for m in models):
                return list(models)
            assert time.monotonic() < deadline, [m["status"] for m in models]
            time.sleep(0.1)


def live_through(tmp_path: Path, engine: str, rounds: int, *, pause: float, patience: float, **settings: str) -> Deaths:
    """Clients create, upload, train and draw through so many kills; what they were promised is held, and all ends."""
    told = {"ENGINE": engine, "FAKE_STEP_SECONDS": "0.004", "LEASE_SECONDS": "20", **settings}
    server = Server(tmp_path / "data", {f"LINOCUT_{name}": value for name, value in told.items()})
    server.start()
    try:
        key = server.key()["api_key"]
        server.wait_for("/readyz", key, PATIENCE_SECONDS)
        promises = Promises()
        clients = [Client(server.url, key, promises, seed) for seed in range(2)]
        for client in clients:
            client.start()
        chance, deaths = random.Random(7), Deaths()
        for number in range(rounds):
            _round(server, key, chance, pause, deaths)
            if number % 10 == 9:
                check_promises(server.url, key, promises)
        promised: Sized = promises.links if engine == "fake" else promises.models  # a training on mini takes minutes
        _wait_for(promised, clients, patience)
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(PATIENCE_SECONDS)
        assert [client.broken for client in clients] == [[], []]
        assert promised
        assert {"engine", "api", "supervisor"} <= set(deaths.victims) or rounds < 10
        check_promises(server.url, key, promises)
        models = _final_models(server, key, promises, patience)
        assert len(models) >= len(promises.models) > 0
        _check_each(server, key, models)
        return deaths
    finally:
        server.stop()


def _check_each(server: Server, key: str, models: list[dict[str, object]]) -> None:
    """A completed model has whole weights; an errored one has a sentence for its owner."""
    headers = {"Api-Key": key}
    for model in models:
        if model["status"] == "ERRORED":
            assert str(model["x_linocut"]["error"]).endswith(".")  # type: ignore[index]
            continue
        weights = httpx2.get(f"{server.url}/models/{model['model_id']}/weights", headers=headers)  # as it is stored
        assert weights.status_code == 200
        assert weights.headers["etag"] == f'"{hashlib.sha256(weights.content).hexdigest()}"'
