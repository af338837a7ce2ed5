"""The novelty gate of a run: one owner, admission in task order, kept in the store."""

from __future__ import annotations

from collections.abc import Sequence

from symposia.contracts import GateEntry, NoveltyCheck
from symposia.records import Draft, NoveltyVerdict
from symposia.store import RunStore

__all__ = ["Gate"]


class Gate:
    """Implements `symposia.contracts.NoveltyGate` over one or more checks.

    What it holds is staged until the engine has stored the decision it belongs to; the checks' indexes are
    projections of the store and are reconciled with it when the gate is opened.

    Args:
        checks: The levels, cheap ones first; a draft must be new to all of them.
    """

    def __init__(self, checks: Sequence[NoveltyCheck]) -> None:
        self._checks = checks
        self._held: list[tuple[NoveltyCheck, GateEntry]] = []
        self._released = False

    async def open(self, store: RunStore) -> None:
        """Restore what the store holds."""
        for check in self._checks:
            await check.open(store.gate_entries(check.name))

    async def probe(self, draft: Draft, as_of: int) -> NoveltyVerdict | None:
        """Compare with what was settled up to ``as_of``; changes nothing."""
        verdict = None
        for check in self._checks:
            verdict = await check.probe(draft, as_of)
            if not verdict.novel:
                break
        return verdict

    async def reserve(self, task: int, draft: Draft) -> NoveltyVerdict | None:
        """Final verdict; a draft that is new to every check is held from now on."""
        entries = []
        verdict = None
        for check in self._checks:
            verdict, entry = await check.compare(draft, task)
            if not verdict.novel:
                return verdict
            entries.append((check, entry))
        for check, entry in entries:
            await check.hold(entry)
        self._held.extend(entries)
        return verdict

    async def release(self, task: int) -> None:
        """Give up what is held for a task."""
        for check in self._checks:
            await check.release(task)
        self._held = [(check, entry) for check, entry in self._held if entry.task != task]
        self._released = True

    def staged(self) -> tuple[tuple[GateEntry, ...], bool]:
        """What the decision under way changes: entries to hold, and whether the task's old ones are given up."""
        return tuple(entry for _, entry in self._held), self._released

    async def settled(self, log: int) -> None:
        """The decision is stored under this settle-log number: its entries are now visible to probes."""
        for check, entry in self._held:
            await check.hold(entry._replace(log=log))
        self._held = []
        self._released = False

    async def close(self) -> None:
        """Close the checks; may be called twice."""
        for check in self._checks:
            await check.close()
