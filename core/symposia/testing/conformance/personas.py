"""Rules that every persona pack keeps."""

from __future__ import annotations

from collections.abc import Callable

from symposia.contracts import Personas
from symposia.records import Persona
from symposia.testing.conformance.rules import require

__all__ = ["check_personas"]


async def check_personas(build: Callable[[], Personas]) -> None:
    """Check a persona pack.

    Args:
        build: Makes the pack.

    Raises:
        AssertionError: A rule is broken; the message says which.
    """
    pack = build()
    personas = list(pack.personas())
    require(personas, "a pack has at least one persona")
    require(personas == list(pack.personas()) == list(build().personas()), "the order is stable")
    ids = [persona.id for persona in personas]
    require(len(set(ids)) == len(ids), "each persona has an id of its own")
    for persona in personas:
        again = Persona.model_validate_json(persona.model_dump_json())
        require(again == persona, f"the persona {persona.id} survives JSON")
