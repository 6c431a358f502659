"""Counters for /metrics, in the Prometheus text format: requests by operation and status, and how long they took.

Four dictionaries, because the library that does this costs more to import than all routes together.
"""

from collections import Counter

BUCKETS_SECONDS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0)


class Metrics:
    """One a process, used on one event loop."""

    def __init__(self) -> None:
        self._answers: Counter[tuple[str, int]] = Counter()
        self._seconds: Counter[str] = Counter()
        self._within: Counter[tuple[str, float]] = Counter()
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

    def text(self, ready: bool, jobs: dict[tuple[str, str], int]) -> str:
        """The page. ``jobs``: how many by (kind, status)."""
        lines = ["# TYPE linocut_ready gauge", f"linocut_ready {int(ready)}", "# TYPE linocut_jobs gauge"]
        lines += [f'linocut_jobs{{kind="{kind}",status="{status}"}} {n}' for (kind, status), n in sorted(jobs.items())]
        lines += ["# TYPE linocut_event_streams gauge", f"linocut_event_streams {self.open_streams}"]
        lines += ["# TYPE linocut_untrusted_proxy gauge", f"linocut_untrusted_proxy {int(self.untrusted_proxy)}"]
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
