"""The store: a run folder with one SQLite file that holds every candidate's fate."""

from symposia.store.listing import LEDGER_FILE, RunSummary, find_run, list_runs
from symposia.store.lock import RunLock
from symposia.store.reader import STORE_FILE, RunReader
from symposia.store.run_store import RunStore
from symposia.store.values import Assigned, CauseCount, Counts, QueuedReview, Settlement

__all__ = [
    "LEDGER_FILE",
    "STORE_FILE",
    "Assigned",
    "CauseCount",
    "Counts",
    "QueuedReview",
    "RunLock",
    "RunReader",
    "RunStore",
    "RunSummary",
    "Settlement",
    "find_run",
    "list_runs",
]
