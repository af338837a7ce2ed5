"""How a run stands, out of its events: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from symposia.cli.console import make_console, say
from symposia.records import Event, NoticeGiven, RunStarted, TaskSettled, TaskStarted, TurnTaken
from symposia.report.forecast import Forecast, forecast
from symposia.report.text import one_line

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["Screen", "Standing", "board", "duration", "money", "show_live", "show_plain"]

_RATE_WINDOW_S = 15.0
_PLAIN_EVERY_S = 5.0
_CAUSES = 4


class Standing:
    """What is known of a run right now.

    Args:
        clock: Seconds, always rising.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._written: deque[tuple[float, int]] = deque()
        self._settled_before = 0
        self.run = ""
        self.wanted = 0
        self.accepted = self.rejected = self.parked = self.failed = 0
        self.settled_now = 0
        self.open: set[int] = set()
        self.causes: Counter[str] = Counter()
        self.cost_usd: float | None = 0.0
        self.tokens = 0
        self.stopping = False

    def hear(self, event: Event) -> None:
        """Take in what happened."""
        if isinstance(event, RunStarted):
            self.run, self.wanted, self.accepted = event.run, event.samples, event.accepted
            self._settled_before = event.settled
            self._started = self._clock()
            if event.resumed:
                self._recall(Path(event.folder))
        elif isinstance(event, TaskStarted):
            self.open.add(event.task)
        elif isinstance(event, TurnTaken):
            self.tokens += event.turn.usage.tokens
            self._written.append((self._clock(), event.turn.usage.completion_tokens))
        elif isinstance(event, TaskSettled):
            self._settle(event)

    def _recall(self, folder: Path) -> None:
        """Counts of earlier commands, from the store: the events tell only what happens now."""
        from symposia.store import RunStore

        with RunStore.open(folder) as store:
            counts = store.counts()
            self.rejected, self.parked, self.failed = counts.rejected, counts.parked, counts.failed
            for found in store.causes():
                if found.outcome == "rejected":
                    self.causes[found.cause] += found.count

    def _settle(self, event: TaskSettled) -> None:
        self.open.discard(event.task)
        self.settled_now += 1
        self.accepted, self.rejected = event.accepted, event.rejected
        self.parked, self.failed = event.parked, event.failed
        cost = event.usage.cost_usd
        self.cost_usd = None if cost is None or self.cost_usd is None else self.cost_usd + cost
        if event.decision.outcome == "rejected":
            self.causes[event.decision.cause or event.decision.stage] += 1

    @property
    def seconds(self) -> float:
        """Wall time of this command."""
        return self._clock() - self._started

    @property
    def tokens_per_s(self) -> float:
        """Tokens written a second, over the last seconds."""
        now = self._clock()
        while self._written and self._written[0][0] < now - _RATE_WINDOW_S:
            self._written.popleft()
        if not self._written:
            return 0.0
        span = min(max(now - self._started, 1.0), _RATE_WINDOW_S)
        return sum(tokens for _, tokens in self._written) / span

    def ahead(self) -> Forecast | None:
        """The forecast; None as long as nothing is settled."""
        settled = self._settled_before + self.settled_now
        pace = self.seconds / self.settled_now if self.settled_now else None
        cost = None
        if self.cost_usd is not None and self.settled_now:
            cost = self.cost_usd / self.settled_now * settled
        taken = self.accepted + self.parked
        return forecast(wanted=self.wanted, taken=min(taken, settled), settled=settled, pace_s=pace, cost_usd=cost)

    def counts(self) -> str:
        """The counts in words."""
        return (
            f"{self.accepted}/{self.wanted} accepted, {self.rejected} rejected, {self.parked} parked, "
            f"{self.failed} failed"
        )

    def rejections(self) -> str:
        """The most frequent causes of rejection."""
        shown = [f"{one_line(cause)} {count}" for cause, count in self.causes.most_common(_CAUSES)]
        rest = len(self.causes) - len(shown)
        return " · ".join(shown) + (f" · {rest} more" if rest > 0 else "")

    def outlook(self) -> str:
        """The forecast in words."""
        ahead = self.ahead()
        if ahead is None:
            return "no task is settled yet"
        rate = f"{ahead.rate:.0%} taken (90% interval {ahead.low:.0%}–{ahead.high:.0%})"
        if ahead.candidates is None:
            return f"{rate}, nothing accepted yet"
        left = [f"about {ahead.candidates} candidate{'' if ahead.candidates == 1 else 's'}"]
        if ahead.seconds is not None:
            left.append(duration(ahead.seconds))
        left.append(money(ahead.cost_usd))
        return f"{rate}, left: {', '.join(left)}"

    def traffic(self) -> str:
        """What goes on right now."""
        stopping = " · finishing what is in flight; Ctrl-C again stops at once" if self.stopping else ""
        spent = f"spent {money(self.cost_usd)} in {duration(self.seconds)}"
        return f"{len(self.open)} negotiations in flight · {self.tokens_per_s:.0f} tokens/s · {spent}{stopping}"


def duration(seconds: float) -> str:
    """Seconds in words: ``48 s``, ``3 min 20 s``, ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def money(cost_usd: float | None) -> str:
    """US dollars; an unknown price is said to be unknown."""
    if cost_usd is None:
        return "cost unknown"
    return f"${cost_usd:.2f}" if cost_usd >= 0.01 or cost_usd == 0 else f"${cost_usd:.4f}"


@dataclass(frozen=True)
class Screen:
    """Where a run is shown: what hears its events, and the console for whatever else is printed meanwhile."""

    hear: Callable[[Event], None]
    console: Console


@contextmanager
def show_live(standing: Standing) -> Iterator[Screen]:
    """Show the run on a terminal, redrawn a few times a second."""
    from rich.live import Live

    console = make_console()
    with Live(get_renderable=lambda: board(standing), console=console, refresh_per_second=4, transient=True):

        def hear(event: Event) -> None:
            standing.hear(event)
            notice = _notice(event)
            if notice:
                console.print(notice)

        yield Screen(hear, console)


def board(standing: Standing) -> RenderableType:
    """The live display: a bar of accepted samples, what was rejected why, the forecast, the traffic."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    top = Table.grid(padding=(0, 2), expand=True)
    top.add_column(no_wrap=True)
    top.add_column(ratio=1)
    top.add_column(no_wrap=True, justify="right")
    bar = ProgressBar(total=max(standing.wanted, 1), completed=standing.accepted)
    top.add_row(Text(standing.run, style="bold"), bar, Text(f"{standing.accepted} of {standing.wanted} accepted"))
    rejected = f"rejected {standing.rejected}" + (f": {standing.rejections()}" if standing.causes else "")
    lines = [
        rejected,
        f"parked {standing.parked} · failed {standing.failed}",
        standing.outlook(),
        standing.traffic(),
    ]
    return Group(top, *(Text(line, style="dim", overflow="fold") for line in lines))


@contextmanager
def show_plain(standing: Standing, every_s: float = _PLAIN_EVERY_S) -> Iterator[Screen]:
    """Say how the run stands in plain lines, at most one every few seconds."""
    last = standing.seconds

    def hear(event: Event) -> None:
        nonlocal last
        standing.hear(event)
        notice = _notice(event)
        if notice:
            say(notice)
        if isinstance(event, TaskSettled) and standing.seconds - last >= every_s:
            last = standing.seconds
            speed = f"{standing.tokens_per_s:.0f} tokens/s"
            say(f"[{duration(last)}] {standing.counts()}; {standing.outlook()}; {speed}")

    yield Screen(hear, make_console())


def _notice(event: Event) -> str:
    if isinstance(event, RunStarted):
        resumed = f"goes on after {event.settled} settled tasks" if event.resumed else "starts"
        return f"{one_line(event.run)} {resumed}: {event.accepted} of {event.samples} samples accepted"
    if isinstance(event, NoticeGiven):
        return f"{event.level}: {one_line(event.message)}"
    return ""
