"""The public test kit: a scripted backend, a mock OpenAI server, and conformance suites for every contract.

Names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symposia.testing.mock_openai import Faults as Faults
    from symposia.testing.mock_openai import MockOpenAI as MockOpenAI
    from symposia.testing.mock_openai import MockReply as MockReply
    from symposia.testing.scripted import ScriptedBackend as ScriptedBackend
    from symposia.testing.scripted import ScriptedPlugin as ScriptedPlugin

__all__ = ["Faults", "MockOpenAI", "MockReply", "ScriptedBackend", "ScriptedPlugin"]

_WHERE = {
    "Faults": "symposia.testing.mock_openai",
    "MockOpenAI": "symposia.testing.mock_openai",
    "MockReply": "symposia.testing.mock_openai",
    "ScriptedBackend": "symposia.testing.scripted",
    "ScriptedPlugin": "symposia.testing.scripted",
}


def __getattr__(name: str) -> Any:
    module = _WHERE.get(name)
    if module is None:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(module), name)
