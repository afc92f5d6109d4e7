"""The metrics: names, labels and help in one place. Label values come from the configuration, never from clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge

from gateway import counters
from gateway.charging import owed

if TYPE_CHECKING:
    from decimal import Decimal

    from gateway.caching.types import Looked, Written
    from gateway.events import MadeCall, Outcome

    Counts = counters.Family[counters.Tally]
    Spreads = counters.Family[counters.Spread]

#: Seconds; from a local echo to a long answer.
LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120, 300, 600)
#: Seconds; what the gateway itself adds.
OVERHEAD_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)
PROBABILITY_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.9, 0.98, 1)


class CacheCounts:
    """Counts what the cache does."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def looked(self, policy: str, result: Looked) -> None:
        """Count a lookup."""
        self._metrics.cache_lookups.labels(policy, result).inc()

    def wrote(self, policy: str, result: Written) -> None:
        """Count an answer that was to be kept."""
        self._metrics.cache_writes.labels(policy, result).inc()


class Metrics:
    """All metrics of one gateway, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._of_requests()
        counter, gauge = self._counter, self._gauge
        self.feedback = counter("feedback", "Feedback stored, by kind.", "kind")
        self.signals_missed = counter("signals_missed", "Signals that missed their deadline.", "signal")
        self.signals_failed = counter("signals_failed", "Signals that failed; the log has the trace.", "signal")
        self.refused = counter("refused", "Requests that a policy refused, by policy and reason.", "policy", "reason")
        self.events_dropped = counter("events_dropped", "Events of the log lost because its queue was full.")
        self.store_errors = counter("store_errors", "Failed writes to the log; they are tried again.")
        self.reloads = counter("config_reloads", "Attempts to take a changed configuration.", "result")
        successful = "1 if the configuration on disk is the one in force, 0 if it was refused."
        self.config_ok = gauge("config_last_reload_successful", successful)
        self.config_info = gauge("config_info", "The configuration in force.", "digest")
        self._of_what_is_shared()
        self._of_learning()
        self._of_plans()

    def _of_requests(self) -> None:
        """Register what every request counts in: on the event loop alone."""
        counter, histogram = self._loop_counter, self._loop_histogram
        requests = "Chat completion requests that were answered, by policy, serving model and status."
        self.requests = counter("requests", requests, "policy", "model", "status")
        self.attempts = counter("attempts", "Calls to models, by model and result.", "model", "result")
        failures = "Failed calls, by model, error and what followed (see the log's `then`)."
        self.failures = counter("failures", failures, "model", "error", "then")
        self.cost_usd = counter("cost_usd", "USD spent, estimates included, by model.", "model")
        estimated = "USD of those spent that are an estimate: the endpoint did not count, or not to the end."
        self.estimated_cost_usd = counter("estimated_cost_usd", estimated, "model")
        unpriced = "Answers whose cost is unknown, for want of a price."
        self.unpriced = counter("unpriced_answers", unpriced, "model")
        self.tokens = counter("tokens", "Tokens, by model and kind (prompt, completion).", "model", "kind")
        seconds = "Seconds from a request's arrival to the end of its answer."
        self.request_seconds = histogram("request_seconds", seconds, LATENCY_BUCKETS, "policy")
        ttft = "Seconds from a request's arrival to the first event of its stream."
        self.ttft_seconds = histogram("ttft_seconds", ttft, LATENCY_BUCKETS, "model")
        overhead = "Seconds that the gateway itself took before it sent a request on, by stage."
        self.overhead_seconds = histogram("overhead_seconds", overhead, OVERHEAD_BUCKETS, "stage")
        propensity = "Probability that the chosen candidate had."
        self.propensity = histogram("propensity", propensity, PROBABILITY_BUCKETS, "policy")

    def _of_plans(self) -> None:
        calls = "Calls of requests that took several, by policy, model and the first word of why they were made."
        self.plan_calls = self._loop_counter("plan_calls", calls, "policy", "model", "why")
        ended = "Requests that took several calls, by policy and how their plan ended."
        self.plans = self._loop_counter("plans", ended, "policy", "end")

    def _of_learning(self) -> None:
        self._of_what_is_learned()
        self._of_what_is_overheard()
        self._of_promotions()
        self._of_promises()

    def _of_exploration(self) -> None:
        explored = "Requests for which another model was drawn than the one that looked best, by policy."
        self.explored = self._counter("explored", explored, "policy")
        usd = "USD that these were expected to cost beyond the one that looked best, by policy."
        self.exploration_usd = self._counter("exploration_usd", usd, "policy")
        hedges = "Requests for which a second candidate was asked, by policy and who answered (first, second, none)."
        self.hedges = self._counter("hedges", hedges, "policy", "answered")
        usd = "USD that the candidate took which did not answer first, by policy."
        self.hedging_usd = self._counter("hedging_usd", usd, "policy")

    def _of_promises(self) -> None:
        bound = "Lower bound of the share of answers worse than the reference's, at the setting in force, by policy."
        self.promise_bound = self._gauge("promise_bound", bound, "policy")
        alarm = "1 where that has reached what was promised if requests are exchangeable with the rows proved on."
        self.promise_alarm = self._gauge("promise_alarm", alarm, "policy")
        setting = "The setting in force, the higher the bolder; -1: the reference alone answers."
        self.promise_setting = self._gauge("promise_setting", setting, "policy")

    def _of_promotions(self) -> None:
        state = "1 for the state that a policy's candidate is in, 0 for the others."
        self.promotion_state = self._gauge("promotion_state", state, "policy", "state")
        share = "Share of the policy's traffic that its candidate serves."
        self.promotion_share = self._gauge("promotion_share", share, "policy")
        moves = "Moves of candidates made here, by the state that they led to, and by whom."
        self.promotion_moves = self._counter("promotion_moves", moves, "policy", "state", "by")

    def _of_what_is_overheard(self) -> None:
        counter = self._counter
        misheard = "Feedback that came along with a request and was not taken, by where it stood (header, metadata)."
        self.feedback_refused = counter("feedback_refused", misheard, "where")
        self.feedback_deleted = counter("feedback_deleted", "Feedback that was deleted by a request.")
        seen = "Implicit feedback, by what it was seen in."
        self.implicit_feedback = counter("implicit_feedback", seen, "signal")
        dropped = "Requests and answers that were not looked at for implicit feedback, because too many waited."
        self.overheard_dropped = counter("overheard_dropped", dropped)
        judged = "Answers that were drawn to be judged, by judge and what came of it."
        self.judgements = counter("judgements", judged, "judge", "result")
        cost = "USD of those spent that judging took, second answers included, by model."
        self.judging_cost_usd = counter("judging_cost_usd", cost, "model")

    def _of_what_is_learned(self) -> None:
        self._of_exploration()
        counter, gauge = self._counter, self._gauge
        version = "The learned state in force, by policy (and rule, where that has a router of its own)."
        self.learned_version = gauge("learned_version", version, "policy")
        rows = "Answers that the learned state in force was learned from, by policy."
        self.learned_rows = gauge("learned_rows", rows, "policy")
        lag = "Seconds since the learner had last learned all that was in the log."
        self.learning_lag = gauge("learning_lag_seconds", lag)
        success = "When it had, in seconds since 1970."
        self.learning_last_success = gauge("learning_last_success_seconds", success)
        failures = "What failed: a turn of the learner, the learner's process, a snapshot that could not be read."
        self.learning_failures = counter("learning_failures", failures, "what")

    def _of_what_is_shared(self) -> None:
        counter, gauge = self._counter, self._gauge
        looked = "Requests that the cache was asked about, by policy and result."
        self.cache_lookups = counter("cache_lookups", looked, "policy", "result")
        wrote = "Answers that were to be kept for another time, by policy and result."
        self.cache_writes = counter("cache_writes", wrote, "policy", "result")
        self.unauthorized = counter("unauthorized", "Requests without a good key or token, by reason.", "reason")
        overloaded = "Requests refused because there was too much to do, by reason (lag, in_flight)."
        self.overloaded = counter("overloaded", overloaded, "reason")
        self.redis_up = gauge("redis_up", "1 if Redis answered when it was asked last.")
        self.replicas = gauge("replicas", "Replicas that have given a sign lately.")
        self.replicas_differing = gauge("replicas_differing", "Those of them with another configuration in force.")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"pointsman_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"pointsman_{name}", text, labels, registry=self.registry)

    def _loop_counter(self, name: str, text: str, *labels: str) -> Counts:
        return counters.counter(self.registry, f"pointsman_{name}", text, *labels)

    def _loop_histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Spreads:
        return counters.histogram(self.registry, f"pointsman_{name}", text, buckets, *labels)

    @property
    def cache(self) -> CacheCounts:
        """Return what counts for the cache."""
        return CacheCounts(self)

    def hedged(self, policy: str, answered: str, usd: Decimal) -> None:
        """Count a request for which a second candidate was asked, and what the loser took."""
        self.hedges.labels(policy, answered).inc()
        self.hedging_usd.labels(policy).inc(float(usd))

    def observe(self, policy: str, outcome: Outcome) -> None:
        """Count what came of a request."""
        model = outcome.served_by or "none"
        self.requests.labels(policy, model, str(outcome.status)).inc()
        self.request_seconds.labels(policy).observe(outcome.latency_s)
        own = outcome.own
        if own is not None:
            self._spend(own)
        for call in outcome.calls:
            self._spend(call)
        if outcome.calls or outcome.answer is not None:
            self._observe_plan(policy, outcome)
        if outcome.served_by is not None and outcome.ttft_s is not None:
            self.ttft_seconds.labels(model).observe(outcome.ttft_s)

    def _spend(self, call: MadeCall) -> None:
        """Count what a call took, for its own model."""
        self.tokens.labels(call.model, "prompt").inc(call.prompt_tokens or 0)
        self.tokens.labels(call.model, "completion").inc(call.completion_tokens or 0)
        if call.cost_usd is None:
            self.unpriced.labels(call.model).inc(1 if owed(call) else 0)
            return
        usd = float(call.cost_usd)
        self.cost_usd.labels(call.model).inc(usd)
        if call.cost_source == "estimated":
            self.estimated_cost_usd.labels(call.model).inc(usd)

    def _observe_plan(self, policy: str, outcome: Outcome) -> None:
        """Count the calls of a plan of several, and how it ended."""
        calls = (*outcome.calls, *([outcome.answer] if outcome.answer else []))
        for call in calls:
            # The rest of it has numbers, of which there are too many for a label.
            self.plan_calls.labels(policy, call.model, call.why.partition(" ")[0]).inc()
        hedged = outcome.answer is not None and outcome.plan_end is None
        if not hedged:
            self.plans.labels(policy, outcome.plan_end or "cut").inc()
