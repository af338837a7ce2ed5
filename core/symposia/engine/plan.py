"""What is asked of each task: a function of the run's seed, the task's number and the settle log, never of time."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate

from symposia.draws import pick_weighted, shuffled
from symposia.records import JsonObject, Persona, Recipe, SourceRow, Task, Ticket
from symposia.store import Assigned, RunStore

__all__ = ["Plan"]


class Plan:
    """Draws tickets.

    Args:
        recipe: The frozen recipe.
        store: The run's store, which keeps the source rows and the numbers that were given out.
        personas: The personas to draw from; empty for none.
    """

    def __init__(self, recipe: Recipe, store: RunStore, personas: Sequence[Persona]) -> None:
        self._recipe = recipe
        self._store = store
        self._personas = personas
        self._weights = list(accumulate(persona.weight for persona in personas))
        self._rows = int(store.meta("rows") or 0)
        self._given: dict[int, Assigned] = store.assigned()
        self._epoch: tuple[int, array[int]] | None = None

    def give(self, assigned: Sequence[Assigned]) -> None:
        """Hear of task numbers that were given out."""
        self._given.update((given.task, given) for given in assigned)

    def free_number(self, drawn: int) -> int:
        """The first number, not under ``drawn``, that was neither drawn nor given."""
        return max([drawn, *(number + 1 for number in self._given)])

    def ticket(self, number: int, as_of: int) -> Ticket:
        """Everything drawn for one task."""
        return Ticket(task=self._task(number), run_seed=self._recipe.seed, as_of=as_of)

    def _task(self, number: int) -> Task:
        parameters: JsonObject = {}
        like = number
        while like in self._given:
            given = self._given[like]
            parameters = {**given.parameters, **parameters}
            like = given.like
        row = self._row(like)
        return Task(
            number=number,
            seed=row.fields if row else {},
            source_id=row.id if row else None,
            persona=self._persona(like),
            system=self._system(like),
            parameters=parameters,
        )

    def _row(self, number: int) -> SourceRow | None:
        if self._recipe.source is None:
            return None
        epoch, place = divmod(number, self._rows)
        if self._recipe.source.order == "sequential":
            return self._store.row(place)
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = (epoch, shuffled(self._rows, self._recipe.seed, "source", epoch))
        return self._store.row(self._epoch[1][place])

    def _persona(self, number: int) -> Persona | None:
        if not self._personas:
            return None
        return self._personas[pick_weighted(self._weights, self._recipe.seed, "persona", number)]

    def _system(self, number: int) -> str | None:
        systems = self._recipe.systems
        if not systems:
            return None
        totals = [float(i + 1) for i in range(len(systems))]
        return systems[pick_weighted(totals, self._recipe.seed, "system", number)]
