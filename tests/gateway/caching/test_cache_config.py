from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.caching.memory import MemoryShelf
from gateway.caching.redis_shelf import RedisShelf
from gateway.caching.types import CacheRules, Semantic
from gateway.config.cache_models import CacheConfig, PolicyCacheConfig
from gateway.config.caching import build_caching, cache_rules, identities, open_shelf, wrong_cache
from gateway.config.loader import load
from gateway.config.models import GatewayConfig
from gateway.sharing.link import Link
from tests.gateway.caching.cached import ENCODER, Counted


def gateway(**changes):
    provider = {"vendor": "vllm", "base_url": "http://a/v1", "api_key": "secret", **changes.pop("provider", {})}
    model = {"provider": "up", **changes}
    return GatewayConfig.model_validate({"providers": {"up": provider}, "models": {"m": model}})


def rules(**written):
    return cache_rules(PolicyCacheConfig.model_validate(written))


def test_a_policy_without_a_cache_has_no_rules():
    """None is not the default."""
    assert None is cache_rules(None)


def test_what_is_written_becomes_rules():
    """The threshold depends on how freely questions may be worded."""
    assert CacheRules() == rules()
    assert Semantic(0.85, "same") == rules(semantic={}).semantic
    assert Semantic(0.95, "free") == rules(semantic={"wording": "free"}).semantic
    assert CacheRules(False, Semantic(0.9), 5, "team", True, True, True) == rules(  # noqa: FBT003 - a row
        exact=False, semantic={"threshold": 0.9}, ttl_s=5, scope="team", tools=True, temperature="zero", cut=True
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"exact": False}, "neither exact nor semantic"),
        ({"semantic": {"threshold": 1}}, "less than 1"),
        ({"ttl_s": 0}, "greater than or equal to 1"),
        ({"scope": "user"}, "'key', 'team' or 'everyone'"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(written, said):
    """The message names the remedy."""
    with pytest.raises(ValidationError, match=said):
        rules(**written)


def test_an_answer_must_fit():
    """Into what there is for all."""
    with pytest.raises(ValidationError, match="max_answer_bytes 10 is above max_bytes 5"):
        CacheConfig(max_bytes=5, max_answer_bytes=10)


async def test_the_shelf_is_where_it_is_wanted():
    """In memory, or in the Redis that the gateway has."""
    link = Link("redis://127.0.0.1:1", prefix="p:", timeout_s=1)

    assert isinstance(open_shelf(CacheConfig(), None), MemoryShelf)
    assert isinstance(open_shelf(CacheConfig(store="redis"), link), RedisShelf)
    with pytest.raises(ValueError, match="needs a link"):
        open_shelf(CacheConfig(store="redis"), None)
    await link.aclose()


def test_a_cache_in_a_redis_that_is_not_named_is_refused(tmp_path):
    """With the line."""
    path = Path(tmp_path / "gateway.yaml")
    path.write_text("server: {}\ncache:\n  store: redis\n")
    document = load(path, {})
    cache = CacheConfig.model_validate(document.data["cache"])

    assert [f"{path}:3: cache.store: 'redis' needs the section redis, which says where it is"] == list(
        wrong_cache(cache, document, redis=False)
    )
    assert [] == list(wrong_cache(cache, document, redis=True))


def test_what_stands_behind_a_model_is_known_by_its_endpoint_and_name():
    """Prices, keys and capacities change nothing."""
    base = identities(gateway())

    assert base == identities(gateway(price={"input": 1, "output": 2}, provider={"api_key": "other"}))
    assert base == identities(gateway(provider={"concurrency": {"max": 3}}))
    assert base != identities(gateway(name="m2"))
    assert base != identities(gateway(provider={"base_url": "http://b/v1"}))


def test_the_cache_is_built_with_what_the_encoder_sees():
    """Without an encoder nothing is compared by its meaning."""
    with_one, without = (build_caching(gateway(), MemoryShelf(9), encoder, Counted()) for encoder in (ENCODER, None))

    assert (ENCODER.digest, None) == (with_one._sight.digest, without._sight)
