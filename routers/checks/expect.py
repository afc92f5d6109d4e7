"""What the checks of all kinds share: how one fails, and the checks that fit any component."""

from __future__ import annotations

from routers.options import options_of


class CheckFailed(AssertionError):
    """A component does not do what its kind must; the message says what."""


def expect(condition: object, message: str) -> None:
    """Raise `CheckFailed` with the message unless the condition holds."""
    if not condition:
        raise CheckFailed(message)


def expect_documented(component: object) -> None:
    """Expect a class docstring with an example that runs."""
    documentation = type(component).__doc__ or ""
    name = type(component).__name__
    expect(documentation.strip(), f"{name} has no docstring")
    expect(">>>" in documentation, f"{name}'s docstring has no example")


def expect_arguments_kept(component: object) -> None:
    """Expect every constructor argument to be an attribute of its own name."""
    for option in options_of(type(component)):
        expect(
            hasattr(component, option.name),
            f"{type(component).__name__} does not keep its argument {option.name!r} under that name",
        )
