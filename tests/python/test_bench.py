"""The benchmark of the book: what is generated is that of benches/workload_gen.py, and answers are compared."""

import json
import runpy
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import seawall
from seawall import EventTable, bench
from seawall.bench import BenchError, WrongAnswerError
from test_cli import COMMAND
from test_cli import seawall as command_line

ROOT = Path(__file__).parents[2]
MEASURED = ("touch50", "shallow", "wide", "crash")
KEYS = (
    "messages",
    "seconds",
    "messages_per_second",
    "null_messages_per_second",
    "share_of_null",
    "copy_messages_per_second",
    "null_share_of_copy",
    "digest",
    "trades",
    "resting",
    "best_bid",
    "best_ask",
    "bytes_per_resting_order",
)


@pytest.fixture(scope="session")
def generator() -> dict[str, Any]:
    """Return the names of the generator that every engine is held against."""
    return runpy.run_path(str(ROOT / "benches/workload_gen.py"), run_name="workload_gen")


def parameters(generator: dict[str, Any], profile: str, n: int, seed: int) -> SimpleNamespace:
    defaults = {"depth": 50_000, "band": 50, "mid": 50_000, "move": 1024, "ioc": 100, "sweep": 1000, "stale": 10}
    return SimpleNamespace(**(defaults | {"crash": 0} | generator["PROFILES"][profile] | {"n": n, "seed": seed}))


@pytest.fixture(scope="session")
def file(generator: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workload file of the generator, with its sidecar."""
    path = tmp_path_factory.mktemp("workloads") / "shallow.bin"
    records, meta = generator["generate"](parameters(generator, "shallow", 5000, 3))
    records.tofile(path)
    path.with_name(path.name + ".json").write_text(json.dumps(meta), encoding="utf-8")
    return path


def copied(file: Path, folder: Path, data: bytes | None = None, **expect: object) -> Path:
    """Copy a workload with other bytes or another expectation."""
    path = folder / "copy.bin"
    path.write_bytes(file.read_bytes() if data is None else data)
    meta = json.loads(file.with_name(file.name + ".json").read_text(encoding="utf-8"))
    meta["expect"] |= expect
    path.with_name("copy.bin.json").write_text(json.dumps(meta), encoding="utf-8")
    return path


@pytest.mark.parametrize("profile", MEASURED)
def test_the_generated_workload_is_bit_for_bit_that_of_the_generator(generator: dict[str, Any], profile: str) -> None:
    records, meta = generator["generate"](parameters(generator, profile, 20_000, 5))
    stage = bench.staged(profile, n=20_000, seed=5)
    expect = meta["expect"]
    assert stage.expected == {name: expect[name] for name in stage.expected}
    commands = np.concatenate([stage.prefill, stage.timed])
    assert len(stage.prefill) == meta["prefill"]
    kinds = np.array([1, 2, 1])[records["kind"]]
    new = records["kind"] != 1
    assert (commands["kind"] == kinds).all()
    assert (commands["code"] == np.where(records["kind"] == 2, 1, 0)).all()
    for field in ("side", "price", "qty"):
        assert (commands[field][new] == records[field][new].astype(np.int64)).all(), field
    assert ((commands["order"] >> np.uint64(24))[~new] == records["id"][~new]).all()


def test_a_report_has_the_documented_keys_and_the_answer(generator: dict[str, Any]) -> None:
    _, meta = generator["generate"](parameters(generator, "wide", 4000, 1))
    report = bench.book("wide", n=4000, repeat=2)
    assert set(KEYS) <= set(report)
    assert report["messages"] == 4000
    assert {name: report[name] for name in ("trades", "digest", "resting", "best_bid", "best_ask")} == {
        name: meta["expect"][name] for name in ("trades", "digest", "resting", "best_bid", "best_ask")
    }
    assert report["messages_per_second"] == pytest.approx(4000 / report["seconds"])
    assert all(report[name] > 0 for name in KEYS if name.endswith("per_second"))
    assert "latency" not in report


def test_latency_is_reported_in_order() -> None:
    latency = bench.book("shallow", n=3000, repeat=1, latency=True)["latency"]
    times = [latency[name] for name in ("p50_ns", "p90_ns", "p99_ns", "p99.9_ns", "max_ns")]
    assert times == sorted(times)
    assert 0 < latency["null_p50_ns"] <= latency["max_ns"]


def test_all_features_have_the_same_answer() -> None:
    idle, full = (bench.book("crash", n=3000, repeat=1, features=features) for features in ("idle", "full"))
    assert idle["digest"] == full["digest"]
    assert full["features"] == "full"


def test_progress_counts_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    bench.book("shallow", n=1000, repeat=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_what_progress_raises_ends_the_benchmark() -> None:
    def stop(_done: int, _total: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        bench.book("shallow", n=1000, repeat=3, progress=stop)


def test_a_file_is_measured_like_its_profile(file: Path) -> None:
    from_file = bench.book(str(file), repeat=1)
    generated = bench.book("shallow", n=5000, seed=3, repeat=1)
    assert from_file["workload"] == str(file)
    for name in ("messages", "digest", "trades", "resting", "best_bid", "best_ask", "events"):
        assert from_file[name] == generated[name], name


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"workload": "touch5"}, 'workload: "touch5": neither a file nor one of touch50, shallow, wide, crash'),
        ({"workload": "shallow", "n": 0}, "n: 0: must be 1 to 100000000"),
        ({"workload": "shallow", "repeat": 0}, "repeat: 0: must be 1 to 1000"),
        ({"workload": "shallow", "features": "all"}, 'features: "all": must be idle or full'),
        ({"workload": "shallow", "ids": "dense"}, 'ids: "dense": must be given, venue or hashed'),
        ({"workload": "README.md", "n": 5}, "n: is for profiles; README.md is a file"),
    ],
    ids=["workload", "n", "repeat", "features", "ids", "n of a file"],
)
def test_options_that_cannot_work_are_refused(
    options: dict[str, Any], part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(BenchError) as caught:
        bench.book(**options)
    assert part in str(caught.value)


def test_the_profiles_that_are_told_are_those_that_there_are() -> None:
    with pytest.raises(BenchError, match=f"neither a file nor one of {', '.join(bench.PROFILES)};"):
        bench.book("nowhere")


def harmed(data: bytes, record: int, offset: int, value: bytes) -> bytes:
    place = 32 * record + offset
    return data[:place] + value + data[place + len(value) :]


@pytest.mark.parametrize(
    ("harm", "parts"),
    [
        (lambda data: data[:-1], ["copy.bin: 479999 bytes are 31 more than 14999 whole records", "cut short"]),
        (lambda data: data[:-32], ["copy.bin: holds 14999 records", "prefill 10000 and timed 5000"]),
        (lambda data: harmed(data, 7, 0, b"\3"), ["copy.bin: record 7 (byte 224): kind: 3: must be 0 (new)"]),
        (lambda data: harmed(data, 7, 1, b"\2"), ["record 7", "side: 2: must be 0 (buy) or 1 (sell)"]),
        (lambda data: harmed(data, 7, 4, b"\1"), ["record 7", "padding: must be zero"]),
        (lambda data: harmed(data, 7, 8, b"\0"), ["record 7", "id: 0: orders count up from 1, so this one is 8"]),
        (lambda data: harmed(data, 7, 16, b"\0" * 8), ["record 7", "price: 0: must be 1 to 10000000"]),
        (lambda data: harmed(data, 7, 24, b"\0" * 8), ["record 7", "qty: 0: must be 1 to"]),
    ],
    ids=["byte", "record", "kind", "side", "padding", "id", "price", "qty"],
)
def test_a_harmed_file_is_refused_with_file_record_field_and_remedy(
    file: Path, tmp_path: Path, harm: Any, parts: list[str]
) -> None:
    path = copied(file, tmp_path, harm(file.read_bytes()))
    with pytest.raises(BenchError) as caught:
        bench.book(str(path), repeat=1)
    for part in [*parts, "benches/workload_gen.py"]:
        assert part in str(caught.value)


def test_a_file_without_its_sidecar_or_with_a_broken_one_is_refused(file: Path, tmp_path: Path) -> None:
    path = copied(file, tmp_path)
    sidecar = path.with_name("copy.bin.json")
    sidecar.write_text("{}", encoding="utf-8")
    with pytest.raises(BenchError, match=r"copy\.bin\.json: is not a sidecar: missing field `prefill`"):
        bench.book(str(path))
    sidecar.unlink()
    with pytest.raises(BenchError, match=r"copy\.bin\.json: cannot be read"):
        bench.book(str(path))


def test_a_wrong_answer_is_noticed_and_ends_with_1(file: Path, tmp_path: Path) -> None:
    path = copied(file, tmp_path, digest="0123456789abcdef")
    with pytest.raises(WrongAnswerError, match="digest"):
        bench.book(str(path), repeat=1)
    done = command_line("bench", "book", "--workload", path, "--repeat", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "wrong answer: digest" in done.stderr


def test_the_command_prints_one_json_object_and_nothing_else(file: Path) -> None:
    done = command_line("bench", "book", "--workload", file, "--repeat", "1", "--latency", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["messages"] == 5000
    assert report["latency"]["p50_ns"] > 0


def test_the_command_prints_a_table_for_people() -> None:
    done = command_line("bench", "book", "--workload", "shallow", "--n", "2000", "--repeat", "1", "--latency")
    assert (done.returncode, done.stderr) == (0, "")
    for part in ("shallow: idle features", "million/s", "share of no matching", "orders rest", "timer is included"):
        assert part in done.stdout


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--workload", "nowhere.bin"], "neither a file nor one of"),
        ([], "--workload"),
        (["--workload", "wide", "--n", "0"], "--n"),
        (["--workload", "wide", "--ids", "none"], "must be given, venue or hashed"),
    ],
    ids=["workload", "none", "n", "ids"],
)
def test_bad_usage_ends_with_2_and_advice(arguments: list[str], part: str) -> None:
    done = command_line("bench", "book", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_the_help_shows_examples() -> None:
    done = command_line("bench", "book", "--help")
    assert done.returncode == 0
    assert "seawall bench book --workload touch50" in done.stdout


def test_an_interruption_between_samples_ends_with_130() -> None:
    line = [*COMMAND[:-1], COMMAND[-1].replace("; app()", "; print('ready', flush=True); app()")]
    line += ["bench", "book", "--workload", "shallow", "--n", "200000", "--repeat", "1000", "--json"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert out == ""
    assert "Traceback" not in told


@pytest.mark.parametrize("batch", [4096, 1])
def test_the_border_has_the_answer_in_batches_and_one_by_one(batch: int) -> None:
    stage = bench.staged("touch50", n=5000)
    venue = seawall.Venue.from_config(stage.config)
    venue.apply(stage.opening)
    venue.apply(stage.prefill)
    count = len(stage.timed)
    events = np.concatenate([venue.apply(stage.timed[i : i + batch]) for i in range(0, count, batch)])
    assert digest_of(events) == stage.expected["digest"]


def digest_of(events: seawall.commands.Records) -> str:
    """Fold the trades of some events into the digest of the workload."""
    fills = EventTable(events).of("fill")
    order = fills["order"].astype(np.uint64) >> np.uint64(24)
    digest = 0xCBF29CE484222325
    for trade in zip(order[::2], order[1::2], fills["price"][1::2], fills["qty"][1::2], strict=True):
        for value in trade:
            digest = (digest ^ int(value)) * 0x100000001B3 % 2**64
    return f"{digest:016x}"


MARKS = (
    "quiet_mark_ns_median",
    "quiet_mark_ns_p99",
    "apply_mark_ns",
    "mark_ns_mean",
    "mark_ns_p99",
    "reevaluations_per_mark",
    "inserts_per_mark",
    "bytes_per_account",
)
CASCADE = ("seconds", "worst_mark_seconds", "liquidated", "adl_closes")


def test_marks_and_cascade_print_what_they_measured() -> None:
    done = command_line("bench", "marks", "--accounts", "1000", "--markets", "2", "--steps", "2000", "--json")
    report = json.loads(done.stdout)
    assert all(report[key] > 0 for key in MARKS)
    assert report["crash_called"] > 0
    done = command_line("bench", "cascade", "--accounts", "2000", "--json")
    report = json.loads(done.stdout)
    assert all(report[key] > 0 for key in CASCADE)
    assert report["liquidated"] == 1000
    assert report["jump_accounts"] == 20_000
    done = command_line("bench", "cascade", "--accounts", "2000", "--jump-accounts", "10")
    assert "worst_mark_seconds" in done.stdout


def test_the_same_crowd_has_the_same_fate_every_time() -> None:
    first, second = (bench.marks(accounts=2000, markets=3, steps=3000) for _ in range(2))
    for counted in ("walk_called", "reevaluations_per_mark", "inserts_per_mark", "crash_called", "crash_inserts"):
        assert first[counted] == second[counted]


@pytest.mark.parametrize(
    ("measure", "options", "told"),
    [
        (bench.marks, {"accounts": 3}, "accounts: 3: must be an even number"),
        (bench.marks, {"accounts": 2, "markets": 101}, "markets: 101: must be 1 to 100"),
        (bench.marks, {"accounts": 2, "steps": 0}, "steps: 0: must be 1 to"),
        (bench.cascade, {"accounts": 998}, "accounts: 998: must be an even number, 1000 to"),
        (bench.cascade, {"accounts": 1000, "jump_accounts": 0}, "jump_accounts: 0: must be 1 to"),
    ],
)
def test_crowds_that_cannot_be_are_refused(measure: Any, options: dict[str, int], told: str) -> None:
    with pytest.raises(BenchError, match=told):
        measure(**options)
