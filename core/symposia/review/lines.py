"""A decision as one line of JSON, for scripts and other surfaces."""

from __future__ import annotations

from pydantic import Field

from symposia.records import JsonObject, Record, ReviewAction

__all__ = ["DecisionLine"]


class DecisionLine(Record):
    """What a script says about one sample.

    Attributes:
        task: Number of the task.
        action: Accept, accept with an edit, reject, or send back.
        note: Free text; for ``send_back`` the objection.
        reasons: Principle ids or the words of `symposia.review.queue.REASONS`.
        edit: The edited payload (``edit`` only).
        reviewer: Who decided; the command's reviewer when empty.
        blind: Whether the judges' scores were hidden until the decision.
        bulk: Whether it was one of many decided at once. What comes in a file counts so unless it says otherwise,
            because such decisions never calibrate a judge.
        content_hash: Hash of the payload that was seen; refused when it is another one by now.
    """

    task: int = Field(ge=0)
    action: ReviewAction
    note: str = ""
    reasons: tuple[str, ...] = ()
    edit: JsonObject | None = None
    reviewer: str = ""
    blind: bool = False
    bulk: bool = True
    content_hash: str = ""
