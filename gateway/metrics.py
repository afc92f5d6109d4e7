"""The metrics: names, labels and help in one place. Label values come from the configuration, never from clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from gateway.events import Outcome

#: Seconds; from a local echo to a long answer.
LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120, 300, 600)
#: Seconds; what the gateway itself adds.
OVERHEAD_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)


class Metrics:
    """All metrics of one gateway, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "pointsman_requests",
            "Chat completion requests that were answered, by policy, serving model and status.",
            ("policy", "model", "status"),
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "pointsman_request_seconds",
            "Seconds from a request's arrival to the end of its answer.",
            ("policy",),
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.ttft_seconds = Histogram(
            "pointsman_ttft_seconds",
            "Seconds from a request's arrival to the first event of its stream.",
            ("model",),
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.overhead_seconds = Histogram(
            "pointsman_overhead_seconds",
            "Seconds that the gateway itself took before it sent a request on, by stage.",
            ("stage",),
            buckets=OVERHEAD_BUCKETS,
            registry=self.registry,
        )
        self.attempts = Counter(
            "pointsman_attempts",
            "Calls to models, by model and result.",
            ("model", "result"),
            registry=self.registry,
        )
        self.cost_usd = Counter("pointsman_cost_usd", "USD spent, by model.", ("model",), registry=self.registry)
        self.unpriced = Counter(
            "pointsman_unpriced_answers",
            "Answers whose cost is unknown, for want of a price or of reported usage.",
            ("model",),
            registry=self.registry,
        )
        self.tokens = Counter(
            "pointsman_tokens",
            "Tokens, by model and kind (prompt, completion).",
            ("model", "kind"),
            registry=self.registry,
        )
        self.feedback = Counter("pointsman_feedback", "Feedback stored, by kind.", ("kind",), registry=self.registry)
        self.propensity = Histogram(
            "pointsman_propensity",
            "Probability that the chosen candidate had.",
            ("policy",),
            buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.9, 0.98, 1),
            registry=self.registry,
        )
        self.signals_missed = Counter(
            "pointsman_signals_missed", "Signals that missed their deadline.", ("signal",), registry=self.registry
        )
        self.events_dropped = Counter(
            "pointsman_events_dropped",
            "Events of the log that were lost because the queue was full.",
            registry=self.registry,
        )
        self.store_errors = Counter(
            "pointsman_store_errors", "Failed writes to the log; they are tried again.", registry=self.registry
        )
        self.reloads = Counter(
            "pointsman_config_reloads", "Attempts to take a changed configuration.", ("result",), registry=self.registry
        )
        self.config_ok = Gauge(
            "pointsman_config_last_reload_successful",
            "1 if the configuration on disk is the one in force, 0 if it was refused.",
            registry=self.registry,
        )
        self.config_info = Gauge(
            "pointsman_config_info", "The configuration in force.", ("digest",), registry=self.registry
        )

    def observe(self, policy: str, outcome: Outcome) -> None:
        """Count what came of a request."""
        model = outcome.served_by or "none"
        self.requests.labels(policy, model, str(outcome.status)).inc()
        self.request_seconds.labels(policy).observe(outcome.latency_s)
        if outcome.served_by is None:
            return
        if outcome.ttft_s is not None:
            self.ttft_seconds.labels(model).observe(outcome.ttft_s)
        self.tokens.labels(model, "prompt").inc(outcome.prompt_tokens or 0)
        self.tokens.labels(model, "completion").inc(outcome.completion_tokens or 0)
        if outcome.cost_usd is None:
            self.unpriced.labels(model).inc()
        else:
            self.cost_usd.labels(model).inc(float(outcome.cost_usd))
