"""The command line as a user meets it: output, advice and exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seawall import __version__

from conftest import SMALL

COMMAND = [sys.executable, "-c", "from seawall.cli import app; app()"]
COMMANDS = ("replay", "scenarios", "profiles", "validate", "schema", "conform", "adl")


def seawall(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "140", "NO_COLOR": "1"}
    line = [*COMMAND, *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, env=environment, cwd=cwd)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_examples(command: str) -> None:
    done = seawall(command, "--help")
    assert done.returncode == 0
    assert f"seawall {command}" in done.stdout
    assert "Examples" in done.stdout


def test_without_a_command_the_help_lists_them() -> None:
    done = seawall()
    assert all(command in done.stdout + done.stderr for command in COMMANDS)


def test_replay_prints_one_json_object_and_nothing_else() -> None:
    done = seawall("replay", SMALL, "--accounts", "500", "--seed", "3", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    out = json.loads(done.stdout)
    assert (out["scenario"], out["seed"], out["accounts"], out["steps"]) == ("small", 3, 500, 600)
    assert out["wall_seconds"] > 0
    assert out["peak_rss_bytes"] > 10_000_000


def test_replay_prints_a_summary_for_people() -> None:
    done = seawall("replay", SMALL, "--accounts", "500", "--no-impact", "--no-noise", "--set", "impact.exponent=1")
    assert done.returncode == 0
    for part in ("liquidated notional", "insurance fund", "every cent accounted for: yes", "digest "):
        assert part in done.stdout


def test_replay_writes_a_report(tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    done = seawall("replay", SMALL, "--accounts", "200", "--report", tmp_path / "out.html")
    assert done.returncode == 0
    assert (tmp_path / "out.html").stat().st_size > 1_000_000


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["replay", "oct10-2052"], "did you mean oct10-2025?"),
        (["replay", SMALL, "--set", "impact.exponnent=1"], "did you mean exponent?"),
        (["replay", SMALL, "--set", "nonsense"], "a.b=value"),
        (["replay", SMALL, "--accounts", "0"], "accounts"),
        (["replay", SMALL, "--seed", "99999999999999999999999"], "seed"),
        (["replay", SMALL, "--accounts", "100", "--report", "nowhere/out.html"], "make the folder first"),
        (["profiles", "show", "binanse"], "did you mean binance?"),
        (["profiles", "compare", "binanse"], "did you mean binance?"),
        (["profiles", "compare", "--scenario", "oct10-2052"], "did you mean oct10-2025?"),
        (["profiles", "compare", "reference", "--scenario", SMALL, "--rehedge-seconds", "-1"], "rehedge-seconds"),
        (["profiles", "compare", "reference", "--picture", "nowhere/out.html"], "make the folder first"),
        (["conform", "nowhere.jsonl"], "nowhere.jsonl: cannot be read"),
        (["schema", "colour"], "colour"),
        (["adl", "nowhere.csv"], "nowhere.csv: cannot be read"),
        (["adl", "waves", "--mechanism", "kue"], "'kue' is unknown"),
        (["adl", "waves", "--picture", "nowhere/out.html"], "make the folder first"),
        (["adl", "waves", "--picture", "out.gif"], "ends in none of .html"),
        (["validate", "nowhere.toml"], "there is no such file"),
    ],
    ids=lambda value: " ".join(map(str, value[:3])) if isinstance(value, list) else "",
)
def test_bad_input_ends_with_2_and_advice(arguments: list[str | Path], part: str, tmp_path: Path) -> None:
    done = seawall(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interruption_ends_with_130() -> None:
    code = "from seawall.cli import app; print('ready', flush=True); app()"
    line = [sys.executable, "-c", code, "replay", str(SMALL), "--accounts", "20000", "--set", "step_ns=1ms", "--json"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err


def test_scenarios_and_profiles_are_listed() -> None:
    scenarios = json.loads(seawall("scenarios", "--json").stdout)
    assert {"calm", "nov03-2025", "nov04-2025", "oct10-2025"} <= {row["name"] for row in scenarios}
    profiles = json.loads(seawall("profiles", "--json").stdout)
    assert "reference" in {row["name"] for row in profiles}
    assert "reference" in seawall("profiles").stdout


def test_a_profile_is_shown_with_its_evidence() -> None:
    told = json.loads(seawall("profiles", "show", "bybit", "--json").stdout)
    assert all(row["confidence"] and row["date"] for row in told["parameters"])
    shown = seawall("profiles", "show", "bybit").stdout
    for part in (
        "funds.main.drawdown.trigger",
        "What the venue does and this profile does not",
        "Sources",
        "secondary",
    ):
        assert part in shown
    assert "describes no venue" in seawall("profiles", "show", "reference").stdout


def test_profiles_are_compared_in_one_table_or_one_object() -> None:
    arguments = ("profiles", "compare", "okx", "reference", "--scenario", SMALL, "--accounts", "500", "--seed", "2")
    done = seawall(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    out = json.loads(done.stdout)
    assert [row["profile"] for row in out["outcomes"]] == ["okx", "reference"]
    assert (out["scenario"], out["seed"], out["accounts"]) == ("small", 2, 500)
    shown = seawall(*arguments).stdout
    for part in ("okx", "no evidence", "every cent accounted for: yes"):
        assert part in shown


@pytest.mark.parametrize("command", ["show", "compare"])
def test_the_commands_on_profiles_show_examples(command: str) -> None:
    done = seawall("profiles", command, "--help")
    assert done.returncode == 0
    assert f"seawall profiles {command}" in done.stdout


def test_validate_tells_what_cannot_work(tmp_path: Path) -> None:
    good = seawall("validate", SMALL, "reference", "--json")
    assert (good.returncode, json.loads(good.stdout)["ok"]) == (0, True)
    bad = tmp_path / "bad.toml"
    bad.write_text(SMALL.read_text(encoding="utf-8").replace("[impact]", "[impackt]"), encoding="utf-8")
    done = seawall("validate", bad)
    assert done.returncode == 1
    assert "did you mean impact?" in done.stdout
    overflow = seawall("validate", "reference", "--set", "markets.BTC.open_interest_max=300000000000")
    assert overflow.returncode == 1
    assert "lower deposits_max" in overflow.stdout


def test_schema_prints_json() -> None:
    assert set(json.loads(seawall("schema").stdout)) == {"scenario", "venue"}
    venue = json.loads(seawall("schema", "venue").stdout)
    assert venue["additionalProperties"] is False


def test_the_version_is_that_of_the_package() -> None:
    done = seawall("--version")
    assert (done.returncode, done.stdout) == (0, f"seawall {__version__}\n")


def test_an_empty_file_of_vectors_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    done = seawall("conform", "empty.jsonl", cwd=tmp_path)
    assert done.returncode == 2
    assert "empty.jsonl: has no vectors" in done.stderr


def test_an_interruption_while_it_loads_ends_with_130(tmp_path: Path) -> None:
    slow = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(30)\n"
    (tmp_path / "typer.py").write_text(slow, encoding="utf-8")
    line = [sys.executable, "-m", "seawall", "scenarios"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=environment, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_the_published_waves_are_printed_and_the_synthetic_round_is_called_so() -> None:
    done = seawall("adl", "waves", "--mechanism", "queue", "--mechanism", "haircut")
    assert (done.returncode, done.stderr) == (0, "")
    for part in (
        "No policy is rerun",
        "$64,859,522.21",
        "9 of 16 waves",
        "on a synthetic round: nothing in it is data",
    ):
        assert part in done.stdout
    out = json.loads(seawall("adl", "waves", "--json").stdout)
    assert out["study"]["agrees"] is True
    assert out["study"]["policies"][1]["total"] == "3404185.00"
    assert out["synthetic"]["round"]["name"].startswith("synthetic")


def test_a_round_is_compared_and_drawn(tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    lines = ["# side = short", "# residual = 5", "# mark = 90", "# bankruptcy = 91.5", "id,lots,entry,equity"]
    (tmp_path / "one.csv").write_text("\n".join([*lines, "1,10,100,120.50", "2,4,95,300"]), encoding="utf-8")
    done = seawall("adl", "one.csv", "--picture", "one.html", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 candidates, short; 5 lots to close" in done.stdout
    assert (tmp_path / "one.html").stat().st_size > 1_000_000
    out = json.loads(seawall("adl", "one.csv", "--mechanism", "pro_rata", "--json", cwd=tmp_path).stdout)
    assert [row["lots"] for row in out["mechanisms"][0]["allocation"]] == [4, 1]
