"""docs/rules.md: its files and its commands work, and its rules act on the crash day; presets are compared."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import seawall
from seawall import EventKind, Phase, Side, rulebook
from seawall.cli import app
from seawall.errors import ConfigError, ScenarioError
from seawall.models import load_rules, rule_names

from conftest import SMALL
from play import BANK, Play

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
FILES = {text.split("\n")[0].removeprefix("# "): text for kind, text in BLOCKS if kind == "toml"}
COMMANDS = [
    line.partition("  #")[0].strip()
    for kind, text in BLOCKS
    for line in text.splitlines()
    if not kind and line.startswith("seawall ")
]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the files of the page, and stand beside them."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_has_files_and_commands() -> None:
    assert set(FILES) == {"my-venue.toml", "my-band.toml", "my-halt.toml", "my-luld.toml", "my-market-wide.toml"}
    assert len(COMMANDS) >= 10


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_works(command: str) -> None:
    words = shlex.split(command)[1:]
    if "--accounts" in words:
        words[words.index("--accounts") + 1] = "200"
    elif words[0] == "replay":
        words += ["--accounts", "200"]
    if words[:2] == ["rules", "compare"]:
        words += ["--scenario", str(SMALL)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("venue", "rules", "acts"),
    [
        ("reference", "my-halt", EventKind.BREAKER_TRIPPED),
        ("reference", "my-luld", EventKind.BREAKER_TRIPPED),
        ("my-market-wide", None, EventKind.BREAKER_TRIPPED),
    ],
)
def test_a_rule_of_the_page_acts_on_the_crash_day(files: Path, venue: str, rules: str | None, acts: EventKind) -> None:
    place = f"venue={files / venue}.toml" if venue.startswith("my") else f"venue={venue}"
    over = [place] if rules is None else [place, f"venue.breakers={files / rules}.toml"]
    run = seawall.replay("oct10-2025", accounts=500, set=over)
    assert run.conservation["ok"]
    assert run.events.of(acts).height > 0


def test_the_band_of_the_page_moves_limits_to_its_bound(files: Path) -> None:
    play = Play("reference", f"breakers={files / 'my-band'}.toml", "markets.BTC.mark.method=index", buyer=BANK)
    play.index(BTC="100", ETH="10")
    play.open()
    for price in ("103", "103.1"):
        accepted = play.place("BTC", "buyer", Side.BUY, "1", price)[-1]
        assert play.profile.market("BTC").price(int(accepted["price"])) == 103


def test_every_preset_is_in_the_table_of_the_page() -> None:
    table = PAGE[PAGE.index("## The presets") :]
    assert set(re.findall(r"`([a-z0-9-]+)`", table)) >= set(rule_names())


def test_a_file_is_refused_by_what_it_cannot_set(tmp_path: Path) -> None:
    file = tmp_path / "odd.toml"
    head = 'description = "x"\nas_of = "2026"\nsource = "x"\n'
    for rest, told in (
        ('[market]\ntick_size = "1"\n', r"odd\.toml: .*market\.tick_size: a preset cannot set it"),
        ("[market]\nliquidations = 1\n", r"market\.liquidations: a preset cannot set it; did you mean liquidation\?"),
        ("[venue]\nassets = []\n", r"venue\.assets: a preset cannot set it"),
        ("", r"breakers: is empty; give breakers, or a table venue, fund or market"),
    ):
        file.write_text(head + rest, encoding="utf-8")
        with pytest.raises(ConfigError, match=told):
            load_rules(file)
    file.write_text(head + '[market.liquidation]\nslice = "2"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="slice"):
        seawall.Venue("reference", set=[f"breakers={file}"])


@pytest.mark.parametrize("name", rule_names())
def test_a_preset_s_numbers_are_told_by_path(name: str) -> None:
    told = rulebook.numbers(name)
    assert told
    assert not [path for path, value in told.items() if isinstance(value, dict)]


# The comparison.


def test_presets_are_compared_with_none_on_the_same_accounts() -> None:
    told = rulebook.compare(["deribit", "okx-adl+composite"], scenarios=[SMALL], accounts=2_000)
    none, deribit, both = told.outcomes
    assert [row.rules for row in told.outcomes] == ["none", "deribit", "okx-adl+composite"]
    assert told.conserved
    assert none.acted == 0
    assert none.halted_seconds == none.slowed_seconds == {"BTC": 0, "ETH": 0}
    assert none.digest == seawall.replay(SMALL, accounts=2_000).digest
    assert deribit.bounded > 0
    assert set(both.trips) <= {f"composite-{name}" for name in ("guard", "thin", "pressure", "auction", "overload")}
    assert sum(both.trips.values()) > 0
    assert sum(both.halted_seconds.values()) + sum(both.slowed_seconds.values()) > 0
    assert none.last_below_index["BTC"] < 0


def test_trips_are_told_by_the_names_of_the_rules_that_the_venue_has(files: Path) -> None:
    file = files / "two.toml"
    head, rule = FILES["my-halt.toml"].split("[[breakers]]")
    off = rule.replace('name = "halt"', 'name = "off"\nenabled = false')
    file.write_text(f"{head}[[breakers]]{off}[[breakers]]{rule}", encoding="utf-8")
    (_, told) = rulebook.compare([str(file)], scenarios=[SMALL], accounts=500).outcomes
    assert set(told.trips) == {"two-halt"}


def test_what_a_comparison_tells_is_in_the_events_and_the_series() -> None:
    (_, told) = rulebook.compare(["composite"], scenarios=[SMALL], accounts=2_000).outcomes
    run = seawall.replay(SMALL, accounts=2_000, set=["venue.breakers=composite"])
    assert told.digest == run.digest
    changed = run.events.of(EventKind.PHASE_CHANGED)
    stop = int(run.series["at"][-1].astype("int64"))
    for number, name in enumerate(("BTC", "ETH")):
        rows = np.flatnonzero(changed["market"] == number)
        at = [*(int(time) for time in changed["at"][rows].astype("int64")), stop]
        spent = dict.fromkeys(Phase, 0.0)
        for place, row in enumerate(rows):
            spent[Phase(int(changed["phase"][row]))] += (at[place + 1] - at[place]) / 1e9
        # The series sees a phase at the end of a step of a second.
        assert told.halted_seconds[name] == pytest.approx(spent[Phase.CALL_AUCTION], abs=len(rows))
        assert told.slowed_seconds[name] == pytest.approx(spent[Phase.GUARDED], abs=len(rows))
        assert spent[Phase.CALL_AUCTION] + spent[Phase.GUARDED] > 30
        prices = zip(run.series[f"{name}.last"], run.series[f"{name}.index"], strict=True)
        lowest = min(last / index - 1 for last, index in prices if last > 0)
        assert told.last_below_index[name] == min(0, lowest)
    assert sum(told.trips.values()) == run.events.of(EventKind.BREAKER_TRIPPED).height


def test_no_rule_of_the_comparison_acts_on_the_quiet_day() -> None:
    told = rulebook.compare(scenarios=["calm"], accounts=300)
    none, *others = told.outcomes
    assert len(others) >= 8
    assert [row.acted for row in others] == [0] * len(others)
    assert not any(sum(row.halted_seconds.values()) + sum(row.slowed_seconds.values()) for row in others)
    assert not any(row.liquidated_usd for row in others)
    # What acts on nobody leaves no trace, but that traders keep their limits inside a band, which takes less margin.
    bands = {"binance-futures", "okx", "bybit", "deribit", "composite"}
    assert {row.digest for row in others if row.rules not in bands} == {none.digest}


def test_what_is_not_there_is_refused_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match=r"rules 'deribitt': there are none; did you mean deribit\?"):
        rulebook.compare(["deribitt"])
    with pytest.raises(ScenarioError, match="did you mean calm"):
        rulebook.compare(["deribit"], scenarios=["clam"])


def test_what_is_set_of_a_rule_is_set_where_the_rule_is() -> None:
    off = "venue.breakers.deribit-bandwidth.enabled=false"
    compared = rulebook.compare(["deribit", "okx"], scenarios=["calm"], accounts=200, set=[off])
    assert [row.rules for row in compared.outcomes] == ["none", "deribit", "okx"]
    none, deribit, _ = compared.outcomes
    assert deribit.digest == none.digest


@pytest.mark.parametrize(("rules", "known"), [(["deribit"], "known: deribit-"), (["okx-adl"], "none of the compared")])
def test_what_is_set_of_a_rule_that_no_run_has_is_refused(rules: list[str], known: str) -> None:
    text = "venue.breakers.bandwith.enabled=false"
    with pytest.raises(ConfigError, match=f"^--set {text}: breakers has no item bandwith in any of the runs; {known}"):
        rulebook.compare(rules, scenarios=["calm"], accounts=200, set=[text])
