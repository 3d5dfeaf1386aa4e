"""Replays: what a run holds, what the switches do, and the report page."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import seawall
from seawall.errors import ScenarioError
from seawall.models import load_scenario
from seawall.scorecard import published_fact, score

TOP = {
    "scenario",
    "seed",
    "accounts",
    "steps",
    "wall_seconds",
    "peak_rss_bytes",
    "digest",
    "conservation",
    "summary",
    "scorecard",
}
SUMMARY = {
    "liquidated_notional_usd",
    "liquidated_long_share",
    "accounts_liquidated",
    "adl_notional_usd",
    "adl_accounts",
    "fund_start_usd",
    "fund_end_usd",
    "bad_debt_usd",
    "socialised_usd",
    "open_interest_start_usd",
    "open_interest_end_usd",
    "orders",
    "fills",
    "markets",
}


def test_a_run_has_the_documented_keys_and_is_plain_json(run: seawall.Run) -> None:
    out = json.loads(json.dumps(run.to_dict(), allow_nan=False))
    assert set(out) == TOP
    assert set(out["summary"]) == SUMMARY
    assert set(out["summary"]["markets"]) == {"BTC", "ETH"}
    assert {"index_low", "mark_low", "last_low"} <= set(out["summary"]["markets"]["BTC"])
    assert out["conservation"]["ok"] is True


def test_every_cent_is_accounted_for(run: seawall.Run) -> None:
    usd = run.conservation["assets"]["USD"]
    assert usd["users"] + usd["funds"] + usd["fees"] + usd["venue"] == usd["deposits_less_withdrawals"]
    assert {m["net_position"] for m in run.conservation["markets"].values()} == {0}
    assert run.venue.audit() == run.conservation


def test_summary_series_and_events_agree(run: seawall.Run) -> None:
    series, summary = run.series, run.summary
    assert series.height == run.steps + 1
    btc = summary["markets"]["BTC"]
    assert np.nanmin(series["BTC.index"]) == btc["index_low"]
    assert np.nanmin(series["BTC.mark"]) == pytest.approx(btc["mark_low"], rel=1e-3)
    assert series["fund"][[0, -1]].tolist() == [summary["fund_start_usd"], summary["fund_end_usd"]]
    names = ("BTC", "ETH")
    closed = sum(series[f"{n}.liquidated_long"].sum() + series[f"{n}.liquidated_short"].sum() for n in names)
    assert closed == pytest.approx(summary["liquidated_notional_usd"])
    adl = run.events.of("adl_fill")
    assert len(np.unique(adl["account"])) == summary["adl_accounts"]
    paid = run.events.of("fund_paid")["amount"].sum() / 1e6
    assert paid == pytest.approx(run.measures["fund_paid_usd"])


def test_prices_of_the_series_are_the_floats_nearest_to_the_decimal(run: seawall.Run) -> None:
    market = run.profile.market("BTC")
    for price in run.series["BTC.index"][:50]:
        assert price == float(market.price(market.ticks(repr(float(price)))))


def test_without_liquidations_impact_and_noise_the_index_is_the_input(small: Path) -> None:
    run = seawall.replay(small, accounts=500, liquidations=False, impact=False, noise=False)
    scenario, _ = load_scenario(small)
    assert run.summary["liquidated_notional_usd"] == 0
    for name, inputs in scenario.markets.items():
        bars = [bar for segment in inputs.path for bar in segment.bars]
        assert run.summary["markets"][name]["index_low"] == float(min(low for _, _, low, _ in bars))
        step, ends = 0, []
        for segment in inputs.path:
            for _ in segment.bars:
                step += segment.duration_ns // scenario.step_ns
                ends.append(step)
        closes = [float(close) for _, _, _, close in bars]
        assert run.series[f"{name}.index"][ends].tolist() == closes


def test_switches_change_only_what_they_name(small: Path, run: seawall.Run) -> None:
    quiet = seawall.replay(small, accounts=2000, noise=False)
    steady = seawall.replay(small, accounts=2000, makers_withdraw=False)
    alone = seawall.replay(small, accounts=2000, flow=False)
    digests = {run.digest, quiet.digest, steady.digest, alone.digest}
    assert len(digests) == 4
    assert not any((quiet.scenario.switches.noise, steady.scenario.switches.maker_withdrawal))
    assert alone.scenario.switches.arbitrage
    assert quiet.facts["open_interest_start"] == run.facts["open_interest_start"]


def test_a_breaker_can_be_switched_on(small: Path, run: seawall.Run) -> None:
    guarded = seawall.replay(small, accounts=2000, set=["venue=guarded"])
    assert guarded.events.of("breaker_tripped").height > 0
    assert seawall.Phase.HALTED in guarded.series["BTC.phase"]
    assert run.events.of("breaker_tripped").height == 0
    off = seawall.replay(small, accounts=2000, set=["venue=guarded", "venue.breakers.halt.enabled=false"])
    assert off.facts == run.facts


def test_progress_is_called_until_the_end(small: Path) -> None:
    seen: list[tuple[int, int]] = []
    seawall.replay(small, accounts=200, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (600, 600)
    assert len(seen) > 50


def test_an_interruption_comes_through(small: Path) -> None:
    def interrupt(done: int, _: int) -> None:
        if done > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seawall.replay(small, accounts=200, progress=interrupt)


@pytest.mark.parametrize(
    ("name", "value"), [("seed", -1), ("seed", 2**64), ("accounts", 0), ("accounts", 2**40), ("events", "some")]
)
def test_arguments_out_of_range_are_refused(small: Path, name: str, value: object) -> None:
    with pytest.raises(ScenarioError, match=f"{name}: .* must be"):
        seawall.replay(small, **{name: value})  # type: ignore[arg-type]


def test_the_scorecard_tells_kinds_apart_and_measures_errors(small: Path) -> None:
    rows = [
        {"metric": "BTC.last_low", "value": "100", "kind": "predicted", "source": "someone"},
        {"metric": "peak_minute_at", "at": "2025-10-10T20:36:00Z", "kind": "calibrated", "source": "a", "note": "b"},
        {"metric": "unheard_of", "value": "3", "kind": "input", "source": "c"},
    ]
    scenario, _ = load_scenario(small)
    scenario = type(scenario).model_validate(json.loads(scenario.model_dump_json()) | {"published": rows})
    low, peak, unheard = score(scenario, {"BTC.last_low": 101.0, "peak_minute_at": "2025-10-10T20:37:30Z"})
    assert low["error"] == pytest.approx(0.01)
    assert low["kind"] == "predicted"
    assert (peak["error"], peak["source"]) == (90.0, "a; b")
    assert (unheard["measured"], unheard["error"]) == (None, None)


def test_an_unknown_fact_is_not_found() -> None:
    assert published_fact(event="2025-10-10 nowhere", measure="adl_fills", market=None, burst_rank=None) is None


def test_the_report_is_one_page_that_needs_nothing_else(run: seawall.Run, tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    page = run.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
    assert 'src="http' not in page
    assert "<link" not in page
    for part in ("Conservation holds", run.digest, "Insurance fund", "Phase of the market", "Open interest"):
        assert part in page


def test_a_report_without_its_folder_is_refused(run: seawall.Run, tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    with pytest.raises(ScenarioError, match="make the folder first"):
        run.report(tmp_path / "nowhere" / "page.html")


def test_tables_go_to_polars_and_pandas(run: seawall.Run) -> None:
    pytest.importorskip("polars")
    pytest.importorskip("pandas")
    fills = run.events.of("fill")
    assert fills.to_polars().columns == list(fills)
    assert fills.to_pandas().shape == (fills.height, len(fills))
    assert run.series.to_polars()["BTC.index"].to_list() == run.series["BTC.index"].tolist()


def test_a_missing_library_names_the_extra(run: seawall.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(seawall.MissingExtraError, match=r"pip install 'seawall\[polars\]'"):
        run.series.to_polars()
