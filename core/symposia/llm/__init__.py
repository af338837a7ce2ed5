"""Asking models: the request ledger, adaptive limits, the budget and the repair ladder.

A `Seating` seats a model in each role. A seated role turns a question into a request; a client answers it out of
the `Ledger`, or sends it once, waits as long as the endpoint wants, and stores the answer before anybody uses it.
"""

from symposia.llm.bill import LedgerStats, bill, stats
from symposia.llm.budget import Budget
from symposia.llm.cassette import Cassette, ReplayBackend, export_cassette
from symposia.llm.explain import Difference, Explanation, Near, explain
from symposia.llm.keys import Draw, LogicalModel
from symposia.llm.ledger import Ledger
from symposia.llm.limits import Patience
from symposia.llm.role import SeatedRole
from symposia.llm.seating import Seating
from symposia.llm.tally import Pulse

__all__ = [
    "Budget",
    "Cassette",
    "Difference",
    "Draw",
    "Explanation",
    "Ledger",
    "LedgerStats",
    "LogicalModel",
    "Near",
    "Patience",
    "Pulse",
    "ReplayBackend",
    "SeatedRole",
    "Seating",
    "bill",
    "explain",
    "export_cassette",
    "stats",
]
