"""What answers cost, and what a ledger holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from symposia.llm import tables
from symposia.records import Usage

__all__ = ["LedgerStats", "bill", "stats"]


@dataclass(frozen=True, slots=True)
class LedgerStats:
    """What a ledger holds.

    Attributes:
        entries: Answered requests.
        truncated: Those whose answer was cut off.
        failures: Requests that could not be answered.
        verdicts: Stored verdicts.
        size_bytes: Size of the file.
        runs: For each run that paid for answers how many, most first.
        models: For each model, ``<backend>/<model>``, what its answers cost.
    """

    entries: int
    truncated: int
    failures: int
    verdicts: int
    size_bytes: int
    runs: dict[str, int]
    models: dict[str, Usage]


def bill(ledger_path: Path, run: str | None = None) -> dict[str, Usage]:
    """What a run paid for by model, or all runs together; a cost is None when the price of any answer is unknown.

    Raises:
        StoreError: There is no ledger, or it can't be read.
    """
    entry = tables.entries.c
    asked = (
        select(
            entry.backend,
            entry.model,
            func.count(),
            func.sum(entry.prompt_tokens),
            func.sum(entry.completion_tokens),
            func.sum(entry.cost_usd),
            func.count(entry.cost_usd),
        )
        .group_by(entry.backend, entry.model)
        .order_by(entry.backend, entry.model)
    )
    if run is not None:
        asked = asked.where(entry.run == run)
    engine = tables.open_to_read(ledger_path)
    with tables.store_errors(ledger_path), engine.connect() as connection:
        return {
            f"{backend}/{model}": Usage(
                calls=calls,
                prompt_tokens=read,
                completion_tokens=written,
                cost_usd=cost if priced == calls else None,
            )
            for backend, model, calls, read, written, cost, priced in connection.execute(asked)
        }


def stats(ledger_path: Path) -> LedgerStats:
    """What a ledger holds.

    Raises:
        StoreError: There is no ledger, or it can't be read.
    """
    entry = tables.entries.c
    models = bill(ledger_path)
    engine = tables.open_to_read(ledger_path)
    with tables.store_errors(ledger_path), engine.connect() as connection:
        counted = func.count().label("answers")
        by_run = select(entry.run, counted).group_by(entry.run).order_by(counted.desc(), entry.run)
        cut = select(func.count()).where(func.json_extract(entry.reply, "$.finish_reasons[0]") == "length")
        return LedgerStats(
            entries=connection.execute(select(func.count()).select_from(tables.entries)).scalar_one(),
            truncated=connection.execute(cut).scalar_one(),
            failures=connection.execute(select(func.count()).select_from(tables.failures)).scalar_one(),
            verdicts=connection.execute(select(func.count()).select_from(tables.verdicts)).scalar_one(),
            size_bytes=ledger_path.stat().st_size,
            runs={run: answers for run, answers in connection.execute(by_run)},
            models=models,
        )
