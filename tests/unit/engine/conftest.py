"""Runs over a graph without models."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from support.engine import FakeGraph, MakeRun, Run
from symposia.records import Limits, Recipe, Roles, RoleSpec, SourceSpec, Ticket


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    made = 0

    def make(
        draft: Callable[[Ticket], str],
        *,
        samples: int = 10,
        in_flight: int = 8,
        window: int = 32,
        jitter: int | None = None,
        folder: str | None = None,
        park: Callable[[int], bool] = lambda number: False,
        **limits: object,
    ) -> Run:
        nonlocal made
        made += 1
        noise = random.Random(jitter)
        recipe = Recipe(
            graph="fake",
            samples=samples,
            source=SourceSpec(use="rows"),
            roles=Roles(teacher=RoleSpec(model="scripted/x")),
            limits=Limits.model_validate({"in_flight": in_flight, "window": window, **limits}),
            novelty=None,
        )
        steps = (lambda number: noise.randrange(9)) if jitter is not None else (lambda number: 0)
        place = tmp_path / (folder or f"run-{made}")
        place.mkdir(exist_ok=True)
        return Run(place, FakeGraph(draft, steps, park), recipe)

    return make
