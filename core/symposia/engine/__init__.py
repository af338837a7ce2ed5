"""The engine: numbered tasks, negotiations in flight, settling in order, resume by running again."""

from symposia.engine.result import EXIT_CODES, Rest, RunResult, RunState, StopSignal
from symposia.engine.run import Listener, apply_reviews, run_recipe

__all__ = [
    "EXIT_CODES",
    "Listener",
    "Rest",
    "RunResult",
    "RunState",
    "StopSignal",
    "apply_reviews",
    "run_recipe",
]
