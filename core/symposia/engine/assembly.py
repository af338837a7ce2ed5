"""Assembly: from a recipe's names to the parts that run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from symposia.contracts import (
    Critic,
    Graph,
    Judge,
    NoveltyCheck,
    Personas,
    RoleModel,
    SeatedJudge,
    SeatedVerifier,
    Source,
    Verifier,
)
from symposia.engine.gate import Gate
from symposia.engine.identity import Fingerprints
from symposia.host import Workbench
from symposia.llm import Seating
from symposia.recipes import load_constitution
from symposia.records import (
    Constitution,
    JsonObject,
    JudgeSpec,
    Persona,
    Recipe,
    RoleSpec,
    content_hash,
)

__all__ = ["Parts", "build_gate", "build_graph", "build_parts", "seat_judges", "seat_roles"]


@dataclass(frozen=True)
class Parts:
    """What a recipe names and what needs no run folder and no model."""

    source: Source | None
    personas: Sequence[Persona]
    constitution: Constitution | None
    critic: Critic | None
    verifiers: Sequence[SeatedVerifier]
    judges: Sequence[tuple[JudgeSpec, Judge]] = field(default=())

    def fingerprints(self, graph: Graph) -> Fingerprints:
        """Hashes of all parts that decide content.

        Raises:
            SourceError: The source can't be read.
        """
        return Fingerprints(
            source=self.source.digest() if self.source else "",
            graph=f"{graph.name} {graph.fingerprint}",
            constitution=self.constitution.hash if self.constitution else "",
            critic=self.critic.fingerprint if self.critic else "",
            personas=content_hash([p.model_dump(mode="json") for p in self.personas]) if self.personas else "",
            verifiers=tuple(f"{v.verifier.name} {v.verifier.version} {v.params_hash}" for v in self.verifiers),
            judges=tuple(judge.fingerprint for _, judge in self.judges),
        )


def build_parts(recipe: Recipe, bench: Workbench) -> Parts:
    """Build the parts of a recipe.

    Raises:
        PluginError: A part is unknown, broken, or needs a library that is not installed.
        RecipeError: A parameter is wrong.
    """
    source = recipe.source
    personas = recipe.personas
    constitution = None
    critic = None
    if recipe.constitution is not None:
        constitution = load_constitution(recipe.constitution, base=bench.base, host=bench.host)
        params = recipe.critic.params
        if recipe.negotiation.per_principle:
            params = {**params, "per_principle": True}
        critic = cast(Critic, bench.build("critic", recipe.critic.use, params))
    pack = cast(Personas, bench.build("personas", personas.use, personas.params)) if personas else None
    return Parts(
        source=cast(Source, bench.build("source", source.use, source.params)) if source else None,
        personas=tuple(pack.personas()) if pack and personas and personas.per_task else (),
        constitution=constitution,
        critic=critic,
        verifiers=tuple(
            SeatedVerifier(
                cast(Verifier, bench.build("verifier", spec.use, spec.params)),
                spec.required,
                content_hash(spec.params)[:16],
            )
            for spec in recipe.verifiers
        ),
        judges=tuple(
            (spec, cast(Judge, bench.build("judge", spec.use, spec.params))) for spec in recipe.roles.judges
        ),
    )


def build_graph(recipe: Recipe, bench: Workbench) -> Graph:
    """Build the recipe's graph; with a run folder on the bench it can park samples there."""
    return cast(Graph, bench.build("graph", recipe.graph, recipe.parameters))


def build_gate(recipe: Recipe, bench: Workbench) -> Gate | None:
    """Build the novelty gate, or None where the recipe wants none."""
    spec = recipe.novelty
    if spec is None:
        return None
    params: JsonObject = {
        "index": {"use": spec.use},
        "embedder": {"use": spec.embedder.use, **spec.embedder.params},
        "threshold": spec.threshold,
        "fields": list(spec.fields),
    }
    return Gate([cast(NoveltyCheck, bench.build("novelty_check", "embedding", params))])


async def seat_roles(recipe: Recipe, seating: Seating) -> dict[str, RoleModel]:
    """Seat teacher, critic and reviser; a role that is not named is the teacher's model in that role.

    Raises:
        EndpointError: A model can't be reached.
    """
    roles = recipe.roles
    specs: dict[str, RoleSpec] = {
        "teacher": roles.teacher,
        "critic": roles.critic or roles.teacher,
        "reviser": roles.reviser or roles.teacher,
    }
    if recipe.constitution is None:
        # Nobody will sit there, and a model that is not asked need not be reachable.
        specs["critic"] = roles.teacher
    return {role: await seating.seat(role, spec) for role, spec in specs.items()}


async def seat_judges(parts: Parts, teacher: RoleModel, seating: Seating) -> tuple[SeatedJudge, ...]:
    """Seat the panel; a judge is independent when its weights differ from the teacher's."""
    seated = []
    for place, (spec, judge) in enumerate(parts.judges):
        name = spec.name or f"{spec.use}-{place + 1}"
        model = await seating.seat(f"judge:{name}", spec)
        seated.append(SeatedJudge(name, judge, model, independent=model.identity != teacher.identity))
    return tuple(seated)
