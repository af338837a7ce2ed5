from __future__ import annotations

import pytest
from rich.console import Console

from symposia.cli.progress import Standing, duration, money, show_plain
from symposia.cli.running import sugar
from symposia.records import (
    Decision,
    NoticeGiven,
    Outcome,
    RunStarted,
    TaskSettled,
    TaskStarted,
    Turn,
    TurnTaken,
    Usage,
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def start(samples: int = 10) -> RunStarted:
    return RunStarted(run="talk-1", folder="nowhere", resumed=False, samples=samples)


def settle(
    task: int, outcome: Outcome, accepted: int, rejected: int, cause: str = "", cost: float | None = 0.1
) -> TaskSettled:
    return TaskSettled(
        task=task,
        decision=Decision(outcome=outcome, stage="verify", cause=cause),
        usage=Usage(calls=1, cost_usd=cost),
        accepted=accepted,
        rejected=rejected,
        parked=0,
        failed=0,
    )


def turn(tokens: int) -> TurnTaken:
    usage = Usage(calls=1, completion_tokens=tokens)
    return TurnTaken(task=0, turn=Turn(round=0, role="teacher", kind="propose", model="a/b", text="", usage=usage))


def test_a_standing_counts_and_looks_ahead() -> None:
    clock = Clock()
    standing = Standing(clock)
    standing.hear(start())
    standing.hear(TaskStarted(task=0))
    standing.hear(TaskStarted(task=1))
    standing.hear(turn(50))
    clock.now += 5
    standing.hear(settle(0, "accepted", 1, 0))
    standing.hear(settle(1, "rejected", 1, 1, "grounded:quote_not_found"))
    standing.hear(TaskStarted(task=2))
    assert standing.counts() == "1/10 accepted, 1 rejected, 0 parked, 0 failed"
    assert standing.rejections() == "grounded:quote_not_found 1"
    assert standing.outlook().startswith("50% taken (90% interval 12%–88%)")
    assert "about 18 candidates, 45 s, $1.80" in standing.outlook()
    assert standing.tokens_per_s == pytest.approx(10.0)
    assert "1 negotiations in flight" in standing.traffic()
    clock.now += 60
    assert standing.tokens_per_s == 0


def test_nothing_is_promised_before_something_is_known() -> None:
    standing = Standing(Clock())
    standing.hear(start())
    assert standing.outlook() == "no task is settled yet"
    standing.hear(settle(0, "rejected", 0, 1, "x"))
    assert "nothing accepted yet" in standing.outlook()


def test_an_unknown_price_stays_unknown() -> None:
    standing = Standing(Clock())
    standing.hear(start())
    standing.hear(settle(0, "accepted", 1, 0, cost=None))
    standing.hear(settle(1, "accepted", 2, 0))
    assert "cost unknown" in standing.outlook()
    assert "cost unknown" in standing.traffic()


def test_rare_causes_are_summed_up() -> None:
    standing = Standing(Clock())
    standing.hear(start())
    for number, cause in enumerate(["a", "a", "b", "c", "d", "e", "f\x1b[2J"]):
        standing.hear(settle(number, "rejected", 0, number + 1, cause))
    assert standing.rejections().startswith("a 2 · b 1")
    assert standing.rejections().endswith("2 more")


def test_plain_lines_come_at_most_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with show_plain(Standing(clock), every_s=5) as screen:
        screen.hear(start())
        for number in range(100):
            clock.now += 0.125
            screen.hear(settle(number, "rejected", 0, number + 1, "x"))
        screen.hear(NoticeGiven(level="warning", message="look\x1b[2J"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "talk-1 starts: 0 of 10 samples accepted"
    assert lines[-1] == "warning: look␛[2J"
    assert len(lines) == 4


def test_the_board_fits_narrow_and_wide_terminals() -> None:
    from symposia.cli.progress import board

    standing = Standing(Clock())
    standing.hear(start())
    standing.hear(settle(0, "rejected", 0, 1, "grounded:[bold]x[/bold]"))
    for width in (40, 80, 120):
        console = Console(width=width, markup=False, force_terminal=False)
        with console.capture() as captured:
            console.print(board(standing))
        page = captured.get()
        assert "0 of 10 accepted" in page
        assert "[bold]x[/bold]" in page.replace("\n", "")
        assert all(len(line) <= width for line in page.splitlines())


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("cost", "words"), [(0.0, "$0.00"), (0.004, "$0.0040"), (1.5, "$1.50"), (None, "cost unknown")]
)
def test_money(cost: float | None, words: str) -> None:
    assert money(cost) == words


def test_short_options_are_overrides_and_what_is_set_wins() -> None:
    said = sugar({"samples": 3, "seed": None}, model="a/b", overrides=["samples=4"])
    assert said == [
        "roles.teacher.model=a/b",
        "roles.*.model=a/b",
        "roles.judges.*.model=a/b",
        "samples=3",
        "samples=4",
    ]
    assert sugar({}) == []
