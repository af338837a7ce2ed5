"""Built-in critics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

import symposia

if TYPE_CHECKING:
    from symposia.contracts import Critic

__all__ = ["ConstitutionParams", "register_critics"]


class ConstitutionParams(symposia.Params):
    """Parameters of the critic ``constitution``.

    Attributes:
        per_principle: Ask about one principle at a time, which small models do better, instead of about all at
            once.
        max_objections: Most objections to one draft; the weightiest are kept.
        examples: Whether each principle is shown with its two examples.
        max_chars: Most characters of each text in an answer; for small models that run on. It becomes part of the
            schema, and some hosted endpoints refuse it.
    """

    per_principle: bool = False
    max_objections: int = Field(default=5, ge=1, le=50)
    examples: bool = True
    max_chars: int | None = Field(default=None, ge=20)


def _build_constitution(params: ConstitutionParams, bench: symposia.BuildContext) -> Critic:
    from symposia_plugins.critics.constitution import ConstitutionCritic

    return ConstitutionCritic(params)


@symposia.hookimpl
def register_critics() -> list[symposia.Offer[Critic]]:
    """Offer ``constitution``."""
    return [
        symposia.Offer(
            "constitution",
            _build_constitution,
            "Objects where a draft breaks a principle, with a verbatim quote.",
            ConstitutionParams,
        )
    ]
