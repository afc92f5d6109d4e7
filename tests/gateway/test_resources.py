from __future__ import annotations

import asyncio

import pytest

from gateway.resources import Resources


class Lamp:
    """A resource that knows whether it is on."""

    def __init__(self) -> None:
        self.is_on = True

    async def aclose(self) -> None:
        self.is_on = False


async def lit() -> Lamp:
    await asyncio.sleep(0)
    return Lamp()


async def test_holders_of_one_key_share_it_and_the_last_closes_it():
    """A reload that does not concern a resource leaves it open."""
    resources = Resources()
    first, second = await asyncio.gather(resources.acquire("k", lit), resources.acquire("k", lit))
    await resources.release("k")

    assert first is second
    assert first.is_on
    await resources.release("k")
    assert not first.is_on


async def test_one_that_cannot_be_opened_is_not_held():
    """The next to ask tries again."""
    resources = Resources()

    async def broken() -> Lamp:
        raise ValueError("no power")

    with pytest.raises(ValueError, match="no power"):
        await resources.acquire("k", broken)

    assert (await resources.acquire("k", lit)).is_on


async def test_leaving_while_it_opens_leaves_it_to_others():
    """Whoever is cancelled takes nothing from those who wait beside."""
    resources = Resources()
    leaver = asyncio.ensure_future(resources.acquire("k", lit))
    stayer = asyncio.ensure_future(resources.acquire("k", lit))
    await asyncio.sleep(0)
    leaver.cancel()

    assert (await stayer).is_on
