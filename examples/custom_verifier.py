"""A verifier of your own: a plugin in twenty lines, tried out without installing it.

To ship it, put the class and the hook into a module of their own and name it in the entry-point group ``symposia``
of its distribution (see docs/plugins.md).
"""

from __future__ import annotations

import asyncio

import symposia


class PolitenessParams(symposia.Params):
    """Parameters of the verifier."""

    field: str = "answer"
    words: tuple[str, ...] = ("please", "thank")


class Politeness:
    """Passes when a field holds a polite word."""

    name = "politeness"
    version = "1"
    evidence = "form"
    cost = "cheap"

    def __init__(self, params: PolitenessParams) -> None:
        self._params = params

    async def verify(self, draft: symposia.Draft, task: symposia.Task) -> symposia.Verdict:
        """Look for a polite word."""
        text = str(draft.payload.get(self._params.field, "")).lower()
        found = [word for word in self._params.words if word in text]
        return symposia.Verdict(
            verifier=self.name,
            version=self.version,
            kind="form",
            status="pass" if found else "fail",
            cause="" if found else "impolite",
            round=draft.round,
            evidence=symposia.Evidence(summary=f"Polite words found: {', '.join(found) or 'none'}."),
        )


@symposia.hookimpl
def register_verifiers() -> list[symposia.Offer[Politeness]]:
    """Offer the verifier to recipes as ``politeness``."""
    return [
        symposia.Offer(
            "politeness", lambda params, bench: Politeness(params), "Holds a polite word.", PolitenessParams
        )
    ]


async def main() -> None:
    """Build the verifier as a run would, and try it."""
    import sys
    from pathlib import Path

    host = symposia.Host(extra=[sys.modules[__name__]])
    verifier = symposia.Workbench(host, Path()).build("verifier", "politeness", {"field": "answer"})
    for answer in ("Open it.", "Please open it."):
        draft = symposia.Draft(round=0, author="teacher", payload={"answer": answer})
        verdict = await verifier.verify(draft, symposia.Task(number=0))
        print(f"{answer!r}: {verdict.status} {verdict.cause} - {verdict.evidence.summary}")


if __name__ == "__main__":
    asyncio.run(main())
