from __future__ import annotations

from collections.abc import Iterable
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from symposia.records import (
    Decision,
    Draft,
    Event,
    Evidence,
    Negotiation,
    Outcome,
    Task,
    TaskSettled,
    TaskStarted,
    Ticket,
    Turn,
    TurnTaken,
    Usage,
    Verdict,
)
from symposia.report.conversation import Conversation
from symposia.report.transcript import Line


def started(task: int) -> TaskStarted:
    return TaskStarted(task=task, source_id=f"doc#{task}", persona="nurse")


def turn(task: int, text: str) -> TurnTaken:
    said = Turn(round=0, role="teacher", kind="propose", model="local/m", text=text)
    return TurnTaken(task=task, turn=said, draft=Draft(round=0, author="teacher", payload={"text": text}))


def settled(task: int, outcome: Outcome, cause: str = "") -> TaskSettled:
    decision = Decision(outcome=outcome, stage="verify", cause=cause)
    return TaskSettled(task=task, decision=decision, usage=Usage(), accepted=0, rejected=0, parked=0, failed=0)


def look_up(task: int) -> Negotiation:
    verdict = Verdict(verifier="grounded", kind="content", status="pass", evidence=Evidence(summary=f"seen {task}"))
    draft = Draft(round=0, author="teacher", payload={})
    return Negotiation(
        ticket=Ticket(task=Task(number=task)),
        graph="qa",
        drafts=(draft,),
        verdicts=(verdict,),
        best_round=0,
        ending="settled",
    )


class Listener:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.conversation = Conversation(self.tell, look_up, lambda name: f"passage of {name}", 80)

    def tell(self, lines: Iterable[Line]) -> None:
        self.lines += [line.text for line in lines]

    def hear(self, *events: Event) -> str:
        for event in events:
            self.conversation.hear(event)
        return "\n".join(self.lines)


def test_a_turn_is_told_when_it_is_taken() -> None:
    listener = Listener()
    assert "task 0 · doc#0 · nurse" in listener.hear(started(0))
    assert "passage of doc#0" in listener.hear()
    assert "hello" not in listener.hear(started(1), turn(1, "hello"))
    assert "first words" in listener.hear(turn(0, "first words"))


def test_a_rejected_one_is_followed_by_the_next_from_its_first_turn() -> None:
    listener = Listener()
    listener.hear(started(0), started(1), turn(1, "second"), turn(0, "first"))
    text = listener.hear(settled(0, "rejected", "grounded:quote_not_found"))
    order = ["task 0", "first", "seen 0", "REJECTED at verify: grounded:quote_not_found", "task 1", "second"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert not listener.conversation.is_over


def test_the_first_accepted_one_ends_it() -> None:
    listener = Listener()
    listener.hear(started(0), started(1), turn(0, "good"), settled(0, "accepted"))
    assert listener.conversation.is_over
    before = list(listener.lines)
    listener.hear(turn(1, "late"), settled(1, "accepted"))
    assert listener.lines == before


@given(st.lists(st.sampled_from(["rejected", "accepted", "failed"]), min_size=1, max_size=6), st.randoms())
def test_whatever_the_order_all_up_to_the_first_accepted_are_told_once(
    outcomes: list[Outcome], random: Random
) -> None:
    queues: list[list[Event]] = [
        [started(n), turn(n, f"words-{n};"), settled(n, outcome)] for n, outcome in enumerate(outcomes)
    ]
    listener = Listener()
    # Tasks start in order and settle in order, as the engine does; turns come in any order between.
    for queue in queues:
        listener.hear(queue[0])
    turns = [queue[1] for queue in queues]
    random.shuffle(turns)
    listener.hear(*turns, *(queue[2] for queue in queues))
    text = listener.hear()
    last = outcomes.index("accepted") if "accepted" in outcomes else len(outcomes) - 1
    for number in range(len(outcomes)):
        assert text.count(f"words-{number};") == (1 if number <= last else 0)
