import asyncio
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.signals.embedding import MAX_BATCH, MAX_BATCH_CHARACTERS, Embedder
from gateway.standing_back import SLICE_NS
from tests.gateway.slices import needs_slices, slice_ns


class Counting:
    """An encoder that notes its calls, and waits in each until it may go on."""

    name, dimension, digest, max_tokens = "counting", 2, "0" * 64, 8

    def __init__(self, *, held=False):
        self.batches = []
        self.threads = set()
        self.entered = threading.Semaphore(0)
        self.may_go_on = threading.Event()
        if not held:
            self.may_go_on.set()

    def encode(self, texts):
        """Fail on the text "bad"; return a row too few for "short", and what is no number for "nan" and "inf"."""
        self.batches.append(list(texts))
        self.threads.add(threading.current_thread())
        self.entered.release()
        assert self.may_go_on.wait(10)
        if "bad" in texts:
            raise ArithmeticError("bad")
        rows = [[float(text) if text in {"nan", "inf"} else len(text), 1] for text in texts]
        return np.array(rows[1:] if "short" in texts else rows, np.float32).reshape(-1, 2)


async def held(encoder, embedder, text="first"):
    """Start to embed a text; return once the encoder is busy with it."""
    task = asyncio.create_task(embedder.embed(text))
    await asyncio.to_thread(encoder.entered.acquire)
    return task


async def started(embedder, *texts):
    """Start to embed texts; return once they wait."""
    tasks = [asyncio.create_task(embedder.embed(text)) for text in texts]
    await asyncio.sleep(0)
    return tasks


async def test_returns_the_encoders_vector():
    """A text's vector is what the encoder says it is."""
    embedder = Embedder(Counting())

    assert [5, 1] == (await embedder.embed("first")).tolist()
    await embedder.aclose()


@needs_slices
async def test_the_encoder_lets_the_event_loop_go_first():
    """On a core that both want, its thread stands back."""

    class Telling(Counting):
        def encode(self, texts):
            slices.add(slice_ns())
            return super().encode(texts)

    slices = set()
    embedder = Embedder(Telling())
    await embedder.embed("first")
    await embedder.aclose()

    assert {SLICE_NS} == slices


async def test_returns_vectors_that_nobody_can_change():
    """A vector is shared with the cache, so that it is read-only, and its own memory."""
    embedder = Embedder(Counting())

    vector = await embedder.embed("first")

    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 0
    assert vector.base is None
    await embedder.aclose()


async def test_gathers_what_arrives_while_the_encoder_is_busy():
    """Texts that wait go together, in the order of their arrival."""
    encoder = Counting(held=True)
    embedder = Embedder(encoder)
    tasks = [await held(encoder, embedder), *await started(embedder, "a", "bb", "ccc")]
    encoder.may_go_on.set()

    vectors = await asyncio.gather(*tasks)

    assert [["first"], ["a", "bb", "ccc"]] == encoder.batches
    assert [5, 1, 2, 3] == [vector[0] for vector in vectors]
    await embedder.aclose()


async def test_waits_for_no_company():
    """A text that comes alone goes alone, at once."""
    encoder = Counting()
    embedder = Embedder(encoder)

    await embedder.embed("a")
    await embedder.embed("b")

    assert [["a"], ["b"]] == encoder.batches
    await embedder.aclose()


async def test_limits_a_batch():
    """No more than `MAX_BATCH` texts go together."""
    encoder = Counting(held=True)
    embedder = Embedder(encoder)
    tasks = [await held(encoder, embedder), *await started(embedder, *map(str, range(MAX_BATCH + 1)))]
    encoder.may_go_on.set()
    await asyncio.gather(*tasks)

    assert [1, MAX_BATCH, 1] == [len(batch) for batch in encoder.batches]
    await embedder.aclose()


async def test_lets_long_texts_go_one_by_one():
    """Texts go together up to a number of characters; a longer one goes alone, in its turn."""
    encoder = Counting(held=True)
    embedder = Embedder(encoder)
    half, all_of_it, more = (c * n for c, n in zip("hax", (1024, MAX_BATCH_CHARACTERS, 3000), strict=True))
    tasks = [await held(encoder, embedder), *await started(embedder, half, "H" * 1024, "b", more, all_of_it, "c")]
    encoder.may_go_on.set()
    await asyncio.gather(*tasks)

    assert [["first"], [half, "H" * 1024], ["b"], [more], [all_of_it], ["c"]] == encoder.batches
    await embedder.aclose()


async def test_encodes_in_one_thread_that_is_not_the_event_loops():
    """The event loop never encodes."""
    encoder = Counting()
    embedder = Embedder(encoder)

    await asyncio.gather(*(embedder.embed(str(n)) for n in range(100)))

    (thread,) = encoder.threads
    assert thread is not threading.current_thread()
    await embedder.aclose()


class Quick(Counting):
    """An encoder to which texts of one letter are quick, and that reads no more than three letters."""

    def is_quick(self, text):
        """Tell whether it is a letter."""
        return len(text) == 1

    def read(self, text):
        """Return three letters."""
        return text[:3]


async def test_encodes_what_is_quick_on_the_spot():
    """The encoder is called by who asks; nothing is handed over, and the vector is kept as any other."""
    encoder = Quick()
    embedder = Embedder(encoder)

    vector = embedder.at_once("a")

    assert {threading.current_thread()} == encoder.threads
    assert vector is embedder.at_once("a") is await embedder.embed("a")
    assert [["a"]] == encoder.batches
    await embedder.aclose()


async def test_has_nothing_at_once_that_is_neither_quick_nor_kept():
    """A text that takes its time has to be waited for, and is there at once from then on."""
    embedder = Embedder(Quick())

    assert embedder.at_once("long") is None
    vector = await embedder.embed("long")

    assert vector is embedder.at_once("long")
    await embedder.aclose()


async def test_embeds_once_what_is_read_the_same():
    """Texts that differ beyond what the encoder reads are one text."""
    encoder = Quick()
    embedder = Embedder(encoder)

    assert await embedder.embed("same old") is await embedder.embed("same new")
    assert 1 == len(encoder.batches)
    await embedder.aclose()


async def test_encodes_nothing_on_the_spot_once_closed():
    """What is kept is still given."""
    embedder = Embedder(Quick())
    vector = embedder.at_once("a")
    await embedder.aclose()

    assert vector is embedder.at_once("a")
    with pytest.raises(RuntimeError, match="the embedder is closed"):
        embedder.at_once("b")


async def test_encodes_a_text_once_for_all_who_wait():
    """Identical texts share one encoding, whether it waits or runs."""
    encoder = Counting(held=True)
    embedder = Embedder(encoder)
    tasks = [await held(encoder, embedder, "a"), *await started(embedder, "a", "b", "b")]
    encoder.may_go_on.set()

    a, also_a, b, also_b = await asyncio.gather(*tasks)

    assert [["a"], ["b"]] == encoder.batches
    assert a is also_a
    assert b is also_b
    await embedder.aclose()


async def test_remembers_vectors():
    """A text that was embedded before costs nothing."""
    encoder = Counting()
    embedder = Embedder(encoder)

    assert await embedder.embed("a") is await embedder.embed("a")
    assert [["a"]] == encoder.batches
    await embedder.aclose()


async def test_forgets_what_was_not_used_for_longest():
    """The cache is bounded; a hit counts as use."""
    encoder = Counting()
    embedder = Embedder(encoder, cache_entries=2)

    for text in ["a", "b", "a", "c", "a", "b"]:
        await embedder.embed(text)

    assert [["a"], ["b"], ["c"], ["b"]] == encoder.batches
    await embedder.aclose()


async def test_does_without_a_cache():
    """No entries means that every text is encoded."""
    encoder = Counting()
    embedder = Embedder(encoder, cache_entries=0)

    await embedder.embed("a")
    await embedder.embed("a")

    assert [["a"], ["a"]] == encoder.batches
    await embedder.aclose()


async def test_one_who_leaves_does_not_disturb_the_others():
    """A cancelled wait ends at once; who waits for the same text, or in the same batch, gets a vector."""
    encoder = Counting(held=True)
    embedder = Embedder(encoder)
    first = await held(encoder, embedder)
    leaves, same, other = await started(embedder, "a", "a", "bb")
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    encoder.may_go_on.set()

    assert [[5, 1], [1, 1], [2, 1]] == [v.tolist() for v in await asyncio.gather(first, same, other)]
    await embedder.aclose()


async def test_drops_a_text_that_all_have_left_before_its_turn():
    """Abandoned work does not keep others waiting; a text that somebody still wants stays."""
    encoder = Counting(held=True)
    embedder = Embedder(encoder)
    tasks = [await held(encoder, embedder), *await started(embedder, "a", "bb", "bb", "ccc")]
    for task in tasks[1:3]:
        task.cancel()
    await asyncio.gather(*tasks[1:3], return_exceptions=True)
    encoder.may_go_on.set()

    await asyncio.gather(tasks[0], *tasks[3:])

    assert [["first"], ["bb", "ccc"]] == encoder.batches
    assert [1, 1] == (await embedder.embed("a")).tolist()
    await embedder.aclose()


async def test_finishes_a_text_that_it_has_begun():
    """A text whose only wait timed out while it was encoded is there for the next who asks."""
    encoder = Counting(held=True)
    embedder = Embedder(encoder)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(embedder.embed("a"), 0.01)
    encoder.may_go_on.set()

    assert [1, 1] == (await embedder.embed("a")).tolist()
    assert [["a"]] == encoder.batches
    await embedder.aclose()


async def test_an_error_reaches_its_batch_alone():
    """All who wait for the batch see the error; those before and after do not, and it is not remembered."""
    encoder = Counting(held=True)
    embedder = Embedder(encoder)
    first = await held(encoder, embedder)
    failing = await started(embedder, "a", "bad")
    encoder.may_go_on.set()

    assert [5, 1] == (await first).tolist()
    for task in failing:
        with pytest.raises(ArithmeticError):
            await task
    assert [1, 1] == (await embedder.embed("a")).tolist()
    await embedder.aclose()


async def test_an_error_that_nobody_waits_for_is_silent():
    """A batch that fails after all have left disturbs nobody."""
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    encoder = Counting(held=True)
    embedder = Embedder(encoder)
    task = await held(encoder, embedder, "bad")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    encoder.may_go_on.set()
    await embedder.aclose()

    assert [] == complaints


async def test_refuses_an_encoder_that_loses_rows():
    """A wrong number of vectors is an error for those who wait, never somebody else's vector."""
    embedder = Embedder(Counting())

    with pytest.raises(ValueError, match=r"'counting' returned the shape \(0, 2\), not \(1, 2\)"):
        await embedder.embed("short")
    await embedder.aclose()


@pytest.mark.parametrize("text", ["nan", "inf"])
async def test_refuses_an_encoder_that_returns_no_numbers(text):
    """It has failed, each time anew: nothing of it is kept, and what comes after is embedded."""
    embedder = Embedder(Counting())

    for _ in range(2):
        with pytest.raises(ValueError, match="'counting' returned a number that is not finite"):
            await embedder.embed(text)
    assert [5, 1] == (await embedder.embed("later")).tolist()
    await embedder.aclose()


async def test_closing_finishes_what_waits_and_ends_the_thread():
    """Every text that was accepted is answered; then the thread is gone."""
    encoder = Counting(held=True)
    embedder = Embedder(encoder)
    tasks = [await held(encoder, embedder), *await started(embedder, *map(str, range(MAX_BATCH + 1)))]
    closing = asyncio.create_task(embedder.aclose())
    await asyncio.sleep(0)
    encoder.may_go_on.set()

    await closing

    assert all(task.done() for task in await _settled(tasks))
    assert not any(thread.is_alive() for thread in encoder.threads)


async def _settled(tasks):
    """Let tasks take what is ready for them."""
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_refuses_texts_once_closed():
    """A closed embedder says so, and may be closed again."""
    embedder = Embedder(Counting())
    await embedder.aclose()
    await embedder.aclose()

    with pytest.raises(RuntimeError, match="the embedder is closed"):
        await embedder.embed("a")


@settings(max_examples=30, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=()), max_size=4).filter(lambda t: t != "bad"), max_size=80),
    cache_entries=st.integers(0, 3),
)
def test_gives_everybody_their_own_vector(texts, cache_entries):
    """Whatever is gathered, shared or forgotten, each wait ends with the vector of its own text."""

    async def embed_all():
        embedder = Embedder(Counting(), cache_entries=cache_entries)
        vectors = await asyncio.gather(*map(embedder.embed, texts))
        await embedder.aclose()
        return [vector[0] for vector in vectors]

    assert [len(text) for text in texts] == asyncio.run(embed_all())
