"""What is counted for Prometheus: never a text."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from nlptasks.records import Record
from nlptasks.server.desk import Desk

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """Samples answered and how long they took, tokens, and how many are under way."""

    def __init__(self, desk: Desk) -> None:
        registry = self._registry = CollectorRegistry()
        self._samples = Counter(
            "nlptasks_samples", "Samples that were answered, or failed.", ["task", "outcome"], registry=registry
        )
        self._seconds = Histogram(
            "nlptasks_sample_seconds",
            "From a sample's first request to its end.",
            ["task"],
            buckets=SECONDS,
            registry=registry,
        )
        self._tokens = Counter("nlptasks_tokens", "Tokens read and written.", ["kind"], registry=registry)
        under_way = Gauge("nlptasks_samples_under_way", "Samples that are not answered yet.", registry=registry)
        under_way.set_function(lambda: desk.under_way)

    def add(self, task: str, record: Record) -> None:
        """Count one record."""
        self._samples.labels(task, "failed" if record.failed else "done").inc()
        self._seconds.labels(task).observe(record.seconds)
        for completion in record.completions:
            self._tokens.labels("prompt").inc(completion.usage.prompt_tokens)
            self._tokens.labels("completion").inc(completion.usage.completion_tokens)

    def text(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self._registry)
