"""The plan of a run. YAML is read into it by `symposia.recipes`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from symposia.records.base import JsonObject, Record

__all__ = [
    "ExportSpec",
    "JudgeSpec",
    "Limits",
    "NegotiationSpec",
    "NoveltySpec",
    "PartSpec",
    "PersonaSpec",
    "Recipe",
    "ReviewSpec",
    "RoleSpec",
    "Roles",
    "SourceSpec",
    "VerifierSpec",
]


def _named(value: Any) -> Any:
    """`name` is short for `{use: name}`."""
    return {"use": value} if isinstance(value, str) else value


class PartSpec(Record):
    """A part by name; every further key is a parameter of that part, checked by its own model."""

    model_config = ConfigDict(extra="allow")

    use: str

    @property
    def params(self) -> JsonObject:
        """The part's own parameters."""
        return dict(self.__pydantic_extra__ or {})


class SourceSpec(PartSpec):
    """Where task seeds come from."""

    order: Literal["shuffled", "sequential"] = "shuffled"


class PersonaSpec(PartSpec):
    """Which personas are drawn, and how many a task."""

    per_task: Literal[0, 1] = 1


class VerifierSpec(PartSpec):
    """A verifier, and whether its failure keeps a sample out."""

    required: bool = True


class ExportSpec(PartSpec):
    """A format that is written when the run rests."""


class RoleSpec(Record):
    """The model that takes a role and how it is asked.

    Attributes:
        model: ``<backend>/<model>``, for example ``vllm/Qwen/Qwen3-8B`` or ``local/smollm2``.
        temperature: Sampling temperature; at 0 equal requests share one answer.
        top_p: Nucleus sampling.
        max_tokens: Most tokens of one reply.
        base_url: Address of an OpenAI-compatible server, up to and with ``/v1``.
        api_key_env: Name of the environment variable that holds the key; never the key.
        timeout_s: Deadline of one request on the wire, seconds.
        backend_params: Parameters of the backend itself, checked by its own model (``symposia plugins``).
        options: Further sampling settings, passed to the backend as they are.
    """

    model: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*/.+$")
    temperature: float = Field(default=0.7, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int = Field(default=1024, ge=1)
    base_url: str | None = None
    api_key_env: str | None = None
    timeout_s: float = Field(default=300.0, gt=0)
    backend_params: JsonObject = Field(default_factory=dict)
    options: JsonObject = Field(default_factory=dict)

    @property
    def backend(self) -> str:
        """The backend's name."""
        return self.model.split("/", 1)[0]

    @property
    def model_name(self) -> str:
        """The model's name at the backend."""
        return self.model.split("/", 1)[1]


class JudgeSpec(RoleSpec):
    """A judge of the panel."""

    use: str = "rubric"
    name: str | None = None
    temperature: float = Field(default=0.0, ge=0, le=2)
    max_tokens: int = Field(default=512, ge=1)
    params: JsonObject = Field(default_factory=dict)


class Roles(Record):
    """Who speaks. A critic or reviser that is not named is the teacher's model in that role."""

    teacher: RoleSpec
    critic: RoleSpec | None = None
    reviser: RoleSpec | None = None
    judges: tuple[JudgeSpec, ...] = ()


class NegotiationSpec(Record):
    """How long roles argue and when a draft is good enough.

    Attributes:
        max_rounds: Most revisions of a draft.
        accept_at: Least score of a trusted judge.
        per_principle: Ask the critic about one principle at a time.
        max_tokens: Budget of one negotiation, tokens read and written.
        min_evidence: Least number of passing content evidence.
    """

    max_rounds: int = Field(default=3, ge=0, le=20)
    accept_at: float = Field(default=0.8, ge=0, le=1)
    per_principle: bool = False
    max_tokens: int | None = Field(default=None, ge=1)
    min_evidence: int = Field(default=1, ge=0)


class NoveltySpec(Record):
    """The novelty gate.

    Attributes:
        use: Index that holds the vectors (``exact`` or ``chroma``).
        embedder: What makes the vectors.
        threshold: Cosine similarity at or above which a draft is a near duplicate.
        retries: How often a near duplicate goes back to the teacher with its neighbours named.
        fields: Payload fields that are compared; all text when empty.
    """

    use: str = "exact"
    embedder: Annotated[PartSpec, BeforeValidator(_named)] = PartSpec(use="wordllama")
    threshold: float = Field(default=0.92, gt=0, le=1)
    retries: int = Field(default=1, ge=0, le=10)
    fields: tuple[str, ...] = ()


class ReviewSpec(Record):
    """Which samples a person sees.

    Attributes:
        policy: ``none``, ``all``, a random ``share``, or the ``uncertain`` ones (undecided, or judges apart).
        share: Chance of being picked, for ``share`` and as an audit beside ``uncertain``.
        blocking: Whether a picked sample waits; False accepts it in place, and a later rejection withdraws it.
        blind: Whether judges' scores are hidden from the reviewer until the decision.
    """

    policy: Literal["none", "all", "share", "uncertain"] = "none"
    share: float = Field(default=0.05, ge=0, le=1)
    blocking: bool = True
    blind: bool = True


class Limits(Record):
    """Caps and pace. Caps cut the sequence of tasks; they never change what is in it.

    Attributes:
        in_flight: Negotiations at once.
        window: How far a task may run ahead of settling; default 4 × ``in_flight``, frozen at the first start.
        max_candidates: Most tasks drawn.
        max_cost_usd: Most money spent.
        max_tokens: Most tokens read and written.
        max_seconds: Longest wall time of one command.
        max_failed_share: Share of failed tasks above which the exit code is not 0.
    """

    in_flight: int = Field(default=16, ge=1, le=4096)
    window: int | None = Field(default=None, ge=1)
    max_candidates: int | None = Field(default=None, ge=1)
    max_cost_usd: float | None = Field(default=None, gt=0)
    max_tokens: int | None = Field(default=None, ge=1)
    max_seconds: float | None = Field(default=None, gt=0)
    max_failed_share: float = Field(default=0.2, ge=0, le=1)

    @model_validator(mode="after")
    def _window_holds_in_flight(self) -> Limits:
        if self.window is not None and self.window < self.in_flight:
            raise ValueError(f"window ({self.window}) must be at least in_flight ({self.in_flight})")
        return self


class Recipe(Record):
    """A whole run, as data.

    Attributes:
        name: Kebab-case name; the run folder starts with it.
        description: One sentence.
        graph: Name of the graph.
        samples: Number of ACCEPTED samples to make.
        seed: Seed of everything that is drawn.
        source: Where task seeds come from; None where the graph makes its own.
        roles: Who speaks.
        personas: Who asks, drawn for each task.
        systems: System instructions, one drawn for each task; none when empty.
        constitution: Name of a shipped constitution or path of a YAML file; None for no critic.
        critic: The critic part that reads the constitution.
        verifiers: The checks, in order; cheap ones run first.
        negotiation: How the roles argue.
        novelty: The gate, or None for none.
        review: Which samples a person sees.
        limits: Caps and pace.
        exports: What is written beside the store.
        parameters: Parameters of the graph.
    """

    name: str = Field(default="run", pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    description: str = ""
    graph: str
    samples: int = Field(default=10, ge=1)
    seed: int = Field(default=0, ge=0)
    source: Annotated[SourceSpec, BeforeValidator(_named)] | None = None
    roles: Roles
    personas: Annotated[PersonaSpec, BeforeValidator(_named)] | None = None
    systems: tuple[str, ...] = ()
    constitution: str | None = None
    critic: Annotated[PartSpec, BeforeValidator(_named)] = PartSpec(use="constitution")
    verifiers: tuple[Annotated[VerifierSpec, BeforeValidator(_named)], ...] = ()
    negotiation: NegotiationSpec = NegotiationSpec()
    novelty: NoveltySpec | None = NoveltySpec()
    review: ReviewSpec = ReviewSpec()
    limits: Limits = Limits()
    exports: tuple[Annotated[ExportSpec, BeforeValidator(_named)], ...] = (ExportSpec(use="jsonl"),)
    parameters: JsonObject = Field(default_factory=dict)
