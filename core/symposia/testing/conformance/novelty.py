"""Rules that every novelty check keeps."""

from __future__ import annotations

from collections.abc import Callable

from symposia.contracts import GateEntry, NoveltyCheck
from symposia.records import Draft
from symposia.testing.conformance.rules import ODD_TEXTS, require

__all__ = ["check_novelty_check"]


async def check_novelty_check(
    build: Callable[[], NoveltyCheck],
    *,
    draft: Callable[[str], Draft],
    first: str,
    near: str,
    far: str,
) -> None:
    """Check a novelty check.

    Args:
        build: Makes a check that holds nothing yet; each call one of its own.
        draft: Makes a draft of a text.
        first: A text.
        near: A text that is a near duplicate of ``first``; may be the same.
        far: A text that is not.

    Raises:
        AssertionError: A rule is broken; the message says which.
    """
    check = build()
    await check.open(())
    verdict, entry = await check.compare(draft(first), 4)
    require(verdict.novel and verdict.check == check.name, "the first draft is new")
    require((entry.check, entry.task, entry.log) == (check.name, 4, 0), "an entry names check and task, log 0")
    require((await check.compare(draft(near), 5))[0].novel, "comparing holds nothing")
    await check.hold(entry)
    verdict, _ = await check.compare(draft(near), 5)
    require(not verdict.novel and verdict.neighbours, "a near duplicate of what is held is not new")
    require(verdict.similarity == verdict.neighbours[0].similarity, "the nearest neighbour comes first")
    require((await check.compare(draft(near), 4))[0].novel, "a task's own entry is no neighbour")
    require((await check.compare(draft(far), 6))[0].novel, "a different draft is new")
    await _settles(check, entry, draft(near))
    for text in ODD_TEXTS:
        await check.probe(draft(text), 7)
        await check.compare(draft(text), 8)
    restored = build()
    await restored.open((entry._replace(log=7),))
    before, after = await check.probe(draft(near), 7), await restored.probe(draft(near), 7)
    require(before == after, "a check restored from its entries says the same, to the bit")
    await check.release(4)
    await check.release(4)
    require((await check.compare(draft(near), 5))[0].novel, "what was released is held no longer")
    require((await check.probe(draft(near), 10**6)).novel, "nor seen by a probe")
    for one in (check, restored):
        await one.close()
        await one.close()


async def _settles(check: NoveltyCheck, entry: GateEntry, near: Draft) -> None:
    require((await check.probe(near, 10**6)).novel, "a probe does not see what is not settled")
    await check.hold(entry._replace(log=7))
    require((await check.probe(near, 6)).novel, "a probe does not see what was settled later")
    require(not (await check.probe(near, 7)).novel, "a probe sees what was settled by then")
    require(not (await check.compare(near, 5))[0].novel, "a settled entry is still held")
