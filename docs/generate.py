"""Writes docs/configuration.md from the models, the registry of routers and the table of vendors.

Run it after a change to any of them: `python docs/generate.py`.
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import json
import re
import sys
import types
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

    from routers.options import Kind, Option

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gateway.config import (  # noqa: E402 - the repository has to be found first
    cache_models,
    exploration_models,
    feedback_models,
    hedge_models,
    implicit_models,
    judging_models,
    key_models,
    learning_models,
    models,
    policy_models,
    promotion_models,
    quota_models,
    signal_models,
    task_models,
)
from providers.vendors import VENDORS  # noqa: E402
from routers.registry import BUILT_IN, describe  # noqa: E402

PAGE = ROOT / "docs" / "configuration.md"

#: Each section: its heading, its model, and what is said before its table.
GATEWAY = (
    ("server", models.ServerConfig, "It cannot change while the gateway runs."),
    (
        "providers: endpoints",
        models.EndpointConfig,
        "An endpoint under a name of your own. The [table of vendors](#vendors) supplies what is not written.",
    ),
    (
        "providers: endpoints: concurrency",
        models.ConcurrencyConfig,
        "How many requests it is sent at once: see [load](reliability.md#load).",
    ),
    ("providers: endpoints: health_check", models.HealthCheckConfig, "See [rests](reliability.md#rests)."),
    (
        "providers: local models",
        models.LocalConfig,
        "A model that the gateway runs itself, on the CPU, in a process of its own. It needs the extra `local`.",
    ),
    ("models", models.ModelConfig, "The models, each under the name that clients and policies use for it."),
    (
        "models: endpoints",
        models.ModelEndpointConfig,
        "See [several endpoints and keys](reliability.md#several-endpoints-and-keys).",
    ),
    ("models: price", models.PriceConfig, "USD per million tokens."),
    (
        "models: energy_j_per_token",
        models.EnergyConfig,
        "Joules for each token, where prompt and completion differ: see [energy](routers.md#energy).",
    ),
    ("signals", signal_models.SignalsConfig, "What is found out about a request before it is routed."),
    ("signals: embedding", signal_models.EmbeddingConfig, "The sentence encoder, opened only if some policy needs it."),
    ("signals: length", signal_models.LengthConfig, "How tokens are counted: see [length](signals.md#length)."),
    ("signals: domain", signal_models.DomainConfig, "Classes of requests: see [domain](signals.md#domain)."),
    ("signals: domain: classes", signal_models.DomainClassConfig, "A class, by its name."),
    (
        "signals: safety",
        signal_models.SafetyConfig,
        "How carefully attacks are looked for: see [safety](signals.md#safety).",
    ),
    ("signals: keywords", signal_models.KeywordsConfig, "A list of words, by its name."),
    ("signals: metadata", signal_models.MetadataConfig, "What rules may see of a request's headers."),
    ("signals: time", signal_models.TimeConfig, "The clock that rules go by."),
    ("signals: time: windows", signal_models.WindowConfig, "A window of time, by its name."),
    ("callers", models.CallerConfig, "A caller, by its name: see [callers](policies.md#callers)."),
    ("callers: quotas", quota_models.OwnQuotaConfig, "What one caller may use: see [quotas](quotas.md)."),
    ("keys", key_models.KeysConfig, "Virtual keys, made while the gateway runs: see [keys](keys.md#virtual-keys)."),
    ("jwt", key_models.JwtConfig, "Tokens of an identity provider: see [tokens](keys.md#tokens)."),
    ("jwt: claims", key_models.ClaimsConfig, "Where a token says who calls; a dotted name leads into objects."),
    ("quotas", quota_models.QuotaConfig, "Limits and budgets: see [quotas](quotas.md)."),
    ("cache", cache_models.CacheConfig, "Where answers are kept: see [caching](caching.md)."),
    (
        "feedback",
        feedback_models.FeedbackConfig,
        "Who may rate answers, and how far that counts: see [feedback](feedback.md).",
    ),
    ("redis", models.RedisConfig, "What replicas share: see [replicas](reliability.md#replicas). It cannot change."),
    (
        "data_classes",
        models.DataClassesConfig,
        "How confidential requests are: see [data classes](policies.md#data-classes).",
    ),
    ("learning", learning_models.LearningConfig, "Who learns from the log: see [learning](learning.md)."),
    (
        "implicit",
        implicit_models.ImplicitConfig,
        "Feedback that nobody gives in words: see [implicit feedback](judging.md#implicit-feedback).",
    ),
    (
        "implicit: signals",
        implicit_models.SignalValuesConfig,
        "What an answer is worth in which a sign is seen, from 0 to 1; null: the sign is not recorded.",
    ),
    ("judging", judging_models.JudgingConfig, "Who judges a sample of the answers: see [judging](judging.md#judging)."),
    ("store", models.StoreConfig, "The [log](log.md). It cannot change while the gateway runs."),
)
POLICY = (
    ("rules", policy_models.RuleConfig, "What rules do is said in [policies.md](policies.md#rules)."),
    ("limits", models.LimitsConfig, "What one request may take."),
    ("stickiness", policy_models.StickinessConfig, "See [sessions](policies.md#sessions)."),
    ("dial", policy_models.DialConfig, "How far clients may turn the [dial](routers.md#the-dial)."),
    ("under_load", policy_models.UnderLoadConfig, "How far quality gives way: see [load](reliability.md#load)."),
    (
        "exploration",
        exploration_models.ExplorationConfig,
        "What is tried that does not look best, and for how much: see [exploration](exploration.md).",
    ),
    (
        "hedge",
        hedge_models.HedgeConfig,
        "When a second model is asked because the first is slow: see [hedging](plans/hedging.md).",
    ),
    ("cache", cache_models.PolicyCacheConfig, "Which answers are given again: see [caching](caching.md)."),
    ("learning", learning_models.PolicyLearningConfig, "See [what learns](learning.md#what-learns)."),
    ("promotion", promotion_models.PromotionConfig, "See [promotion](promotion.md)."),
    (
        "promotion: tests",
        promotion_models.PromotionTestsConfig,
        "What is looked at: see [what is tested](promotion.md#what-is-tested).",
    ),
    ("promotion: tests: quality", promotion_models.QualityTestConfig, "In points of a quality from 0 to 1."),
    (
        "promotion: tests: errors, cost, latency",
        promotion_models.HigherTestConfig,
        "Numbers, or percent: `0.1`, `10%`.",
    ),
    ("task", task_models.TaskConfig, "What one session may cost: see [agents](plans/agents.md)."),
    (
        "cache: semantic",
        cache_models.SemanticConfig,
        "See [other words](caching.md#the-same-question-in-other-words).",
    ),
)

#: Meanings of fields whose names say all to a reader of the code.
FIELDS = {
    "server": "Where the gateway listens: [below](#server).",
    "providers": "Endpoints and local models, by name: [below](#providers-endpoints).",
    "models": "Models, by name: [below](#models).",
    "signals": "What is found out about a request: [below](#signals).",
    "store": "The log: [below](#store).",
    "vendor": "`local`.",
    "type": "A file, or memory alone (for tests: it is lost at the end).",
    "embedding": "The sentence encoder: [below](#signals-embedding).",
    "limits": "What one request may take: [below](#limits).",
    "length": "How tokens are counted: [below](#signals-length).",
    "safety": "How carefully attacks are looked for: [below](#signals-safety).",
    "domain": "Classes of requests: [below](#signals-domain).",
    "metadata": "What rules may see of headers: [below](#signals-metadata).",
    "time": "The clock that rules go by: [below](#signals-time).",
    "stickiness": "When a session keeps its model: [below](#stickiness).",
    "dial": "How far clients may turn it: [below](#dial).",
    "concurrency": "How many requests it is sent at once: [below](#providers-endpoints-concurrency).",
    "under_load": "How far quality gives way: [below](#under_load).",
    "learning": "How its routers learn while they serve: see [learning](learning.md).",
    "exploration": "What is tried that does not look best: [below](#exploration).",
    "tests": "What the candidate is compared by: [below](#promotion-tests).",
}

#: Meanings of the components' options; a new option has to be added here.
OPTIONS = {
    ("estimating", "estimator"): "How good would each model be? See [estimators](routers.md#estimators).",
    ("estimating", "rule"): "Which one, then? See [rules](routers.md#rules).",
    ("estimating", "quality_weight"): "The dial: 0 is cheapest, 1 is best.",
    ("estimating", "utility"): "How is quality weighed against cost? By default [linear](routers.md#linear).",
    ("estimating", "costs"): "What would each cost? By default the [mean](routers.md#mean).",
    ("recommended", "quality_weight"): "The dial: 0 is cheapest, 1 is best.",
    ("recommended", "rule"): "Which one, then? By default `greedy`, without a floor.",
    ("recommended", "seed"): "Seed of what is drawn in fitting.",
    ("recommended", "max_rows"): "Prompts kept; beyond that the oldest are dropped.",
    ("cheapest", "costs"): "What would each cost? By default the [mean](routers.md#mean).",
    ("agent", "small"): "The model that takes most steps.",
    ("agent", "large"): "The model that takes the hard ones.",
    ("agent", "threshold"): "Need from which on the large one takes a step; it rises to 1 as the task's budget drains.",
    ("agent", "cues"): "Weights in [0, 1] of the cues `opening`, `failed`, `repeated`, `long_result`, `many_tools`.",
    ("agent", "long_tokens"): "Tokens of results from which on there is much to read.",
    ("agent", "floor"): "Least probability of either; 0 for none.",
    ("cascade", "gate"): "Is an answer good enough? See [gates](routers.md#gates).",
    ("cascade", "router"): "Who is asked first, and what is expected of whom.",
    ("cascade", "thresholds"): "Chances from which on an answer is taken, by step; the last one for all that follow.",
    ("cascade", "max_steps"): "Most answers of one request, those that gates ask for not counted.",
    ("cascade", "gain"): "By how much the next is to be expected better than the answer at hand.",
    ("cascade_routing", "gate"): "How good is the answer at hand? See [gates](routers.md#gates).",
    ("cascade_routing", "router"): "Who is asked first, and what is expected of whom.",
    ("cascade_routing", "quality_value_usd"): "What a perfect rather than a useless answer is worth.",
    ("cascade_routing", "max_steps"): "Most answers of one request, those that gates ask for not counted.",
    ("panel", "router"): "What is expected of whom.",
    ("panel", "size"): "How many answer.",
    ("panel", "merge"): "`vote`, `weighted` by expected rewards, or `llm`: a model writes one answer from all.",
    ("panel", "quorum"): "Answers below which there is no result.",
    ("panel", "merger"): "Who writes it; by default the best of the panel.",
    ("best_of", "gate"): "Which answer is the best? See [gates](routers.md#gates).",
    ("best_of", "router"): "What is expected of whom.",
    ("best_of", "size"): "How many answer.",
    ("self_consistency", "router"): "Who answers.",
    ("self_consistency", "samples"): "Most answers.",
    ("self_consistency", "batch"): "Answers at a time.",
    ("self_consistency", "share"): "Share of all answers at which the most frequent one counts.",
    ("self_consistency", "temperature"): "Temperature at which they are drawn.",
    ("probe_expand", "router"): "What is expected of whom.",
    ("probe_expand", "temperature"): "Temperature of the probe.",
    ("tiers", "router"): "What is expected of whom.",
    ("tiers", "confidence"): "Expected reward from which on the best may answer alone.",
    ("tiers", "margin"): "By how much more has to be expected of it than of the next.",
    ("tiers", "widest"): "How many answer where little is expected of all.",
    ("orchestrator", "model"): "Who decides whom to ask what, and answers.",
    ("orchestrator", "router"): "Whose draw answers where that model is no candidate.",
    ("orchestrator", "max_questions"): "Most questions to others.",
    ("orchestrator", "max_tokens"): "Most tokens of a decision, and of an answer to a question.",
    ("orchestrator", "structured"): "Whether decisions are asked for by JSON schema.",
    ("promise", "router"): "Who learns which answers are good enough, and what they cost.",
    ("promise", "reference"): "The model that answers are compared with.",
    ("promise", "alpha"): "Most requests that may be answered worse, as a share.",
    ("promise", "delta"): "By how much a reward may fall short before it counts.",
    ("promise", "eta"): "Chance that the promise fails.",
    ("promise", "share"): "Share of the rows that it is proved on.",
    ("promise", "horizon"): "About how many requests to come; by default as many as it was proved on.",
    ("promise", "seed"): "Seed of the draw of rows.",
    ("promise", "max_rows"): "Rows that it is proved on; beyond that the oldest are dropped.",
    ("agreement", "samples"): "Further answers.",
    ("agreement", "temperature"): "Temperature at which they are drawn.",
    ("similarity", "samples"): "Further answers.",
    ("similarity", "temperature"): "Temperature at which they are drawn.",
    ("self_verification", "samples"): "Votes.",
    ("self_verification", "temperature"): "Temperature at which they are drawn.",
    ("self_verification", "max_tokens"): "Most tokens of a vote.",
    ("self_verification", "unknown"): "Chance where no vote can be read.",
    ("judge", "model"): "Who judges.",
    ("judge", "max_tokens"): "Most tokens of a verdict.",
    ("judge", "unknown"): "Chance where there is no verdict.",
    ("logprob", "worst"): "Share of the tokens that count, the unlikeliest ones.",
    ("logprob", "unknown"): "Chance where the endpoint gives none.",
    ("expected", "unknown"): "Chance where nothing was expected.",
    ("wellformed", "ceiling"): "Chance of an answer with which nothing is wrong.",
    ("calibrated", "gate"): "The gate whose scores are calibrated.",
    ("calibrated", "domain"): "Feature that says what kind of request it is.",
    ("combined", "gates"): "The gates.",
    ("all_of", "gates"): "The gates, in the order in which they are asked.",
    ("all_of", "combine"): "`product` of the chances, or the least: `min`.",
    ("all_of", "least"): "Chance at which no further gate is asked.",
    ("fixed", "model"): "The model that is always taken.",
    ("weighted", "weights"): "Each model's share of the traffic, in any unit.",
    ("knn", "neighbours"): "How many of the most similar prompts count.",
    ("knn", "shrinkage"): "Weight of the model's overall mean, in observations.",
    ("knn", "power"): "How much nearer prompts outweigh farther ones.",
    ("knn", "max_rows"): "Prompts kept; beyond that the oldest are dropped.",
    ("zero", "quality_weight"): "The dial: 0 is the cheapest model, 1 the best, by cost in between.",
    ("similarity_bradley_terry", "neighbours"): "How many of the most similar prompts' battles count.",
    ("similarity_bradley_terry", "base"): "By what factor the nearest prompt outweighs one at a cosine of 0.",
    ("similarity_bradley_terry", "prior"): "Weight of the ratings over all prompts, in battles.",
    ("similarity_bradley_terry", "max_rows"): "Prompts kept; beyond that the oldest are dropped.",
    ("cluster", "clusters"): "Kinds of requests to tell apart; null to choose by cross-validation.",
    ("cluster", "nearest"): "Among how many clusters a request is shared out.",
    ("cluster", "sharpness"): "How much nearer clusters outweigh farther ones.",
    ("cluster", "shrinkage"): "Weight of the model's overall mean, in observations.",
    ("cluster", "assignment"): "By distance to the centroids, or by a learned map.",
    ("cluster", "ranking"): "Whether a model's rank in a cluster takes the place of its reward.",
    ("cluster", "seed"): "Seed of K-means and of the learned map.",
    ("cluster", "max_rows"): "Prompts kept; beyond that the oldest are dropped.",
    ("graph", "neighbours"): "To how many similar prompts each is linked; how many count for a request.",
    ("graph", "hops"): "How many links outcomes travel; 0 smooths nothing.",
    ("graph", "retain"): "Share of its own outcomes that a prompt keeps at each hop.",
    ("graph", "task_weight"): "How strongly prompts of a task are linked, in the unit of cosines.",
    ("graph", "model_weight"): "How far models learn from those whose rewards go with theirs.",
    ("graph", "shrinkage"): "Weight of the model's overall mean, in observations.",
    ("graph", "max_rows"): "Prompts kept; beyond that the oldest are dropped.",
    ("ridge", "alpha"): "Penalty on the coefficients; by default the one of least leave-one-out error.",
    ("ridge", "max_rows"): "Prompts kept; beyond that the oldest are dropped.",
    (
        "logistic",
        "c",
    ): "How strongly the rows count against the penalty on the coefficients; by default chosen as ridge's.",
    ("logistic", "max_rows"): "Prompts kept; beyond that the oldest are dropped.",
    ("mlp", "hidden"): "Hidden units.",
    ("mlp", "epochs"): "How often each row is seen in training.",
    ("mlp", "learning_rate"): "Step of the descent.",
    ("mlp", "weight_decay"): "How strongly the weights are drawn towards zero, which leaves the models' means.",
    ("mlp", "seed"): "Seed of the first weights and of the order of the rows.",
    ("mlp", "max_rows"): "Prompts kept; beyond that the oldest are dropped.",
    ("forest", "trees"): "How many trees.",
    ("forest", "leaf"): "Fewest prompts in a leaf.",
    ("forest", "share"): "Share of the features that are tried at a split.",
    ("forest", "plain"): "How many of the embedding's last numbers the trees see as they are.",
    ("forest", "shrinkage"): "Weight of the model's overall mean, in observations.",
    ("forest", "seed"): "Seed of what is drawn.",
    ("forest", "max_rows"): "Prompts kept; beyond that the oldest are dropped.",
    ("task", "shrinkage"): "Weight of the model's overall mean in each task, in observations.",
    ("task", "c"): "How strongly the rows count against the classifier's penalty.",
    ("task", "max_rows"): "Prompts kept; beyond that the oldest are dropped.",
    ("irt", "dimensions"): "Numbers that an ability has.",
    ("irt", "epochs"): "Passes over the rows.",
    ("irt", "learning_rate"): "Adam's step; a tenth of it at the end.",
    ("irt", "weight_decay"): "Precision of the weights' prior, in observations.",
    ("irt", "seed"): "Seed of the rows' order and of the start.",
    ("irt", "max_rows"): "Prompts kept; beyond that the oldest are dropped.",
    ("matrix_factorization", "dimension"): "Numbers in a model's vector.",
    ("matrix_factorization", "epochs"): "How often each battle is gone through.",
    ("matrix_factorization", "learning_rate"): "Step of the descent.",
    ("matrix_factorization", "weight_decay"): "How strongly parameters are drawn to zero.",
    ("matrix_factorization", "noise"): "Standard deviation of what is added to embeddings in training.",
    ("matrix_factorization", "pairs"): "Most battles made of the training prompts.",
    ("matrix_factorization", "seed"): "Seed of what is drawn.",
    ("matrix_factorization", "max_rows"): "Prompts kept, and battles given; beyond that the oldest are dropped.",
    ("contrastive", "dimension"): "Numbers in a vector.",
    ("contrastive", "temperature"): "What cosines are divided by.",
    ("contrastive", "positives"): "How many of the best models are contrasted on a prompt.",
    ("contrastive", "negatives"): "How many of the worst models each is contrasted with.",
    ("contrastive", "clusters"): "How many clusters the prompts are divided into.",
    ("contrastive", "cluster_weight"): "How much the contrast between prompts counts.",
    ("contrastive", "epochs"): "How often each prompt is gone through.",
    ("contrastive", "learning_rate"): "Step of the descent.",
    ("contrastive", "seed"): "Seed of what is drawn.",
    ("contrastive", "max_rows"): "Prompts kept; beyond that the oldest are dropped.",
    ("wording", "estimator"): "The estimator that reads the embedding, continued.",
    ("wording", "seed"): "Seed of the analysis.",
    ("ensemble", "members"): "The estimators.",
    (
        "ensemble",
        "folds",
    ): "Into how many parts the first prompts are split, each predicted by members that learned the others.",
    ("ensemble", "seed"): "Seed of the split.",
    ("trust", "estimator"): "The estimator that is believed as far as the request is like known ones.",
    ("trust", "neighbours"): "Nearest prompts whose mean cosine is the support.",
    ("trust", "known"): "Quantile of known prompts' supports at which trust is complete.",
    ("trust", "unknown"): "Quantile of supports among other tasks' prompts at which trust begins.",
    ("trust", "margin"): "Gains over the candidate that is best on average are believed above this only, in reward.",
    ("trust", "sample"): "How many of the prompts are kept to be compared with.",
    ("adequate", "quality_floor"): "Expected reward that is good enough.",
    ("adequate", "slack"): "How far below the best is good enough; by default one less the dial.",
    ("affordable", "max_cost_usd"): "Most that a request may be expected to cost; by default the dial's.",
    ("affordable", "deadline_s"): "Most seconds that an answer may be expected to take.",
    ("convex", "scale"): "What one USD counts for; by default one over the dearest candidate's average request.",
    ("preference", "quality"): "Weight of the expected reward, in any unit.",
    ("preference", "cost"): "Weight of what is saved beside the dearest candidate.",
    ("preference", "latency"): "Weight of the time saved beside the slowest candidate.",
    ("threshold", "strong"): "The dearer model; by default the dearest candidate.",
    ("threshold", "weak"): "The cheaper model; by default the cheapest candidate.",
    (
        "threshold",
        "threshold",
    ): "Probability of being better that the strong model needs; by default one less the dial.",
    ("threshold", "probability"): "`normal`: from means and standard errors; `share`: the strong's part of both means.",
    ("cluster_bandit", "clusters"): "Clusters that requests fall into.",
    ("cluster_bandit", "shrinkage"): "What a model's mean counts for in each cluster, in observations.",
    ("cluster_bandit", "half_life_s"): "Seconds after which an observation counts half.",
    ("cluster_bandit", "table_rows"): "What a table counts for at most, in observations of each model.",
    ("cluster_bandit", "floor"): "Least probability of every candidate; 0 for none.",
    ("cluster_bandit", "quality_weight"): "The dial: 0 is cheapest, 1 is best.",
    ("cluster_bandit", "utility"): "How is quality weighed against cost? By default [linear](routers.md#linear).",
    ("cluster_bandit", "costs"): "What would each cost? By default [running](routers.md#running).",
    ("cluster_bandit", "seed"): "Seed of the clusters and of the draws by which probabilities are estimated.",
    ("ema", "feature"): "Signal whose value is the domain; null: every request is alike.",
    ("ema", "shrinkage"): "What a model's average counts for in each domain, in observations.",
    ("ema", "half_life_s"): "Seconds after which an observation counts half.",
    ("ema", "table_rows"): "What a table counts for at most, in observations of each model.",
    ("ema", "weights"): "Weights of `quality`, `cost` and `latency`, in any unit; by default 1, 1 and 0.2.",
    ("ema", "epsilon"): "Probability of taking any candidate.",
    ("ema", "quality_weight"): "The dial: 0 is cheapest, 1 is best.",
    ("bayesian_linear", "directions"): "How many directions in which requests differ count.",
    (
        "bayesian_linear",
        "slope_doubt",
    ): "How much of the variance of slopes the standard error has; exploring goes by it.",
    ("bayesian_linear", "half_life_s"): "Seconds after which an observation counts half.",
    ("bayesian_linear", "table_rows"): "What a table counts for at most, in observations of each model.",
    ("neural_linear", "hidden"): "Units of the network's hidden layer.",
    ("neural_linear", "epochs"): "How often the network sees each row.",
    ("neural_linear", "directions"): "How many directions in which requests differ count.",
    (
        "neural_linear",
        "slope_doubt",
    ): "How much of the variance of slopes the standard error has; exploring goes by it.",
    ("neural_linear", "half_life_s"): "Seconds after which an observation counts half.",
    ("neural_linear", "table_rows"): "What a table counts for at most, in observations of each model.",
    ("neural_linear", "seed"): "Of the network's first weights and the order of rows.",
    ("neural_linear", "max_rows"): "Rows of tables after which the oldest are dropped.",
    ("ucb", "alpha"): "What the standard errors that are hoped for are multiplied by.",
    ("ucb", "horizon"): "Requests over which what is learned has to pay; null: always `alpha` standard errors.",
    ("lin_ucb", "estimator"): "What expects rewards? One that learns by sums; by default `bayesian_linear`.",
    ("lin_ucb", "floor"): "Least probability of every candidate; 0: none.",
    ("lin_ucb", "quality_weight"): "The dial: 0 is cheapest, 1 is best.",
    ("lin_ucb", "utility"): "How quality is weighed against cost.",
    ("lin_ucb", "costs"): "How costs are expected; by default they are learned online, too.",
    ("lin_ucb", "half_life_s"): "Seconds after which an observation counts half.",
    ("lin_thompson", "estimator"): "What expects rewards? One that learns by sums; by default `bayesian_linear`.",
    ("lin_thompson", "floor"): "Least probability of every candidate; 0: none.",
    ("lin_thompson", "quality_weight"): "The dial: 0 is cheapest, 1 is best.",
    ("lin_thompson", "utility"): "How quality is weighed against cost.",
    ("lin_thompson", "costs"): "How costs are expected; by default they are learned online, too.",
    ("lin_thompson", "half_life_s"): "Seconds after which an observation counts half.",
    ("lin_ucb", "alpha"): "What the standard errors that are hoped for are multiplied by.",
    ("lin_ucb", "horizon"): "Requests over which what is learned has to pay; null: always `alpha` standard errors.",
    ("lin_ucb", "total"): "Share of the requests that floors give away together, in a large pool.",
    ("lin_thompson", "temperature"): "Standard errors of the draws: below 1 it tries less.",
    ("lin_thompson", "total"): "Share of the requests that floors give away together, in a large pool.",
    ("lin_thompson", "seed"): "Of the draws from which probabilities are counted.",
    ("epsilon_greedy", "estimator"): "What looks best? One that learns by sums; by default each model's average.",
    ("epsilon_greedy", "epsilon"): "Probability of taking any candidate, before anything was heard.",
    ("epsilon_greedy", "decay"): "What it is multiplied by for each reward.",
    ("epsilon_greedy", "min_epsilon"): "What it does not fall below.",
    ("epsilon_greedy", "quality_weight"): "The dial: 0 is cheapest, 1 is best.",
    ("epsilon_greedy", "utility"): "How is quality weighed against cost? By default [linear](routers.md#linear).",
    ("epsilon_greedy", "costs"): "What would each cost? By default [running](routers.md#running).",
    ("epsilon_greedy", "half_life_s"): "Seconds after which an observation counts half.",
    ("exp3", "gamma"): "What a propensity is raised by before rewards are divided by it.",
    ("exp3", "floor"): "Least probability of every candidate; 0 for none.",
    ("exp3", "quality_weight"): "The dial: 0 is cheapest, 1 is best.",
    ("exp3", "utility"): "How is quality weighed against cost? By default [linear](routers.md#linear).",
    ("exp3", "costs"): "What would each cost? By default [running](routers.md#running).",
    ("exp3", "half_life_s"): "Seconds after which an observation counts half.",
    ("importance", "gamma"): "What a propensity is raised by before rewards are divided by it.",
    ("importance", "half_life_s"): "Seconds after which an observation counts half.",
    ("importance", "table_rows"): "What a table counts for at most, in observations of each model.",
    ("prefilter", "router"): "Who chooses among those kept: a router that estimates.",
    ("prefilter", "keep"): "How many candidates are kept.",
    ("prefilter", "floor"): "Least probability of those that are not; 0 for none.",
    ("preference_bandit", "hidden"): "Hidden units.",
    ("preference_bandit", "epochs"): "How often each row of a table is seen.",
    ("preference_bandit", "learning_rate"): "Step of the descent.",
    ("preference_bandit", "entropy"): "What staying open is worth, in rewards.",
    ("preference_bandit", "floor"): "Least probability of every candidate; 0 for none.",
    ("preference_bandit", "quality_weight"): "The dial: 0 is cheapest, 1 is best.",
    ("preference_bandit", "seed"): "Seed of the first weights and of what is drawn.",
    ("softmax", "estimator"): "What looks good? One that learns by sums; by default each model's average.",
    ("softmax", "floor"): "Least probability of every candidate; 0 for none.",
    ("softmax", "quality_weight"): "The dial: 0 is cheapest, 1 is best.",
    ("softmax", "utility"): "How is quality weighed against cost? By default [linear](routers.md#linear).",
    ("softmax", "costs"): "What would each cost? By default [running](routers.md#running).",
    ("softmax", "half_life_s"): "Seconds after which an observation counts half.",
    ("energy", "usd_per_kwh"): "Price of a kWh.",
    ("energy", "costs"): "Who expects the money; null: energy alone counts.",
    ("running", "feature"): "Signal by whose value completions are told apart; null: by none.",
    ("running", "half_life_s"): "Seconds after which an observation counts half.",
    ("running", "table_rows"): "What a table counts for at most, in answers of each model.",
    ("regression", "alpha"): "Weight of the ridge, in rows: more draws predictions to the mean.",
    ("regression", "max_rows"): "Prompts kept; beyond that the oldest are dropped.",
    ("epsilon", "epsilon"): "Probability of taking any candidate.",
    ("softmax", "temperature"): "Difference in utility that makes a factor of e.",
    ("thompson", "draws"): "Draws by which probabilities are estimated.",
    ("thompson", "seed"): "Seed of those draws.",
    ("thompson", "temperature"): "Standard errors of the draws: below 1 it tries less.",
}
#: Options that every rule has.
SHARED = {
    "floor": "Least probability of every candidate; 0 for none.",
    "total": "Share of the requests that floors give away together, in a large pool; at least the floor.",
}

INTRODUCTION = """\
# Configuration

<!-- Generated by docs/generate.py: do not edit. -->

A gateway is one YAML file, and a file for each policy. `pointsman check FILE` says what is wrong with them, with file,
line and remedy. A running gateway takes changes by itself, or refuses them and goes on as before.

- Unknown options are errors. So is a key that stands twice.
- `${NAME}` in a value is replaced by the environment variable; if there is none, that is an error.
  `${NAME:-other}` gives another value instead; `${NAME:-}` leaves the option at its default.
- Paths are relative to the folder of the file that they stand in.
- Keys print as asterisks, and no message repeats them.
- Editors with YAML support check and complete these files: `configs/schema.json` and `configs/policy.schema.json`
  are their JSON Schemas (`pointsman schema` writes them).
"""

#: A component's annotations, in a reader's words; that an option may be left out goes without saying.
WORDS = {
    "str": "text",
    "int": "integer",
    "float": "number",
    "bool": "true or false",
    "Mapping[str, float]": "mapping of numbers",
    "Mapping[str, str]": "mapping of text",
    "Sequence[str]": "list of text",
    "Sequence[int]": "list of integers",
    "Sequence[float]": "list of numbers",
    "Router": "a router",
    "Estimator": "an estimator",
    "Sequence[Estimator]": "list of estimators",
    "Rule": "a rule",
    "Utility": "a utility",
    "Costs": "costs",
    "Gate": "a gate",
    "Sequence[Gate]": "list of gates",
}
PRIMITIVES = {str: "text", int: "integer", bool: "true or false", SecretStr: "text (secret)", Any: "any"}


def configuration() -> str:
    """Return the page."""
    parts = [INTRODUCTION, "## The gateway's file\n", _table(models.GatewayConfig)]
    for title, model, text in GATEWAY:
        parts += [f"### {title}\n", f"{text}\n", _table(model)]
    parts += ["## Policy files\n", f"{policy_models.PolicyConfig.__doc__}\n", _table(policy_models.PolicyConfig)]
    for title, model, text in POLICY:
        parts += [f"### {title}\n", f"{text}\n", _table(model)]
    parts += ["## Components\n", "What they do is said in [routers.md](routers.md).\n"]
    for kind in BUILT_IN:
        parts += [f"### {kind}\n", _components(kind)]
    parts += ["## Vendors\n", "Values of `vendor`, besides `local`.\n", _vendors()]
    return "\n".join(parts)


def _rows(header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _table(model: type[BaseModel]) -> str:
    fields = model.model_fields.items()
    rows = (
        (f"`{field.alias or name}`", _type(field), _default(field), field.description or FIELDS[name])
        for name, field in fields
    )
    return _rows(("option", "type", "default", "meaning"), rows)


def _type(field: FieldInfo) -> str:
    bounds = [text for part in field.metadata if (text := _bound(part))]
    return ", ".join([_named(field.annotation), *bounds])


def _named(annotation: Any) -> str:  # noqa: PLR0911 - a case for each form of type
    """Return a type in a reader's words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in PRIMITIVES:
        return PRIMITIVES[annotation]
    if origin is Annotated:
        return _named(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_named(part) for part in arguments if part is not type(None)))
    if origin is tuple:
        return f"list of {_named(arguments[0])}"
    if origin is dict or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return "mapping"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    return "number"


def _bound(constraint: object) -> str:
    """Return what a constraint demands, where a reader needs to be told."""
    words = {"ge": "at least", "gt": "more than", "le": "at most", "min_length": "length at least"}
    said = [
        f"{word} {value:g}" for name, word in words.items() if (value := getattr(constraint, name, None)) is not None
    ]
    return ", ".join(said)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return _value(field.get_default(call_default_factory=True))


def _value(value: object) -> str:
    """Return a default as it would be written."""
    if value is None or value == ():
        return "none"
    if isinstance(value, BaseModel | dict):
        return "as below" if isinstance(value, BaseModel) else "none"
    if isinstance(value, tuple):
        return ", ".join(_written(part) if isinstance(part, BaseModel) else _value(part) for part in value)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`" if value != "" else "empty"


def _written(model: BaseModel) -> str:
    """Return a mapping as it would be written in one line."""
    return f"`{json.dumps(model.model_dump(mode='json'))}`".replace('"', "")


def _components(kind: Kind) -> str:
    known = describe(kind)
    rows = (row for name in BUILT_IN[kind] for row in _component(kind, name, known[name]))
    return _rows(("component", "option", "type", "default", "meaning"), rows)


def _component(kind: Kind, name: str, options: tuple[Option, ...]) -> Iterator[tuple[str, ...]]:
    link = f"[`{name}`](routers.md#{name})"
    if not options:
        yield link, "none", "", "", ""
    for option in options:
        meaning = SHARED[option.name] if kind == "rule" and option.name in SHARED else OPTIONS[name, option.name]
        default = "required" if option.required else _value(option.default)
        yield link, f"`{option.name}`", _words(option), default, meaning


def _words(option: Option) -> str:
    """Return an option's type in a reader's words."""
    plain = option.type.removesuffix(" | None")
    choices = " or ".join(f"`{name}`" for name in re.findall(r"'(\w+)'", plain))
    null = " or null" if plain != option.type and option.default is not None else ""
    return (choices or WORDS[plain]) + null


def _vendors() -> str:
    header = ("vendor", "address", "variable of the key", "prices in the catalogue", "remarks")
    rows = (
        (
            f"`{vendor.name}`",
            f"`{vendor.base_url}`" if vendor.base_url else "your `base_url`",
            f"`{vendor.key_variable}`" if vendor.key_variable else "none due",
            "yes" if vendor.catalogue else "no: write `price`",
            "; ".join(_remarks(vendor.key_header, stream_options=vendor.stream_options)),
        )
        for vendor in VENDORS.values()
    )
    return _rows(header, rows)


def _remarks(key_header: str, *, stream_options: bool) -> Iterator[str]:
    if key_header != "authorization":
        yield f"the key goes into the header `{key_header}`"
    if not stream_options:
        yield "`stream_options` is not sent"


if __name__ == "__main__":
    PAGE.write_text(configuration(), encoding="utf-8")
