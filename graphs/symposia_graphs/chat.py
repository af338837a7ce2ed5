"""Chat views that several methods share."""

from __future__ import annotations

from symposia.records import JsonValue, Message, Task

__all__ = ["dialogue"]


def dialogue(task: Task, asked: JsonValue, answered: JsonValue) -> tuple[Message, ...]:
    """One question and its answer, under the system instruction that was drawn for the task, where one was."""
    turns: tuple[Message, ...] = (
        {"role": "user", "content": str(asked)},
        {"role": "assistant", "content": str(answered)},
    )
    return ({"role": "system", "content": task.system}, *turns) if task.system else turns
