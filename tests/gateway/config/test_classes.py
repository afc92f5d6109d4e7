from __future__ import annotations

import pytest

from gateway.config.loader import ConfigError
from gateway.eligibility import Ability
from tests.gateway.config.written import build


def test_models_have_the_clearance_that_is_written(tmp_path):
    """One without a clearance may see the lowest class only."""
    decider = build(tmp_path)

    assert Ability(clearance="secret") == decider.eligibility.abilities["small"]
    assert Ability() == decider.eligibility.abilities["large"]
    assert (("open", "secret"), {"card": "secret"}) == (
        decider.eligibility.data_classes.names,
        decider.data_classes.by_pii,
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("clearance: secret", "clearance: secrt", "gateway.yaml:4: models.small.clearance: no data class 'secrt'; did you mean 'secret'?"),
        ("data_class: open, deny", "data_class: public, deny", "gateway.yaml:10: callers.alice.data_class: no data class 'public'; known: open, secret"),
        ("by_pii: {card: secret}", "by_pii: {card: hidden}", "gateway.yaml:8: data_classes.by_pii.card: no data class 'hidden'"),
        ("by_pii: {card: secret}", "by_pii: {shoe: secret}", "gateway.yaml:6: data_classes: kind of personal data 'shoe' is unknown; there are secret, email"),
        ("by_pii: {card: secret}", "floor: hidden", "gateway.yaml:8: data_classes.floor: no data class 'hidden'"),
        ("by_pii: {card: secret}", "unread: hidden", "gateway.yaml:8: data_classes.unread: no data class 'hidden'"),
        ("names: [open, secret]", "names: [open, secret, open]", "gateway.yaml:6: data_classes: data classes are ('open', 'secret', 'open'); give at least one name, each once"),
        ("names: [open, secret]", "names: [open]", "gateway.yaml:7: data_classes.names"),
        ("data_class: secret\n", "data_class: hidden\n", "q.yaml:2: data_class: no data class 'hidden'; known: open, secret"),
        ("data_classes:\n  names: [open, secret]\n  by_pii: {card: secret}\n", "", "gateway.yaml:4: models.small.clearance: no data class 'secret'; there are none: write `data_classes`"),
    ],
)  # fmt: skip
def test_a_class_that_there_is_not_is_told_with_its_line(tmp_path, old, new, said):
    """A misspelt class must not become a request that anyone may see."""
    with pytest.raises(ConfigError) as caught:
        build(tmp_path, old, new)

    assert said in str(caught.value)
