"""Models of venues and scenarios: exact conversion, and refusals that say what to do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import seawall
from seawall import _core
from seawall.errors import ConfigError, ScenarioError
from seawall.models import ScenarioModel, VenueProfile, load_profile, load_scenario, profile_names, schemas

ROOT = Path(__file__).parents[2]
PRO_RATA = 'markets.BTC.allocation={type="pro_rata"'


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_of_the_package_is_accepted_by_the_core(name: str) -> None:
    profile = load_profile(name)
    assert json.loads(_core.Venue(profile.to_json()).config()) == profile.config()


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_survives_being_written_and_read(name: str) -> None:
    profile = load_profile(name)
    assert VenueProfile.model_validate(json.loads(profile.model_dump_json())) == profile


def test_a_scenario_survives_being_written_and_read(small: Path) -> None:
    scenario, _ = load_scenario(small)
    assert ScenarioModel.model_validate(json.loads(scenario.model_dump_json())) == scenario


def test_the_small_scenario_is_the_one_of_the_rust_suite(small: Path) -> None:
    scenario, profile = load_scenario(small)
    expected = json.loads((ROOT / "rust/sim/tests/data/small.json").read_text(encoding="utf-8"))
    assert json.loads(scenario.to_json(profile)) == expected


@given(ticks=st.integers(1, 4_000_000), lots=st.integers(0, 10_000_000))
def test_ticks_and_lots_are_exact_both_ways(ticks: int, lots: int) -> None:
    market = load_profile_once().market("BTC")
    assert market.ticks(str(market.price(ticks))) == ticks
    assert market.lots(str(market.lot_size * lots)) == lots


_PROFILES: dict[str, VenueProfile] = {}


def load_profile_once() -> VenueProfile:
    return _PROFILES.setdefault("reference", load_profile("reference"))


@given(
    maker=st.integers(0, 1000),
    slice_ppm=st.integers(1, 1_000_000),
    window=st.integers(1, 10**15),
    width=st.integers(1, 10**9),
)
def test_the_core_reads_back_what_the_model_wrote(maker: int, slice_ppm: int, window: int, width: int) -> None:
    breaker = {
        "name": "halt",
        "markets": ["ETH"],
        "ranges": [
            {
                "reference": {"type": "window", "prices": "mark", "window": f"{window}ns"},
                "width": {"type": "share", "share": f"{width / 10**6:.6f}"},
            }
        ],
        "test": {"type": "mark"},
        "action": {"type": "interrupt", "phase": "pause"},
        "exit": {"after": "1s"},
    }
    data = json.loads(load_profile_once().model_dump_json()) | {"breakers": [breaker]}
    data["markets"][0]["fees"]["maker"] = f"{maker / 10**6:.6f}"
    data["markets"][0]["liquidation"]["slice"] = f"{slice_ppm / 10**6:.6f}"
    config = json.loads(_core.Venue(load_profile(data).to_json()).config())
    assert config["markets"][0]["fees"]["maker_ppm"] == maker
    assert config["markets"][0]["liquidation"]["slice_ppm"] == slice_ppm
    (part,) = config["breakers"][0]["ranges"]
    assert part["reference"]["window_ns"] == window
    assert part["width"]["ppm"] == width


def test_a_market_has_rules_of_its_own_for_orders() -> None:
    overrides = [
        "markets.BTC.cleared=false",
        "markets.BTC.client_ids=hashed",
        PRO_RATA + ',top_order=true,lead=[{account=3,share="0.25"}],fifo="0.4",minimum="0.005"}',
        'markets.BTC.day={start="22h",length="24h"}',
        "markets.BTC.entry.price_step='0.5'",
        "markets.BTC.entry.qty_step='0.01'",
        "markets.BTC.entry.qty_min='0.02'",
        "markets.BTC.entry.notional_min=5",
        "markets.BTC.entry.notional_max='1_000_000.5'",
        "markets.BTC.entry.open_orders_max=200",
        "markets.ETH.client_ids.dense.max=1000",
        "limits.triggers_per_step=3",
    ]
    profile = load_profile("reference", set=overrides)
    assert VenueProfile.model_validate(json.loads(profile.model_dump_json())) == profile
    config = json.loads(_core.Venue(profile.to_json()).config())
    assert config == profile.config()
    btc, eth = config["markets"]
    assert btc["cleared"] is False
    assert (btc["client_ids"], eth["client_ids"]) == ("hashed", {"dense": {"max": 1000}})
    lead = [{"account": 3, "share_ppm": 250_000}]
    shares = {"type": "pro_rata", "top_order": True, "lead": lead, "fifo_ppm": 400_000, "minimum": 5}
    assert (btc["allocation"], eth["allocation"]) == (shares, {"type": "price_time"})
    assert btc["day"] == {"start_ns": 22 * 3_600 * 10**9, "length_ns": 86_400 * 10**9}
    assert btc["entry"] == {
        "price_step": 5,
        "qty_step": 10,
        "qty_min": 20,
        "notional_min": 5_000_000,
        "notional_max": 1_000_000_500_000,
        "open_orders_max": 200,
    }
    plain = {"price_step": 1, "qty_step": 1, "qty_min": 1, "notional_min": 0}
    assert eth["entry"] == plain | {"notional_max": None, "open_orders_max": None}
    assert config["limits"]["triggers_per_step"] == 3


def coin_venue(**market: Any) -> dict[str, Any]:
    """Return the reference profile with one market, margined in a coin."""
    data: dict[str, Any] = json.loads(load_profile_once().model_dump_json())
    data["assets"] = [{"name": "XBT", "decimals": 8, "deposits_max": "1000"}]
    data["breakers"] = []
    btc = data["markets"][0]
    amounts = {
        "lot_size": "1",
        "order_qty_max": "1000000",
        "position_max": "10000000",
        "open_interest_max": "100000000",
    }
    btc |= {"name": "XBTUSD", "tick_size": "0.5", "price_max": "1000000", "funding": None, **amounts}
    btc["tiers"] = [{"lower": "0", "initial": "0.01", "maintenance": "0.005"}]
    btc["liquidation"]["full_below"] = "0"
    data["markets"] = [btc | market]
    return data


def test_an_inverse_market_is_counted_in_parts_of_a_satoshi() -> None:
    profile = load_profile(coin_venue(contract={"type": "inverse", "price_min": "5000"}))
    (market,) = json.loads(_core.Venue(profile.to_json()).config())["markets"]
    # One dollar is 2e8 satoshis over the price in half dollars: 100 at a million dollars, so parts of 1e-4 are enough.
    assert market["contract"] == {"type": "inverse", "face": 2 * 10**8, "scale": 10**4, "price_min": 10_000}
    assert "tick_value" not in market
    assert market == profile.config()["markets"][0]


def test_a_quanto_market_pays_a_multiplier_per_unit_of_price() -> None:
    contract = {"type": "quanto", "multiplier": "0.0000001"}
    profile = load_profile(coin_venue(name="ETHUSD", tick_size="0.05", price_max="100000", contract=contract))
    (market,) = json.loads(_core.Venue(profile.to_json()).config())["markets"]
    # Ten satoshis per dollar are half a satoshi per tick.
    assert market["contract"] == {"type": "quanto", "multiplier": 1, "scale": 2}


@pytest.mark.parametrize(
    ("market", "told"),
    [
        ({"contract": {"type": "cubic"}}, "contract"),
        ({"contract": {"type": "inverse", "price_min": "5000.3"}}, "markets.XBTUSD.contract.price_min"),
        ({"contract": {"type": "inverse", "price_min": "0"}}, "price_min"),
        ({"contract": {"type": "inverse", "price_min": "5000", "scale": 0}}, "scale"),
        ({"contract": {"type": "inverse", "price_min": "5000"}, "tick_size": "0.3"}, "lot_size 1 over it is not whole"),
        ({"contract": {"type": "quanto", "multiplier": "-1"}}, "multiplier"),
        ({"contract": {"type": "quanto"}}, "multiplier"),
    ],
)
def test_a_contract_that_cannot_work_is_refused_by_its_field(market: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_profile(coin_venue(**market)).config()


def test_a_scale_that_is_too_coarse_is_refused_by_the_core() -> None:
    contract = {"type": "inverse", "price_min": "5000", "scale": 9_999}
    with pytest.raises(ConfigError, match=r"contract.scale: 9999: a part is more than a millionth of a lot"):
        _core.Venue(load_profile(coin_venue(contract=contract)).to_json())


def test_a_market_has_an_index_a_mark_and_funding_of_its_own() -> None:
    source = 'name="{}",weight={},stale="10s"'
    sources = ",".join("{" + source.format(name, weight) + "}" for name, weight in (("one", 3), ("two", 2)))
    overrides = [
        f'markets.BTC.index={{rule={{type="mean",outlier="0.05"}},sources_min=2,sources=[{sources}]}}',
        f'markets.ETH.index={{rule={{type="median"}},sources_min=1,liquidates_stale=true,sources=[{sources}]}}',
        (
            'markets.BTC.mark={method="median",inputs=["basis_ema","touch","external"],fallback="touch_ema",'
            'basis_decay="0.993355506",touch_decay="0.967216100",index_band="0.05",slew="0.01",'
            f"sources=[{sources}]}}"
        ),
        "markets.BTC.funding.rate_period=8h",
        "markets.BTC.funding.interval=1h",
        "markets.BTC.funding.price=index",
        "markets.BTC.funding.payers=capped",
        "markets.BTC.funding.cap_margin_multiple=6",
        'markets.BTC.funding.votes={period="60s",votes_min=15,samples_min=60}',
        "markets.BTC.funding.accrual='0.000001'",
    ]
    profile = load_profile("reference", set=overrides)
    assert VenueProfile.model_validate(json.loads(profile.model_dump_json())) == profile
    config = json.loads(_core.Venue(profile.to_json()).config())
    assert config == profile.config()
    btc, eth = config["markets"]
    told = [{"name": "one", "weight": 3, "stale_ns": 10**10}, {"name": "two", "weight": 2, "stale_ns": 10**10}]
    assert btc["index"]["rule"] == {"mean": {"outlier_ppm": 50_000}}
    assert eth["index"] == {"rule": "median", "sources_min": 1, "liquidates_stale": True, "sources": told}
    assert btc["mark"] == {
        "method": "median",
        "basis_samples": 30,
        "inputs": ["basis_ema", "touch", "external"],
        "fallback": "touch_ema",
        "basis_decay_ppb": 993_355_506,
        "touch_decay_ppb": 967_216_100,
        "index_band_ppm": 50_000,
        "slew_ppm": 10_000,
        "sources": told,
    }
    terms = {key: btc["funding"][key] for key in ("rate_period_ns", "price", "payers", "cap_margin_multiple", "votes")}
    votes = {"period_ns": 60 * 10**9, "votes_min": 15, "samples_min": 60}
    period = 28_800 * 10**9
    assert terms == {
        "rate_period_ns": period,
        "price": "index",
        "payers": "capped",
        "cap_margin_multiple": 6,
        "votes": votes,
    }
    # A tick is a tenth of a dollar: a millionth of one is a hundred-thousandth of a tick.
    assert btc["funding"]["accrual"] == {"units": 100_000, "ticks": 1}
    assert "index" not in json.loads(_core.Venue(load_profile_once().to_json()).config())["markets"][0]


@pytest.mark.parametrize(
    ("override", "told"),
    [
        (
            "markets.BTC.entry.notional_max=4",
            "entry.notional_max: 4000000: must be .* at least notional_min 5000000",
        ),
        (
            PRO_RATA + ',lead=[{account=3,share="0.7"},{account=4,share="0.7"}]}',
            "allocation.lead: shares sum to 1400000",
        ),
        ("markets.BTC.day.length=0s", "day: length_ns must be positive"),
    ],
)
def test_rules_that_cannot_work_are_refused_by_the_core(override: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        seawall.Venue("reference", set=["markets.BTC.entry.notional_min=5", override])


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("markets.BTC.tick_siz=1", ["markets[0]", "tick_siz", "did you mean tick_size?"]),
        ("colour=1", ["colour", "known: schema_version"]),
        ("markets.BTC.price_max=-5", ["markets[0].price_max", "-5", "greater than 0"]),
        ("markets.BTC.price_max=400000.05", ["markets.BTC.price_max", "400000.05", "use 400000 or 400000.1"]),
        ("markets.ETH.order_qty_max='10.001'", ["markets.ETH.order_qty_max", "10.001", "use 10 or 10.01"]),
        ("markets.ETH.fees.taker='0.00000001'", ["markets.ETH.fees.taker", "use 0 or 0.000001"]),
        ("markets.ETH.tick_size='0.00001'", ["markets.ETH.tick_size", "more decimals"]),
        ("markets.ETH.fund='spare'", ["markets.ETH.fund", "'spare'", "known: main"]),
        ("markets.ETH.funding.interval=999us", ["funding.interval", "999000ns is too short", "1ms"]),
        ("markets.ETH.funding.interval=8", ["funding.interval", "8 has no unit", '"8h"']),
        ("markets.ETH.funding.first='noon'", ["funding.first", "'noon'", "2025-10-10T21:00:00Z"]),
        ("markets.ETH.funding.first='2025-10-10T21:00:00'", ["funding.first", "no time zone"]),
        ("markets.SOL.fund=main", ["markets has no item SOL", "known: BTC, ETH"]),
        ("breakers.band.enabled=true", ["breakers has no item band", "it is empty", "as in breakers=deribit"]),
        ("last_resort=hope", ["last_resort", "'hope'", "'socialise_equity' or 'withdrawal_factor'"]),
        ("markets=[]", ["markets", "is empty"]),
        ("name", ["--set name", "a.b=value"]),
        ("markets.BTC.client_ids=dens", ["markets[0].client_ids", "'dens'", "'none' or 'hashed'"]),
        ("markets.BTC.client_ids=5", ["markets[0].client_ids", "5", "'none' or 'hashed'"]),
        ("markets.BTC.client_ids.dense.max=0", ["client_ids", "dense.max", "greater than or equal to 1"]),
        ("markets.BTC.client_ids.dens=5", ["client_ids", "unknown key 'dens'", "did you mean dense?"]),
        ("markets.BTC.allocation.type=pro_rat", ["markets[0].allocation", "'pro_rat'", "'price_time', 'pro_rata'"]),
        (PRO_RATA + ',fifo="0.0000001"}', ["markets.BTC.allocation.fifo", "use 0 or 0.000001"]),
        (PRO_RATA + ',minimum="0.0015"}', ["markets.BTC.allocation.minimum", "use 0.001 or 0.002"]),
        (PRO_RATA + ',lead=[{account=3,share="1e-7"}]}', ["markets.BTC.allocation.lead[0].share", "use 0 or"]),
        (PRO_RATA + ",lead=[{share=1}]}", ["lead[0].account", "is missing"]),
        ("markets.BTC.day.length=86400", ["markets[0].day.length", "has no unit"]),
        ("markets.BTC.entry.price_step='0.25'", ["markets.BTC.entry.price_step", "use 0.2 or 0.3"]),
        ("markets.BTC.entry.qty_step='0.0015'", ["markets.BTC.entry.qty_step", "use 0.001 or 0.002"]),
        ("markets.BTC.entry.qty_min=0", ["markets[0].entry.qty_min", "greater than 0"]),
        ("markets.BTC.entry.notional_max='0.0000005'", ["markets.BTC.entry.notional_max", "use 0 or 0.000001"]),
        ("markets.BTC.entry.open_orders_max=0", ["entry.open_orders_max", "greater than or equal to 1"]),
        ("markets.BTC.entry.step=1", ["markets[0].entry", "unknown key 'step'", "did you mean qty_step?"]),
        ("markets.BTC.cleared=perhaps", ["markets[0].cleared", "perhaps", "boolean"]),
    ],
)
def test_a_bad_profile_is_refused_with_field_value_and_remedy(override: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_profile("reference", set=[override])
    for part in parts:
        assert part in str(caught.value)


def test_a_float_in_a_file_is_refused_because_it_is_not_exact(tmp_path: Path) -> None:
    text = (ROOT / "python/seawall/venues/reference.toml").read_text(encoding="utf-8")
    file = tmp_path / "venue.toml"
    file.write_text(text.replace('tick_size = "0.1"', "tick_size = 0.1"), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"venue.toml: markets\[0\].tick_size: 0.1 is not exact; write it as a string"
    ):
        load_profile(file)


def test_a_config_whose_maxima_could_overflow_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"markets: .* above 2305843009213693952; lower deposits_max, open_interest_max"
    ):
        seawall.Venue("reference", set=["markets.BTC.open_interest_max=300000000000"])


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("markets.BTC.name=ETH", r'markets: two have the name "ETH"'),
        ("markets.BTC.tick_size=1e9999999", "is out of range; give a number of at most 40 digits"),
    ],
)
def test_a_profile_that_could_only_confuse_or_hang_is_refused(override: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        seawall.Venue("reference", set=[override])


def test_a_scenario_that_is_no_name_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"scenario \[\]: must be a name"):
        load_scenario([])  # type: ignore[arg-type]


def test_a_missing_scenario_names_the_known_ones() -> None:
    with pytest.raises(ScenarioError, match=r"scenario 'oct10-2052' is not there; did you mean oct10-2025\? known: "):
        load_scenario("oct10-2052")
    with pytest.raises(ScenarioError, match="there is no such file"):
        load_scenario("nowhere/my.toml")


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("impact.exponnent=1", ["impact", "exponnent", "did you mean exponent?"]),
        ("markets.BTC.open_interest=0.0001", ["BTC: open_interest", "0.0001", "use 0 or 0.001"]),
        ("markets.BTC.open_interest=-1", ["markets.BTC.open_interest", "-1", "greater than or equal to 0"]),
        ("flow.noise.size_median='0.0000001'", ["flow.noise.size_median", "use 0 or 0.000001"]),
        ("venue=nowhere", ["venue 'nowhere' is not there"]),
        ("venue.markets.BTC.fund=spare", ["markets.BTC.fund", "'spare'"]),
    ],
)
def test_a_bad_scenario_is_refused_with_field_value_and_remedy(small: Path, override: str, parts: list[str]) -> None:
    with pytest.raises((ScenarioError, ConfigError)) as caught:
        load_scenario(small, set=[override])
    for part in parts:
        assert part in str(caught.value)


def test_an_off_tick_price_of_a_path_is_refused(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "off.toml"
    file.write_text(small.read_text(encoding="utf-8").replace('"117014.0"', '"117014.05"', 1), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"off.toml: BTC: path\[0\].bars\[0\]: 117014.05 .* use 117014 or 117014.1"):
        load_scenario(file)


def test_a_file_extends_another_key_by_key(small: Path, tmp_path: Path) -> None:
    base = tmp_path / "base.toml"
    base.write_text(small.read_text(encoding="utf-8"), encoding="utf-8")
    child = tmp_path / "child.toml"
    child.write_text('extends = "base"\nname = "child"\n[impact]\nexponent = 1.0\n', encoding="utf-8")
    before, _ = load_scenario(small)
    after, _ = load_scenario(child)
    assert after.name == "child"
    assert after.impact.exponent == 1.0
    assert after.impact.decay_ns == before.impact.decay_ns
    base.write_text('extends = "child"\n', encoding="utf-8")
    with pytest.raises(ScenarioError, match="circle"):
        load_scenario(child)


def test_the_committed_schemas_are_those_of_the_models() -> None:
    for name, schema in schemas().items():
        file = ROOT / "python/seawall/schemas" / f"{name}.schema.json"
        assert json.loads(file.read_text(encoding="utf-8")) == json.loads(json.dumps(schema)), (
            f"write it anew: seawall schema {name} > {file.relative_to(ROOT)}"
        )


@pytest.mark.parametrize(
    ("override", "field"),
    [
        ("limits.accounts_max=99999999999999999999999", "limits.accounts_max: "),
        ("seed=99999999999999999999999", "seed: "),
        ("backstop=99999999999", "backstop: "),
        ("markets.BTC.order_qty_max=1000000000000000000000000000", "markets.BTC.order_qty_max: "),
        ("markets.BTC.entry.notional_max=99999999999999999999999", "markets.BTC.entry.notional_max: "),
        ("markets.BTC.entry.open_orders_max=99999999999999999999", "entry.open_orders_max: "),
        ("markets.BTC.fees.taker=-100000000000000000000", "markets.BTC.fees.taker: "),
        ("markets.BTC.mark.basis_samples=99999999999999999999", "mark.basis_samples: "),
        ("markets.BTC.day.length=99999999999999999999d", "day.length: "),
        ("markets.BTC.reopen_auction=99999999999999999h", "reopen_auction: "),
        ("markets.BTC.funding.first=9999-01-01T00:00:00Z", "funding.first: "),
        ("markets.BTC.tick_size=1000000000000000000000000000", "tick_size: "),
    ],
)
def test_a_number_beyond_64_bits_is_refused_by_its_field(override: str, field: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(field)) as refused:
        load_profile("reference", set=[override])
    assert "line 1 column" not in str(refused.value)


def test_a_scenario_beyond_64_bits_is_refused_by_its_field() -> None:
    for override in ("step_ns=99999999999999d", "makers.accounts=99999999999999999999", "makers.capital=1" + "0" * 30):
        with pytest.raises(ScenarioError, match=override.partition("=")[0]):
            load_scenario("calm", set=[override])
