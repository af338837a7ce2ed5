"""The draft has the fields it should have, filled and of the right kind."""

from __future__ import annotations

from collections.abc import Iterator

from symposia.contracts import VerifierCost
from symposia.errors import did_you_mean
from symposia.records import Draft, Evidence, EvidenceKind, JsonValue, Task, Verdict
from symposia_plugins.verifiers import FieldRule, SchemaParams
from symposia_plugins.verifiers.findings import Finding, verdict

__all__ = ["SchemaVerifier"]


class SchemaVerifier:
    """Checks fields; knows no graph.

    Causes: ``missing_field``, ``wrong_type``, ``empty_field``, ``too_short``, ``too_long``, ``not_a_choice``,
    ``unknown_field``, and ``empty_draft`` for a draft without any field.

    Args:
        params: The rules.
    """

    name = "schema"
    version = "1"
    evidence: EvidenceKind = "form"
    cost: VerifierCost = "cheap"

    def __init__(self, params: SchemaParams) -> None:
        self._params = params

    async def verify(self, draft: Draft, task: Task) -> Verdict:
        """Check one draft."""
        passed = Evidence(summary=f"All {len(draft.payload)} fields are as they should be.")
        return verdict(self.name, self.version, self.evidence, draft, list(self._findings(draft)), passed)

    def _findings(self, draft: Draft) -> Iterator[Finding]:
        payload, rules = draft.payload, self._params.fields
        if not payload:
            yield Finding("empty_draft", "The draft has no fields.")
            return
        if not rules:
            texts = ((name, value) for name, value in payload.items() if isinstance(value, str))
            yield from (_empty(name) for name, value in texts if not value.strip())
        for name, rule in rules.items():
            if name in payload:
                yield from _problems(name, payload[name], rule)
            elif rule.required:
                yield Finding("missing_field", f"The field '{name}' is missing.", data={"field": name})
        if self._params.closed:
            for name in payload:
                if name not in rules:
                    text = f"The field '{name}' is not known; {did_you_mean(name, list(rules))}."
                    yield Finding("unknown_field", text, data={"field": name})


def _empty(name: str) -> Finding:
    return Finding("empty_field", f"The field '{name}' is empty.", data={"field": name})


def _problems(name: str, value: JsonValue, rule: FieldRule) -> Iterator[Finding]:
    if not _is(value, rule.type):
        found = "null" if value is None else type(value).__name__
        data: dict[str, JsonValue] = {"field": name, "expected": rule.type, "found": found}
        yield Finding("wrong_type", f"The field '{name}' must be of kind {rule.type}.", data=data)
        return
    if isinstance(value, str | list):
        length = len(value.strip()) if isinstance(value, str) else len(value)
        yield from _length_problem(name, length, "characters" if isinstance(value, str) else "items", rule)
    if rule.choices and str(value) not in rule.choices:
        yield Finding(
            "not_a_choice",
            f"The field '{name}' must be one of: {', '.join(rule.choices)}.",
            str(value),
            {"field": name, "choices": list(rule.choices)},
        )


def _length_problem(name: str, length: int, unit: str, rule: FieldRule) -> Iterator[Finding]:
    data: dict[str, JsonValue] = {"field": name, "length": length, "unit": unit}
    if length == 0 < rule.min_length:
        yield _empty(name)
    elif length < rule.min_length:
        text = f"The field '{name}' has {length} {unit}; at least {rule.min_length} are needed."
        yield Finding("too_short", text, data={**data, "least": rule.min_length})
    elif rule.max_length is not None and length > rule.max_length:
        text = f"The field '{name}' has {length} {unit}; at most {rule.max_length} are allowed."
        yield Finding("too_long", text, data={**data, "most": rule.max_length})


def _is(value: JsonValue, kind: str) -> bool:
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, {"text": str, "boolean": bool, "list": list, "object": dict}[kind])
