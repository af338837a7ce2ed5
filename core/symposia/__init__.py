"""Symposia: training data negotiated sample by sample.

This is the one import that a plugin author or a script needs. Names are loaded when they are first used, so that
importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symposia.api import run as run
    from symposia.api import run_async as run_async
    from symposia.contracts import Answer as Answer
    from symposia.contracts import Ask as Ask
    from symposia.contracts import NegotiateContext as NegotiateContext
    from symposia.contracts import RoleModel as RoleModel
    from symposia.contracts import Schema as Schema
    from symposia.errors import SymposiaError as SymposiaError
    from symposia.hookspecs import hookimpl as hookimpl
    from symposia.host import Host as Host
    from symposia.host import Workbench as Workbench
    from symposia.offers import BackendParams as BackendParams
    from symposia.offers import BuildContext as BuildContext
    from symposia.offers import Offer as Offer
    from symposia.offers import Params as Params
    from symposia.offers import TextOffer as TextOffer
    from symposia.recipes import load_recipe as load_recipe
    from symposia.records import Constitution as Constitution
    from symposia.records import Decision as Decision
    from symposia.records import Draft as Draft
    from symposia.records import Evidence as Evidence
    from symposia.records import Judgment as Judgment
    from symposia.records import Message as Message
    from symposia.records import Negotiation as Negotiation
    from symposia.records import Objection as Objection
    from symposia.records import Persona as Persona
    from symposia.records import Recipe as Recipe
    from symposia.records import Sample as Sample
    from symposia.records import SourceRow as SourceRow
    from symposia.records import Task as Task
    from symposia.records import Ticket as Ticket
    from symposia.records import Verdict as Verdict

__version__ = "0.1.0"

_HOME = {
    "symposia.api": ("run", "run_async"),
    "symposia.contracts": ("Answer", "Ask", "NegotiateContext", "RoleModel", "Schema"),
    "symposia.errors": ("SymposiaError",),
    "symposia.hookspecs": ("hookimpl",),
    "symposia.host": ("Host", "Workbench"),
    "symposia.offers": ("BackendParams", "BuildContext", "Offer", "Params", "TextOffer"),
    "symposia.recipes": ("load_recipe",),
    "symposia.records": (
        "Constitution",
        "Decision",
        "Draft",
        "Evidence",
        "Judgment",
        "Message",
        "Negotiation",
        "Objection",
        "Persona",
        "Recipe",
        "Sample",
        "SourceRow",
        "Task",
        "Ticket",
        "Verdict",
    ),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Answer",
    "Ask",
    "BackendParams",
    "BuildContext",
    "Constitution",
    "Decision",
    "Draft",
    "Evidence",
    "Host",
    "Judgment",
    "Message",
    "NegotiateContext",
    "Negotiation",
    "Objection",
    "Offer",
    "Params",
    "Persona",
    "Recipe",
    "RoleModel",
    "Sample",
    "Schema",
    "SourceRow",
    "SymposiaError",
    "Task",
    "TextOffer",
    "Ticket",
    "Verdict",
    "Workbench",
    "hookimpl",
    "load_recipe",
    "run",
    "run_async",
]


def __getattr__(name: str) -> Any:
    module = _WHERE.get(name)
    if module is None:
        raise AttributeError(f"module 'symposia' has no attribute '{name}'")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value
