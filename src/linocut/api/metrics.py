"""Counters for /metrics, in the Prometheus text format: requests by operation and status, and how long they took.

A few dictionaries, because the library that does this costs more to import than all routes together.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

BUCKETS_SECONDS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0)
FAULTS = ("busy", "damaged", "internal", "no_worker", "unavailable")
"""Codes of errors that operators want to be woken for: counted from 0, so that the first one is seen as a rise."""


@dataclass(frozen=True)
class Records:
    """What the database says at one moment. ``jobs``: how many by (kind, status). ``oldest``: seconds for which the
    longest waiting job waits for its first worker, and ``again``: jobs in progress that have lost a worker, by kind.
    ``workers``: how many by (base, state), without those that have ended in good order."""

    jobs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    oldest: Mapping[str, float] = field(default_factory=dict)
    again: Mapping[str, int] = field(default_factory=dict)
    workers: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Metrics:
    """One a process, used on one event loop."""

    def __init__(self) -> None:
        self._answers: Counter[tuple[str, int]] = Counter()
        self._seconds: Counter[str] = Counter()
        self._within: Counter[tuple[str, float]] = Counter()
        self._errors: Counter[str] = Counter(dict.fromkeys(FAULTS, 0))
        self.open_streams = 0
        self.untrusted_proxy = False
        """Whether X-Forwarded headers came from an address that is not trusted."""

    def count(self, operation: str, status: int, seconds: float) -> None:
        """One answer has left (or its client has: status 499)."""
        self._answers[operation, status] += 1
        self._seconds[operation] += seconds  # type: ignore[assignment]  # Counter adds floats as well
        for bucket in BUCKETS_SECONDS:
            if seconds <= bucket:
                self._within[operation, bucket] += 1

    def count_error(self, code: str) -> None:
        """One answer was an error of this code (docs/errors.md)."""
        self._errors[code] += 1

    def text(self, ready: bool, records: Records | None, disk: tuple[int, int]) -> str:
        """The page. ``records``: None when the database did not say. ``disk``: bytes in all and free where the data
        folder lies."""
        lines = [*_gauge("ready", int(ready)), *_gauge("database_up", int(records is not None))]
        lines += [*_gauge("disk_bytes", disk[0]), *_gauge("disk_free_bytes", disk[1])]
        if records is not None:
            lines += _records(records)
        lines += [*_gauge("event_streams", self.open_streams), *_gauge("untrusted_proxy", int(self.untrusted_proxy))]
        lines += ["# TYPE linocut_errors_total counter"]
        lines += [f'linocut_errors_total{{code="{code}"}} {n}' for code, n in sorted(self._errors.items())]
        lines += ["# TYPE linocut_requests_total counter"]
        for (operation, status), n in sorted(self._answers.items()):
            lines.append(f'linocut_requests_total{{operation="{operation}",status="{status}"}} {n}')
        lines += ["# TYPE linocut_request_seconds histogram"]
        for operation, seconds in sorted(self._seconds.items()):
            total = sum(n for (name, _), n in self._answers.items() if name == operation)
            label = f'operation="{operation}"'
            for bucket in BUCKETS_SECONDS:
                within = self._within[operation, bucket]
                lines.append(f'linocut_request_seconds_bucket{{{label},le="{bucket}"}} {within}')
            lines.append(f'linocut_request_seconds_bucket{{{label},le="+Inf"}} {total}')
            lines.append(f"linocut_request_seconds_sum{{{label}}} {seconds:.6f}")
            lines.append(f"linocut_request_seconds_count{{{label}}} {total}")
        return "\n".join(lines) + "\n"


def _gauge(name: str, value: int) -> list[str]:
    return [f"# TYPE linocut_{name} gauge", f"linocut_{name} {value}"]


def _records(records: Records) -> list[str]:
    lines = ["# TYPE linocut_jobs gauge"]
    lines += [
        f'linocut_jobs{{kind="{kind}",status="{status}"}} {n}' for (kind, status), n in sorted(records.jobs.items())
    ]
    lines += ["# TYPE linocut_queue_oldest_seconds gauge"]
    lines += [
        f'linocut_queue_oldest_seconds{{kind="{kind}"}} {age:.1f}' for kind, age in sorted(records.oldest.items())
    ]
    lines += ["# TYPE linocut_jobs_again gauge"]
    lines += [f'linocut_jobs_again{{kind="{kind}"}} {n}' for kind, n in sorted(records.again.items())]
    lines += ["# TYPE linocut_workers gauge"]
    return lines + [
        f'linocut_workers{{base="{base}",state="{state}"}} {n}' for (base, state), n in sorted(records.workers.items())
    ]
