"""Presets of breakers: each is one that the core takes, and says where it comes from."""

import json
from pathlib import Path

import pytest

from seawall import _core
from seawall.errors import ConfigError
from seawall.models import load_profile, load_rules, rule_names


@pytest.mark.parametrize("name", rule_names())
def test_the_core_takes_every_preset_for_two_markets(name: str) -> None:
    preset = load_rules(name)
    assert preset.source
    assert preset.as_of[:2] == "20"
    # Presets of stocks count in cents, in every market.
    cents = ["markets.BTC.tick_size=0.01", "markets.BTC.price_max=160_000"]
    profile = load_profile("reference", set=[*cents, f"breakers={name}"])
    config = json.loads(_core.Venue(profile.to_json()).config())
    assert [rule["markets"] for rule in config["breakers"]] == [[0, 1]] * len(preset.breakers)
    names = [f"{name}-{rule['name']}" for rule in preset.breakers]
    assert [rule["name"] for rule in config["breakers"]] == names
    if not preset.breakers:
        plain = load_profile("reference", set=cents)
        assert config != json.loads(_core.Venue(plain.to_json()).config())


def test_there_are_presets_of_venues_that_bound_orders() -> None:
    venues = {"binance-futures", "okx", "bybit", "deribit", "paradex", "grvt", "delta"}
    assert venues <= set(rule_names())


def test_a_preset_that_is_none_is_refused_with_its_field(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"known: .*deribit"):
        load_rules("deribitt")
    file = tmp_path / "odd.toml"
    text = 'description = "x"\nas_of = "2025"\nsource = "x"\n[[breakers]]\nname = "x"\ntest = { type = "dice" }\n'
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"odd\.toml: .*test"):
        load_rules(file)
