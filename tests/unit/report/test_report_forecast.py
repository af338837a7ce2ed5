from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.report.forecast import forecast, wilson


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_stays_in_range(case: tuple[int, int]) -> None:
    successes, trials = case
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1
    assert low < high


def test_a_known_interval() -> None:
    # Wilson's 95% interval for 8 of 10, as every textbook gives it.
    assert wilson(8, 10, 1.96) == pytest.approx((0.490, 0.943), abs=5e-4)
    with pytest.raises(ValueError, match="at least one trial"):
        wilson(0, 0)


def test_more_trials_narrow_it() -> None:
    narrow, wide = wilson(50, 100), wilson(5, 10)
    assert narrow[1] - narrow[0] < wide[1] - wide[0]


def test_what_is_left() -> None:
    ahead = forecast(wanted=20, taken=5, settled=20, pace_s=2.0, cost_usd=0.4)
    assert ahead is not None
    assert (ahead.rate, ahead.candidates, ahead.seconds) == (0.25, 60, 120.0)
    assert ahead.cost_usd == pytest.approx(1.2)


def test_nothing_is_claimed_without_ground() -> None:
    assert forecast(wanted=5, taken=0, settled=0, pace_s=None, cost_usd=0.0) is None
    ahead = forecast(wanted=5, taken=0, settled=3, pace_s=1.0, cost_usd=0.1)
    assert ahead is not None
    assert (ahead.candidates, ahead.seconds, ahead.cost_usd) == (None, None, None)
    unpriced = forecast(wanted=5, taken=1, settled=3, pace_s=1.0, cost_usd=None)
    assert unpriced is not None
    assert unpriced.cost_usd is None


def test_a_full_run_needs_nothing() -> None:
    ahead = forecast(wanted=5, taken=5, settled=9, pace_s=1.0, cost_usd=0.1)
    assert ahead is not None
    assert (ahead.candidates, ahead.seconds, ahead.cost_usd) == (0, 0.0, 0.0)
