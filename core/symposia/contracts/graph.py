"""A conversation: how a ticket becomes a negotiation, and a negotiation a decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from symposia.contracts.critic import Critic
from symposia.contracts.judge import Judge
from symposia.contracts.novelty import NoveltyGate, NoveltyProbe
from symposia.contracts.role import RoleModel, Schema
from symposia.contracts.verifier import Verifier
from symposia.records import (
    Constitution,
    Decision,
    Draft,
    HumanDecision,
    JsonObject,
    Message,
    Negotiation,
    NegotiationSpec,
    ReviewSpec,
    Task,
    Ticket,
    Turn,
    Verdict,
)

__all__ = [
    "ConcludeContext",
    "Conclusion",
    "Graph",
    "NegotiateContext",
    "ReviewPick",
    "SeatedJudge",
    "SeatedVerifier",
    "VerdictStore",
]


class VerdictStore(Protocol):
    """Verdicts by (verifier, version, params, input), so that a resume does not verify again."""

    async def get(self, key: str) -> Verdict | None:
        """The stored verdict, or None."""

    async def put(self, key: str, verdict: Verdict) -> None:
        """Store a verdict; errors are never stored."""


@dataclass(frozen=True)
class SeatedVerifier:
    """A verifier with its place in the recipe; `params_hash` tells differently configured ones apart."""

    verifier: Verifier
    required: bool
    params_hash: str


@dataclass(frozen=True)
class SeatedJudge:
    """A judge with its model."""

    name: str
    judge: Judge
    model: RoleModel
    independent: bool
    trusted: bool = False


def _ignore(task: int, turn: Turn, draft: Draft | None) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class NegotiateContext:
    """What the nodes of a negotiation work with; reaches them through ``Runtime[NegotiateContext]``.

    Attributes:
        roles: Models by role; ``teacher``, ``critic`` and ``reviser`` are always there.
        critic: The part that reads the constitution; None for a negotiation without a critic.
        constitution: The principles; None together with ``critic``.
        verifiers: The checks, in recipe order.
        judges: The panel; may be empty.
        settings: How long roles argue.
        novelty_retries: How often a near duplicate goes back to the teacher.
        probe: The read-only novelty gate, or None.
        verdicts: Where verdicts are kept, or None.
        on_turn: Called with task number, turn and draft as soon as a role spoke.
    """

    roles: Mapping[str, RoleModel]
    critic: Critic | None = None
    constitution: Constitution | None = None
    verifiers: Sequence[SeatedVerifier] = ()
    judges: Sequence[SeatedJudge] = ()
    settings: NegotiationSpec = field(default_factory=NegotiationSpec)
    novelty_retries: int = 0
    probe: NoveltyProbe | None = None
    verdicts: VerdictStore | None = None
    on_turn: Callable[[int, Turn, Draft | None], None] = field(default=_ignore)


@dataclass(frozen=True)
class ReviewPick:
    """That a person shall see a sample: by which policy, and with which chance it was picked."""

    policy: str
    selection_probability: float


@dataclass(frozen=True)
class ConcludeContext:
    """What the nodes of the conclusion work with; only the driver has one.

    Attributes:
        settings: The rule of acceptance.
        review: Which samples a person sees.
        run_seed: Seed for the random share of the review.
        gate: The novelty gate, or None.
        verifiers: The checks; an edited draft passes them anew.
        verdicts: Where verdicts are kept, or None.
    """

    settings: NegotiationSpec = field(default_factory=NegotiationSpec)
    review: ReviewSpec = field(default_factory=ReviewSpec)
    run_seed: int = 0
    gate: NoveltyGate | None = None
    verifiers: Sequence[SeatedVerifier] = ()
    verdicts: VerdictStore | None = None


@dataclass(frozen=True)
class Conclusion:
    """A decision, with the negotiation as it stands after it (an edit adds a draft and verdicts).

    A decision with outcome ``parked`` waits for a person; give it to `Graph.resume` with what they decided.
    """

    decision: Decision
    negotiation: Negotiation


class Graph(Protocol):
    """A method: what is drafted, and how it is argued about."""

    @property
    def name(self) -> str:
        """Name of the graph."""

    @property
    def fingerprint(self) -> str:
        """Hash of its prompts and version: a run made with another one is another run."""

    def draft_schema(self, task: Task) -> Schema:
        """The form of a draft for this task."""

    def messages(self, task: Task, payload: JsonObject) -> tuple[Message, ...]:
        """The chat view of an accepted payload; empty when the method has none."""

    async def negotiate(self, ticket: Ticket, context: NegotiateContext) -> Negotiation:
        """Steps 1-7: from a ticket to the best draft and its judgments; a function of its arguments.

        Raises:
            EndpointError: No request can be answered; the task stays open.
            CapExceededError: A cap leaves no room; the task stays open.
        """

    async def conclude(self, negotiation: Negotiation, context: ConcludeContext) -> Conclusion:
        """Steps 8-10, in task order: admit, review, settle."""

    async def resume(self, parked: Negotiation, human: HumanDecision, context: ConcludeContext) -> Conclusion:
        """Go on with a parked sample from a person's decision."""

    async def close(self) -> None:
        """Free checkpoints; may be called twice."""
