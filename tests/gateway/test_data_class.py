from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.data_class import DEFAULT_CLASSES, DataClasses, DataClassRules, classify
from gateway.signals.pii import KINDS

LADDER = DataClasses()
RULES = DataClassRules(by_pii={"email": "internal", "name": "internal", "card": "confidential"})
CLEAN = {"pii": (), "pii.unread": (), "pii.truncated": False}

a_class = st.sampled_from(DEFAULT_CLASSES)
claims = st.frozensets(a_class)
found = st.frozensets(st.sampled_from(KINDS))
unread = st.frozensets(st.sampled_from(["image", "audio", "file"]))
rules = st.builds(
    DataClassRules,
    by_pii=st.dictionaries(st.sampled_from(KINDS), a_class),
    unread=st.none() | a_class,
    floor=st.none() | a_class,
)


def features(kinds=(), unread=(), truncated=False):  # noqa: FBT002 a builder's default
    return {"pii": tuple(sorted(kinds)), "pii.unread": tuple(sorted(unread)), "pii.truncated": truncated}


@pytest.mark.parametrize("names", [(), ("a", "a"), ("a", "")])
def test_classes_need_names_of_their_own(names):
    """A ladder has at least one rung, and each but once."""
    with pytest.raises(ValueError, match="give at least one name, each once"):
        DataClasses(names)


def test_an_unknown_class_is_named_with_those_that_there_are():
    """The answer to a mistaken header."""
    message = "data class 'secret' is unknown; there are public, internal, confidential, restricted"

    with pytest.raises(ValueError, match=message):
        LADDER.rank("secret")
    with pytest.raises(ValueError, match=message):
        classify(RULES, {"secret"}, CLEAN)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by_pii": {"email": "secret"}}, "data class 'secret' is unknown"),
        ({"unread": "secret"}, "data class 'secret' is unknown"),
        ({"floor": "secret"}, "data class 'secret' is unknown"),
        ({"by_pii": {"shoe_size": "public"}}, "kind of personal data 'shoe_size' is unknown; there are secret, email"),
    ],
)
def test_rules_name_classes_and_kinds_that_there_are(options, message):
    """A mistake is found when the rules are made."""
    with pytest.raises(ValueError, match=message):
        DataClassRules(**options)


@pytest.mark.parametrize(
    ("claims", "given", "name", "reasons"),
    [
        (set(), features(), "public", ("floor",)),
        (set(), features(["email"]), "internal", ("pii: email",)),
        (set(), features(["card", "email"]), "confidential", ("pii: card",)),
        (set(), features(["ip"]), "public", ("floor",)),
        ({"internal"}, features(["email", "name"]), "internal", ("claimed", "pii: email", "pii: name")),
        ({"restricted"}, features(["card"]), "restricted", ("claimed",)),
        (set(), features([], ["image"]), "confidential", ("pii: image not read",)),
        (set(), features(truncated=True), "confidential", ("pii: not all of the text was read",)),
        (set(), {}, "confidential", ("pii: not known, so as if all was found",)),
        (set(), {"pii": "missed", "pii.unread": ()}, "confidential", ("pii: not known, so as if all was found",)),
        (set(), {"pii": (), "pii.unread": ()}, "confidential", ("pii: not all of the text was read",)),
    ],
)
def test_the_highest_source_gives_the_class_and_the_reason(claims, given, name, reasons):
    """What is not known counts as the worst that it could be."""
    classified = classify(RULES, claims, given)

    assert (name, reasons) == (classified.name, classified.reasons)


def test_what_cannot_be_read_may_have_a_class_of_its_own():
    """Where pictures are known to be harmless, or to be worse."""
    harmless, worse = (DataClassRules(by_pii={"email": "internal"}, unread=name) for name in ("public", "restricted"))

    assert "public" == classify(harmless, (), features(unread=["image"])).name
    assert "restricted" == classify(worse, (), features(unread=["image"])).name
    assert "restricted" == classify(worse, (), {}).name


def test_personal_data_decides_nothing_where_no_rule_names_it():
    """Then it need not be looked for."""
    without = DataClassRules(floor="internal")

    assert not without.reads_pii
    assert "internal" == classify(without, (), {}).name


@given(rules, claims, claims, found, found, unread)
def test_more_never_lowers_a_class(rules, some, more, kinds, more_kinds, unread):
    """Neither more claims, nor more personal data, nor more that is not read, unless a rule says what that means."""
    little = classify(rules, some, features(kinds))
    much = classify(rules, some | more, features(kinds | more_kinds, unread))

    assert LADDER.rank(little.name) <= LADDER.rank(much.name)


@given(rules, claims, found, unread)
def test_not_knowing_never_lowers_a_class(rules, some, kinds, unread):
    """A signal that failed, or that read a part, gives at least the class that the whole would have given."""
    known = classify(rules, some, features(kinds, unread))

    assert LADDER.rank(known.name) <= LADDER.rank(classify(rules, some, {}).name)
    assert LADDER.rank(known.name) <= LADDER.rank(classify(rules, some, features(kinds, unread, truncated=True)).name)


@given(rules, claims, found)
def test_every_source_binds(rules, some, kinds):
    """The class is at least what each source says."""
    rank = LADDER.rank(classify(rules, some, features(kinds)).name)

    assert all(LADDER.rank(name) <= rank for name in some)
    assert all(LADDER.rank(rules.by_pii[kind]) <= rank for kind in kinds if kind in rules.by_pii)
    assert LADDER.rank(rules.floor or "public") <= rank


@given(rules, st.lists(a_class), found, st.randoms(use_true_random=False))
def test_the_order_of_claims_means_nothing(rules, some, kinds, random):
    """A maximum has no order."""
    shuffled = random.sample(some, len(some))

    assert classify(rules, some, features(kinds)) == classify(rules, shuffled, features(kinds))


@given(rules, claims, found, st.none() | a_class)
def test_a_model_sees_no_class_above_its_clearance(rules, some, kinds, clearance):
    """A model without a clearance sees the lowest class alone."""
    name = classify(rules, some, features(kinds)).name

    assert LADDER.permits(clearance, name) == (LADDER.rank(name) <= LADDER.rank(clearance or "public"))
