"""What the parent keeps, by a clock that is set."""

from __future__ import annotations

from gateway.workers.values import Values


def test_values_end():
    """A life is counted from when it was set; without one, a value stays."""
    now = [0.0]
    values = Values(clock=lambda: now[0])
    values.set("a", "1", 10.0, only_new=False)
    values.set("b", "2", None, only_new=False)
    assert ["1", "2", None] == values.mget(["a", "b", "c"])
    now[0] = 10.0
    assert [None, "2"] == values.mget(["a", "b"])


def test_the_first_of_several_stays():
    """Where only a new one is wanted; what has ended is none."""
    now = [0.0]
    values = Values(clock=lambda: now[0])
    assert values.set("key", "mine", 5.0, only_new=True)
    assert not values.set("key", "yours", None, only_new=True)
    assert "mine" == values.get("key")
    now[0] = 5.0
    assert values.set("key", "yours", None, only_new=True)


def test_what_was_set_longest_ago_makes_room():
    """Memory has an end."""
    values = Values(most=2)
    for name in ("a", "b", "a", "c"):
        values.set(name, name, None, only_new=False)

    assert (["a", None, "c"], 2) == (values.mget(["a", "b", "c"]), len(values))


def test_hashes_have_fields():
    """Set, read and taken away one by one, in the order of the commands."""
    said = Values().run(
        [
            ("hset", {"name": "h", "mapping": {"a": "1", "b": "2"}}),
            ("hdel", {"name": "h", "keys": ["a", "z"]}),
            ("hgetall", {"name": "h"}),
            ("hgetall", {"name": "none"}),
        ]
    )

    assert [2, 1, {"b": "2"}, {}] == said
