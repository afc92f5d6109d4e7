"""Groups of requests, told by one of their features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from routers.types import Context

#: Where the group of a request that was observed is not known. It counts towards the models' averages alone.
ANY: Final = ""


def group_of(context: Context, feature: str | None) -> str | None:
    """Return what a feature says of a request, as text; None where it says nothing, or no feature is asked.

    Of several values the first counts, which is the likeliest.

    >>> from routers.types import Context
    >>> group_of(Context("", 1, features={"domain": ("law", "code")}), "domain")
    'law'
    """
    value = context.features.get(feature) if feature is not None else None
    if isinstance(value, tuple):
        value = value[0] if value else None
    return None if value is None else str(value)
