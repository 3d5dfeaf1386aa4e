"""Venue profiles: every parameter has an origin, and a venue's own worked examples come out of the running venue.

A worked example is played with the profile as it is; where the example is of another day, or chooses a parameter of its
own, the test sets that over the profile and says so.
"""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seawall
from seawall import EventKind, Phase, Side, commands, profiles
from seawall.commands import Records
from seawall.errors import ConfigError, ScenarioError
from seawall.models import VenueProfile, load_profile, profile_names
from seawall.profiles.compare import dated_profiles

from conftest import SMALL

DATED = dated_profiles()
START = 1_735_689_600 * 10**9
"""2025-01-01T00:00:00Z, when the profiles' funding begins."""
SECOND = 10**9
BANK = "1_000_000_000"


class Play:
    """A running venue in the words of an example: people by name, prices and sizes as decimals."""

    def __init__(self, profile: str, *overrides: str, **balances: str) -> None:
        self.venue = seawall.Venue(profile, set=overrides)
        assert self.venue.profile is not None
        self.profile: VenueProfile = self.venue.profile
        self.now = START + SECOND
        self.people: dict[str, int] = {}
        self.seen: list[Records] = []
        for name, balance in balances.items():
            self.join(name, balance)

    def join(self, name: str, balance: str) -> None:
        self.people[name] = len(self.people)
        self.send(commands.open_account(at=self.now))
        if Decimal(balance):
            amount = self.profile.amount(balance)
            self.send(commands.deposit(at=self.now, account=self.people[name], amount=amount))

    def send(self, records: Records) -> Records:
        events = self.venue.apply(records)
        assert self.venue.audit()["ok"]
        self.seen.append(events)
        return events

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * SECOND)

    def index(self, **prices: str) -> Records:
        every = []
        for name, price in prices.items():
            number, ticks = self.profile.market_id(name), self.profile.market(name).ticks(price)
            every.append(self.send(commands.index(at=self.now, market=number, price=ticks)))
        return np.concatenate(every)

    def open(self) -> None:
        """Let the venue trade."""
        markets = list(range(len(self.profile.markets)))
        self.send(commands.set_phase(at=self.now, market=markets, phase=Phase.CONTINUOUS))

    def block(self, market: str, buyer: str, seller: str, qty: str, price: str) -> None:
        rules = self.profile.market(market)
        events = self.send(
            commands.block(
                at=self.now,
                market=self.profile.market_id(market),
                buyer=self.people[buyer],
                seller=self.people[seller],
                price=rules.ticks(price),
                qty=rules.lots(qty),
            )
        )
        assert (events["kind"] == EventKind.FILL).sum() == 2, events

    def place(self, market: str, who: str, side: Side, qty: str, price: str, **terms: Any) -> Records:
        rules = self.profile.market(market)
        return self.send(
            commands.place(
                at=self.now,
                market=self.profile.market_id(market),
                account=self.people[who],
                side=side,
                qty=rules.lots(qty),
                price=rules.ticks(price),
                **terms,
            )
        )

    def pulse(self) -> Records:
        return self.send(commands.pulse(at=self.now))

    def fund(self, amount: str) -> None:
        self.send(commands.fund_deposit(at=self.now, amount=self.profile.amount(amount)))

    def account(self, who: str, column: str) -> Decimal:
        return self.money(int(self.venue.accounts()[column][self.people[who]]))

    def money(self, minor: int) -> Decimal:
        return Decimal(minor).scaleb(-self.profile.assets[0].decimals)

    def position(self, who: str, market: str) -> Decimal:
        rows, number = self.venue.positions(), self.profile.market_id(market)
        mine = (rows["account"] == self.people[who]) & (rows["market"] == number)
        return self.profile.market(market).lot_size * int(rows["base"][mine].sum())

    def liquidation_price(self, who: str, market: str) -> Decimal:
        rows, number = self.venue.liquidation_prices(self.people[who]), self.profile.market_id(market)
        return self.profile.market(market).price(int(rows["price"][rows["market"] == number][0]))

    def events(self, kind: EventKind, who: str | None = None) -> Records:
        every: Records = np.concatenate(self.seen)
        wanted = every["kind"] == kind
        if who is not None:
            wanted &= every["account"] == self.people[who]
        found: Records = every[wanted]
        return found

    def qty(self, event: Any, market: str = "BTC") -> Decimal:
        return self.profile.market(market).lot_size * int(event["qty"])


def brackets(market: str, *rows: tuple[str, str, str]) -> str:
    tiers = ",".join(f'{{lower="{a}",initial="{b}",maintenance="{c}"}}' for a, b, c in rows)
    return f"markets.{market}.tiers=[{tiers}]"


# What a file says, and what is wrong with it.


def test_nine_venues_have_a_dated_profile() -> None:
    assert set(DATED) == {"binance", "hyperliquid"}


@pytest.mark.parametrize("name", DATED)
def test_every_parameter_has_an_origin(name: str) -> None:
    told = profiles.describe(name)
    assert len(told.parameters) > 80
    for row in told.parameters:
        assert row.origin is not None, row.path
        assert row.origin.source in {None, *told.profile.sources}
    used = {row.origin.source for row in told.parameters if row.origin} | {gap.source for gap in told.profile.gaps}
    assert used >= set(told.profile.sources), "a source that nothing comes from"
    assert len(told.profile.gaps) >= 5


@pytest.mark.parametrize("name", profile_names())
def test_a_description_is_one_json_object(name: str) -> None:
    out = json.loads(json.dumps(profiles.describe(name).to_dict()))
    assert {"name", "description", "date", "parameters", "gaps", "sources"} == set(out)
    assert (out["date"] is None) == (name not in DATED)


def test_a_parameter_is_found_by_its_path() -> None:
    told = profiles.describe("hyperliquid")
    row = told.parameter("markets.ETH.tiers.0.maintenance")
    assert (row.value, row.origin and row.origin.confidence, row.origin and row.origin.source) == (
        "0.02",
        "document",
        "tiers",
    )
    with pytest.raises(ConfigError, match=r"markets\.ETH\.index: hyperliquid sets no such parameter"):
        told.parameter("markets.ETH.index")


def test_what_is_set_over_a_file_has_no_source_any_more() -> None:
    profile = load_profile("hyperliquid", set=["markets.0.fees.taker=0.0004", "limits.orders_max=5", "seed=7"])
    origins = [origin for origin in profile.origins if origin.confidence == "override"]
    assert [origin.paths for origin in origins] == [("markets.BTC.fees.taker",)]
    assert origins[0].date == profile.date


def test_a_new_rule_may_be_set_over_a_file() -> None:
    profile = load_profile("binance", set=["markets.BTC.margin.account_leverage=true"])
    assert profile.market("BTC").margin.account_leverage


def written(**over: Any) -> dict[str, Any]:
    """Return a profile as it is written in a file, with keys set over it."""
    data: dict[str, Any] = json.loads(load_profile("hyperliquid").model_dump_json(exclude_unset=True))
    return data | over


@pytest.mark.parametrize(
    ("over", "why"),
    [
        ({"schema_version": 2}, r"schema_version: 2: input should be 1"),
        ({"date": None}, r"date: is missing; a profile with sources says which day it describes"),
        ({"date": "10 October 2025"}, r"date: '10 October 2025' is not a day; write it like 2025-10-10"),
        ({"date": "2025-13-01"}, r"date: '2025-13-01' is not a day"),
        ({"date": 20251010}, r"date: 20251010 is not a day"),
        ({"date": "2024-01-01"}, r"origins\[0\]\.date: 2026-11-01 is after 2024-01-01, the day of the profile"),
        ({"origins": []}, r"backstop, last_resort, withdrawal_notional and \d+ more: has no source"),
        ({"sources": {}}, r"origins\[1\]\.source: 'liquidations' is not there; known: none"),
        (
            {"gaps": [{"rule": "a", "kind": "simplified", "instead": "b", "source": "x"}]},
            r"gaps\[0\]\.source: 'x' is not",
        ),
        ({"gaps": [{"rule": "a", "kind": "unknown", "instead": "b"}]}, r"gaps\[0\]\.kind: 'unknown'"),
    ],
    ids=lambda value: next(iter(value)) + "=" + str(next(iter(value.values())))[:20] if isinstance(value, dict) else "",
)
def test_a_profile_without_its_evidence_is_refused_by_field(over: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        load_profile(written(**over))


@pytest.mark.parametrize(
    ("origin", "why"),
    [
        ({"paths": []}, r"origins\[\d+\]\.paths: \[\]"),
        ({"paths": ["markets.SOL.fees"]}, r"origins\[\d+\]\.paths: 'markets\.SOL\.fees' is no parameter that the file"),
        ({"confidence": "certain"}, r"origins\[\d+\]\.confidence: 'certain'"),
        ({"source": None}, r"origins\[\d+\]: source: is missing; confidence 'document' needs one"),
        ({"confidence": "assumption"}, r"origins\[\d+\]: source: 'adl': assumption has no source"),
        ({"confidence": "assumption", "source": None}, r"origins\[\d+\]: note: is missing; an assumption says why"),
        ({"date": "2026-11-31"}, r"origins\[\d+\]\.date: '2026-11-31' is not a day"),
        ({"colour": "red"}, r"origins\[\d+\]: unknown key 'colour'"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_an_origin_that_says_nothing_is_refused(origin: dict[str, Any], why: str) -> None:
    good = {"paths": ["last_resort"], "confidence": "document", "date": "2026-11-01", "source": "adl"}
    data = written()
    data["origins"].append(good | origin)
    with pytest.raises(ConfigError, match=why):
        load_profile(data)


def test_the_last_origin_of_a_parameter_counts() -> None:
    data = written()
    last = {"paths": ["markets.*.fees.taker"], "confidence": "code", "date": "2026-10-01", "source": "adl"}
    data["origins"].append(last)
    told = profiles.describe(data)
    found = told.parameter("markets.ETH.fees.taker").origin
    assert found is not None
    assert found.confidence == "code"
    maker = told.parameter("markets.ETH.fees.maker").origin
    assert maker is not None
    assert maker.confidence == "assumption"


# One scenario through several profiles.


@pytest.mark.parametrize("name", DATED)
def test_a_profile_runs_a_scenario(name: str) -> None:
    run = seawall.replay(SMALL, accounts=1000, set=[f"venue={name}"])
    assert run.conservation["ok"]
    assert run.profile.name == name
    assert run.summary["liquidated_notional_usd"] > 0


def test_profiles_are_compared_on_the_same_accounts() -> None:
    steps: list[tuple[str, int, int]] = []
    comparison = profiles.compare(
        ["reference", "hyperliquid"], scenario=SMALL, accounts=1000, progress=lambda *step: steps.append(step)
    )
    assert comparison.conserved
    reference, other = comparison.outcomes
    assert (reference.profile, reference.date, other.profile, other.date) == (
        "reference",
        None,
        "hyperliquid",
        "2026-11-01",
    )
    # What one has in its fund the other has in its backstop.
    assert reference.means_start_usd == pytest.approx(other.means_start_usd, abs=0.01)
    assert reference.hedges.accounts == other.hedges.accounts > 0
    assert steps[-1] == ("hyperliquid", 1200, 1200)
    again = profiles.compare(["reference", "hyperliquid"], scenario=SMALL, accounts=1000)
    assert [row.digest for row in again.outcomes] == [row.digest for row in comparison.outcomes]
    assert json.loads(json.dumps(comparison.to_dict()))["outcomes"][1]["hedges"]["total_usd"] == other.hedges.total_usd


def test_a_hedge_loses_what_its_events_say() -> None:
    run = seawall.replay(SMALL, accounts=2000, set=["fund.to_open_interest=0", "population.hedged_share=0.9"])
    loss = profiles.hedge_loss(run, seconds=30, cost_bps=10)
    assert loss.deleveraged > 0
    given = closed = unhedged = cost = Fraction(0)
    times = run.series["at"].astype(np.int64).tolist()
    hedges = set(run.hedges.tolist())
    for event in run.events.records:
        if event["kind"] == EventKind.ADL_FILL and int(event["account"]) in hedges and event["side"] == Side.BUY:
            market = run.profile.markets[int(event["market"])]
            qty = Fraction(market.lot_size) * int(event["qty"])
            index = run.series[f"{market.name}.index"]
            step = times.index(int(event["at"]))
            then, later = (Fraction(float(index[min(step + wait, len(times) - 1)])) for wait in (0, 30))
            given += Fraction(int(event["amount"]), 10**6)
            closed += qty * Fraction(market.tick_size) * int(event["price"])
            unhedged += qty * (then - later)
            cost += qty * later / 1000
    assert loss.against_mark_usd == pytest.approx(float(given))
    assert loss.closed_usd == pytest.approx(float(closed))
    assert loss.unhedged_usd == pytest.approx(float(unhedged))
    assert loss.rehedge_usd == pytest.approx(float(cost))
    assert loss.total_usd == pytest.approx(float(given + unhedged + cost) + loss.taken_usd)


def test_a_hedge_loss_needs_events() -> None:
    run = seawall.replay(SMALL, accounts=200, events="none")
    with pytest.raises(ScenarioError, match=r"events: the run kept none"):
        profiles.hedge_loss(run)
    with pytest.raises(ScenarioError, match=r"must be at least 0"):
        profiles.hedge_loss(run, seconds=-1)


def test_an_unknown_profile_is_refused_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match=r"did you mean binance"):
        profiles.compare(["reference", "binanse"], scenario=SMALL)


# Binance


def binance_example() -> Play:
    """Return the two positions of the venue's FAQ, with the brackets that it had then and prices in cents."""
    btc = [
        ("0", "0.008", "0.004"),
        ("50_000", "0.01", "0.005"),
        ("250_000", "0.02", "0.01"),
        ("1_000_000", "0.05", "0.025"),
    ]
    eth = [
        ("0", "0.01", "0.005"),
        ("10_000", "0.013", "0.0065"),
        ("100_000", "0.02", "0.01"),
        ("500_000", "0.04", "0.02"),
    ]
    eth += [("1_000_000", "0.1", "0.05"), ("2_000_000", "0.2", "0.1")]
    play = Play(
        "binance",
        brackets("BTC", *btc),
        brackets("ETH", *eth),
        "markets.BTC.tick_size='0.01'",
        "markets.BTC.price_max=100000",
        user="1_535_443.01",
        bank=BANK,
    )
    play.index(BTC="31967.27", ETH="1335.18")
    play.block("ETH", "user", "bank", "3683.979", "1456.84")
    play.block("BTC", "user", "bank", "109.488", "32481.98")
    play.open()
    return play


def test_binance_maintenance_and_liquidation_prices_of_its_faq() -> None:
    # binance.com/en/support/faq/b3c689c1f50a44cabb3a84e663b81d93, as coded in freqtrade's tests: maintenance of BTC
    # 71,200.811444; liquidation prices 1,153.26 and 26,316.89, to the cent.
    play = binance_example()
    maintenance = play.account("user", "maintenance")
    btc, eth = Decimal("71200.811444"), Decimal("3683.979") * Decimal("1335.18") / 10 - 135_365
    assert maintenance == pytest.approx(btc + eth, abs=Decimal("0.000002"))
    for market, published in (("ETH", "1153.26"), ("BTC", "26316.89")):
        # The venue tells the first mark, in ticks, at which the account is liquidatable: at most a cent below.
        assert 0 <= Decimal(published) - play.liquidation_price("user", market) <= Decimal("0.01")


def test_binance_liquidates_at_that_price_and_not_before() -> None:
    play = binance_example()
    play.index(ETH="1153.26")
    assert not play.events(EventKind.LIQUIDATION_STARTED).size
    play.index(ETH="1153.25")
    assert play.events(EventKind.LIQUIDATION_STARTED, "user").size == 1


# Hyperliquid


def test_hyperliquid_funding_of_its_numerical_example() -> None:
    # docs/trading/funding.md: impact bid 10,100 on an oracle of 10,000: premium 1 %, rate 0.95 % in 8 h, an eighth
    # of it after an hour, on the oracle's notional of 10 contracts of 1 BTC.
    play = Play("hyperliquid", long=BANK, short=BANK)
    play.index(BTC="10000", ETH="1000")
    play.block("BTC", "long", "short", "10", "10000")
    play.open()
    play.wait(3600)
    play.pulse()
    play.seen.clear()
    # A new hour: its only sample is that of the example's book.
    play.place("BTC", "short", Side.BUY, "5", "10100")
    play.place("BTC", "short", Side.SELL, "5", "10200")
    play.index(BTC="10000")
    play.wait(3600)
    play.pulse()
    assert int(play.events(EventKind.FUNDING_SETTLED)["amount"][0]) == 9_500_000
    paid = play.events(EventKind.FUNDING_PAID, "long")
    assert play.money(int(paid["amount"].sum())) == Decimal("118.75")


def test_hyperliquid_sells_a_fifth_of_a_large_position_and_the_rest_within_the_cooldown() -> None:
    # docs/trading/liquidations.md: above 100k USDC only 20 % is sent; for 30 s orders are then for all of it. One
    # round in a step stands for one block.
    play = Play("hyperliquid", "limits.liquidation_rounds_per_step=1", user="25_000", bank=BANK)
    play.index(BTC="100000", ETH="4000")
    play.block("BTC", "user", "bank", "10", "100000")
    play.open()
    play.place("BTC", "bank", Side.BUY, "2", "98200")
    play.index(BTC="98200")
    first = play.events(EventKind.LIQUIDATION_ORDER, "user")
    assert [play.qty(order) for order in first] == [2]
    play.wait(29)
    play.pulse()
    later = play.events(EventKind.LIQUIDATION_ORDER, "user")[1:]
    assert play.qty(later[0]) == 8


def test_hyperliquid_maintenance_is_continuous_over_its_tiers_and_its_liquidation_price_is_its_formula() -> None:
    # docs: maintenance = notional x rate - deduction, deduction = 150M x (0.025 - 0.0125); liq_price = price - side x
    # margin_available / size / (1 - l x side).
    play = Play("hyperliquid", "markets.BTC.position_max=100000", user="20_000_000", small="25_000", bank=BANK)
    play.index(BTC="100000", ETH="4000")
    play.block("BTC", "user", "bank", "2000", "100000")
    play.block("BTC", "small", "bank", "10", "100000")
    assert play.account("user", "maintenance") == 200_000_000 * Decimal("0.025") - 150_000_000 * Decimal("0.0125")
    exact = 100_000 - (25_000 - 12_500) / Decimal(10) / (1 - Decimal("0.0125"))
    assert 0 <= exact - play.liquidation_price("small", "BTC") <= Decimal("0.1")


def test_hyperliquid_s_vault_takes_the_whole_account() -> None:
    # docs/trading/liquidations.md: positions and margin are transferred, the trader ends with zero equity.
    play = Play("hyperliquid", vault="50_000_000", user="25_000", bank=BANK)
    play.index(BTC="100000", ETH="4000")
    play.block("BTC", "user", "bank", "10", "100000")
    play.open()
    play.index(BTC="98000")
    for _ in range(3):
        play.pulse()
    assert play.account("user", "equity") == 0
    assert play.position("user", "BTC") == 0
    assert play.position("vault", "BTC") == 10
    assert play.account("vault", "equity") == 50_000_000 + 25_000 - 20_000


def test_a_comparison_of_unlike_things_is_told(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('extends = "reference"\nname = "other"\n[[markets]]\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="markets"):
        profiles.compare([str(other)], scenario=SMALL, accounts=100)
