"""Who asks or speaks in a sample."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from symposia.records.base import Record

__all__ = ["Persona", "PersonaPack", "Register"]

Register = Literal["plain", "casual", "formal", "technical", "playful", "academic"]


class Persona(Record):
    """A person drawn for diverse prompting (Ge et al. 2024, "Scaling Synthetic Data Creation with Personas").

    Attributes:
        id: Kebab-case name, unique in its pack.
        name: How to call them in a prompt, for example "A night-shift nurse".
        description: One or two sentences on who they are and what they want to know.
        expertise: What they know well.
        style: How they ask or write.
        speech_register: Level of language (``register`` in YAML and JSON).
        tags: Free words for sampling.
        weight: Relative chance of being drawn, greater than 0.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str = Field(min_length=1)
    description: str = ""
    expertise: str = ""
    style: str = ""
    speech_register: Register = Field(default="plain", alias="register")
    tags: tuple[str, ...] = ()
    weight: float = Field(default=1.0, gt=0)

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class PersonaPack(Record):
    """A named set of personas, as a YAML file holds it."""

    name: str
    version: str = "1"
    description: str = ""
    personas: tuple[Persona, ...] = Field(min_length=1)
