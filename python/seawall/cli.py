"""The command line.

Exit codes: 0 done, 1 a check failed, 2 bad input or usage, 130 interrupted. Results go to standard output,
progress and errors to standard error.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table as RichTable

from seawall import adl as lab
from seawall import bench, feed, models, rulebook
from seawall import profiles as venue_profiles
from seawall._core import __version__
from seawall.adl.picture import check_picture, write_picture
from seawall.adl.tables import comparison_tables, study_tables
from seawall.errors import SeawallError
from seawall.explanation import explain as explain_run
from seawall.policy import load_policy
from seawall.profiles.tables import comparison_table, description_tables
from seawall.run import Run, check_report, world_of
from seawall.run import replay as run_replay
from seawall.saved import load_run
from seawall.spelling import HONESTY, money, spell, spell_error, summary_lines
from seawall.terminal import ACCOUNTS, AsJson, Set, advised, err, listing, out, plain, print_json, progress_bar
from seawall.vectors import conform as run_conform
from seawall.venue import Venue

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Seawall: a deterministic derivatives venue that replays crash days.\n\n"
    "Exit codes: 0 done, 1 a check failed, 2 bad input or usage, 130 interrupted.",
)
app.add_typer(feed.app, name="feed")
profiles_app = typer.Typer(invoke_without_command=True, rich_markup_mode="rich")
app.add_typer(profiles_app, name="profiles")
app.add_typer(rulebook.app, name="rules")
bench_app = typer.Typer(no_args_is_help=True, help="Benchmarks that compare their answers.")
app.add_typer(bench_app, name="bench")


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"seawall {__version__}\n")
        raise typer.Exit


@app.callback()
def _main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


KIND_STYLES = {"input": "dim", "calibrated": "yellow", "predicted": "green"}


@app.command(
    epilog="Examples:\n\n"
    "  seawall replay oct10-2025\n\n"
    "  seawall replay oct10-2025 --seed 7 --accounts 1000000 --report crash.html\n\n"
    "  seawall replay oct10-2025 --no-liquidations --json\n\n"
    "  seawall replay oct10-2025 --set venue=guarded --set venue.breakers.band.enabled=true\n\n"
    "  seawall replay oct10-2025 --policy examples/policy_cascade_pause.py:CascadePause --save run.seawall"
)
@advised
def replay(
    scenario: Annotated[str, typer.Argument(help="Name of a scenario, or path of a TOML file.")],
    *,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 1,
    accounts: Annotated[int, typer.Option(min=1, help="Leveraged accounts.")] = ACCOUNTS,
    liquidations: Annotated[bool, typer.Option(help="The venue liquidates.")] = True,
    impact: Annotated[bool, typer.Option(help="Liquidations move the index.")] = True,
    noise: Annotated[bool, typer.Option(help="Noise traders trade.")] = True,
    maker_withdrawal: Annotated[bool, typer.Option(help="Makers withdraw under stress.")] = True,
    flow: Annotated[
        bool, typer.Option(help="The trend follower and profit takers trade, exogenous flow is sent.")
    ] = True,
    set_: Set = None,
    report: Annotated[
        Path | None, typer.Option(help="Write one self-contained page, for example crash.html; needs Plotly.")
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.py:NAME", help="A policy that acts between steps; docs/policies.md. The file is run."
        ),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the run, for example run.seawall, for replay-journal and explain.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a scenario through a venue; print a summary and a scorecard."""
    if report is not None:
        check_report(report)
    acting = None if policy is None else load_policy(policy)
    with progress_bar(scenario) as progress:
        run = run_replay(
            scenario,
            seed=seed,
            accounts=accounts,
            liquidations=liquidations,
            impact=impact,
            noise=noise,
            makers_withdraw=maker_withdrawal,
            flow=flow,
            set=set_ or (),
            policy=acting,
            save=save,
            progress=progress,
        )
    if report is not None:
        run.report(report)
    if as_json:
        print_json(run.to_dict())
    else:
        _show_run(run, report)
    if not run.conservation["ok"]:
        raise typer.Exit(1)


@app.command(
    "replay-journal",
    epilog="Examples:\n\n"
    "  seawall replay oct10-2025 --save run.seawall\n\n"
    "  seawall replay-journal run.seawall\n\n"
    "  seawall replay-journal run.seawall --json",
)
@advised
def replay_journal(
    run: Annotated[Path, typer.Argument(help="A file that replay --save wrote, or a bare journal.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Apply the commands of a saved run anew, without its scenario and its policy; exit code 1 if events differ."""
    saved = load_run(run)
    with progress_bar(run.name, "commands") as progress:
        again = saved.repeat(progress=progress)
    same = again.digest == saved.digest if saved.digest else None
    ok = bool(again.venue.audit()["ok"]) and same is not False
    report = {
        "commands": again.commands,
        "events": again.count,
        "torn": again.torn,
        "digest": again.digest,
        "saved_digest": saved.digest or None,
        "same": same,
        "state_digest": again.venue.digest(),
    }
    if as_json:
        print_json(report)
    else:
        for name, value in report.items():
            out.print(f"{name.replace('_', ' ')}: {value}", highlight=False, soft_wrap=True)
    if not ok:
        raise typer.Exit(1)


@app.command(
    epilog="Examples:\n\n"
    "  seawall replay oct10-2025 --set venue=guarded --save run.seawall\n\n"
    "  seawall explain run.seawall --at 2025-10-10T21:15:00Z\n\n"
    "  seawall explain run.seawall --at 2025-10-10T21:15:00Z --window 600 --json"
)
@advised
def explain(
    run: Annotated[Path, typer.Argument(help="A file that replay --save wrote, or a bare journal.")],
    *,
    at: Annotated[str, typer.Option(metavar="TIME", help="The moment, for example 2025-10-10T21:15:00Z.")],
    window: Annotated[float, typer.Option(min=0.001, help="Seconds to look at before and after it.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Say in words which rules acted around a moment of a saved run, and what they did."""
    with progress_bar(run.name, "commands") as progress:
        told = explain_run(load_run(run), at, window_ns=round(window * 1e9), progress=progress)
    if as_json:
        print_json(told.to_dict())
        return
    stood = RichTable("market", "phase", "since", "until", "by", "mark", "index", box=None, pad_edge=False)
    for row in told.markets:
        stood.add_row(*(plain("-" if value is None else str(value)) for value in row.values()))
    out.print(stood)
    for title, rows in (("rules", told.acted), ("orders", told.bounded), ("accounts and funds", told.happened)):
        table = RichTable("at" if title == "rules" else "", "market", title, box=None, pad_edge=False)
        for row in rows:
            table.add_row(row.get("at", ""), plain(row["market"]), plain(row["words"]))
        out.print()
        out.print(table if rows else f"{title}: nothing", highlight=False)


@app.command(epilog="Examples:\n\n  seawall scenarios\n\n  seawall scenarios --json")
@advised
def scenarios(*, as_json: AsJson = False) -> None:
    """List the scenarios that come with the package."""
    rows = []
    for name in models.scenario_names():
        scenario, profile = models.load_scenario(name)
        written = scenario.model_dump(mode="json", include={"title", "start", "end"})
        rows.append({"name": name, **written, "markets": list(scenario.markets), "venue": profile.name})
    listing(rows, "name", "title", as_json=as_json)


@profiles_app.callback(
    epilog="Examples:\n\n"
    "  seawall profiles\n\n"
    "  seawall profiles --json\n\n"
    "  seawall profiles show binance\n\n"
    "  seawall profiles compare --scenario oct10-2025 --seed 1 --accounts 100000"
)
@advised
def profiles(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the venue profiles that come with the package; show one, or compare them on a crash day."""
    if context.invoked_subcommand is not None:
        return
    rows = []
    for name in models.profile_names():
        profile = models.load_profile(name)
        rows.append(
            {
                "name": name,
                "date": None if profile.date is None else profile.date.isoformat(),
                "description": profile.description,
                "markets": [market.name for market in profile.markets],
                "breakers": [f"{b.name} ({'on' if b.enabled else 'off'})" for b in profile.breakers],
                "gaps": len(profile.gaps),
            }
        )
    listing(rows, "name", "date", "description", "breakers", as_json=as_json)


@profiles_app.command(
    "show",
    epilog="Examples:\n\n"
    "  seawall profiles show hyperliquid\n\n"
    "  seawall profiles show my-venue.toml\n\n"
    "  seawall profiles show bybit --json | jq '.parameters[] | select(.confidence == \"assumption\") | .path'",
)
@advised
def profiles_show(
    name: Annotated[str, typer.Argument(help="Name of a profile, or path of a TOML file.")], *, as_json: AsJson = False
) -> None:
    """Show every parameter of a profile with its source, date and confidence, and what the profile leaves out."""
    told = venue_profiles.describe(name)
    if as_json:
        print_json(told.to_dict())
    else:
        out.print(description_tables(told), highlight=False)


@profiles_app.command(
    "compare",
    epilog="Examples:\n\n"
    "  seawall profiles compare --scenario oct10-2025 --seed 1 --accounts 100000\n\n"
    "  seawall profiles compare binance bybit okx --scenario nov04-2025\n\n"
    "  seawall profiles compare --set fund.to_open_interest=0.003 --json\n\n"
    "  seawall profiles compare --picture venues.html",
)
@advised
def profiles_compare(
    names: Annotated[list[str] | None, typer.Argument(help="Profiles, or paths; every dated one if left out.")] = None,
    *,
    scenario: Annotated[str, typer.Option(help="Name of a scenario, or path of a TOML file.")] = "oct10-2025",
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 1,
    accounts: Annotated[int, typer.Option(min=1, help="Leveraged accounts.")] = ACCOUNTS,
    rehedge_seconds: Annotated[
        float, typer.Option(min=0, help="Time until a hedge that was closed is hedged anew.")
    ] = venue_profiles.REHEDGE_SECONDS,
    rehedge_cost_bps: Annotated[
        float, typer.Option(min=0, help="Cost of that, in basis points.")
    ] = venue_profiles.REHEDGE_COST_BPS,
    set_: Set = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the comparison: .html (needs Plotly), or an image (Kaleido too).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a scenario through venue profiles and say what each would have done.

    The accounts are the same and the rules differ; it is no evidence on a venue. Exit code 1 if a cent is missing.
    """
    if picture is not None:
        check_picture(picture)
    with progress_bar(scenario) as progress:

        def told(name: str, done: int, total: int) -> None:
            if progress is not None:
                progress(done, total, name)

        comparison = venue_profiles.compare(
            names or (),
            scenario=scenario,
            seed=seed,
            accounts=accounts,
            set=set_ or (),
            rehedge_seconds=rehedge_seconds,
            rehedge_cost_bps=rehedge_cost_bps,
            progress=told,
        )
    if picture is not None:
        venue_profiles.write_picture(comparison, picture)
    if as_json:
        print_json(comparison.to_dict())
    else:
        out.print(comparison_table(comparison), highlight=False)
    if not comparison.conserved:
        raise typer.Exit(1)


@app.command(
    epilog="Examples:\n\n"
    "  seawall validate my-scenario.toml my-venue.toml\n\n"
    "  seawall validate oct10-2025 --set markets.BTC.open_interest=100000"
)
@advised
def validate(
    files: Annotated[list[str], typer.Argument(help="Names, or paths of TOML files, of scenarios and venue profiles.")],
    *,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Check scenarios and venue profiles without running them; exit code 1 if one cannot work."""
    rows = [_validate(file, set_ or []) for file in files]
    if as_json:
        print_json({"ok": all(row["ok"] for row in rows), "files": rows})
    else:
        for row in rows:
            verdict = "[green]ok[/]" if row["ok"] else "[red]cannot work[/]"
            out.print(f"{verdict}: {plain(row['file'])}", highlight=False)
            for problem in row["problems"]:
                out.print(f"  {plain(problem)}", soft_wrap=True, highlight=False)
    if not all(row["ok"] for row in rows):
        raise typer.Exit(1)


@app.command(epilog="Examples:\n\n  seawall schema scenario > scenario.schema.json\n\n  seawall schema --json")
@advised
def schema(
    kind: Annotated[str | None, typer.Argument(help="venue or scenario; both if left out.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The output is JSON in any case.")] = True,  # noqa: ARG001
) -> None:
    """Print the JSON schema of a kind of file."""
    known = models.schemas()
    if kind is not None and kind not in known:
        raise typer.BadParameter(f"{kind!r}: must be one of {', '.join(known)}")
    print_json(known if kind is None else known[kind])


@app.command(epilog="Examples:\n\n  seawall conform vectors/adl.jsonl\n\n  seawall conform vectors/*.jsonl --json")
@advised
def conform(
    files: Annotated[list[Path], typer.Argument(help="Files of conformance vectors, one JSON object per line.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Run worked calculations against the engine's functions; exit code 1 unless all passed."""
    result = run_conform(files)
    if as_json:
        print_json(result)
    else:
        _show_conform(result)
    if result["failed"] or result["unsupported"]:
        raise typer.Exit(1)


@app.command(
    epilog="Examples:\n\n"
    "  seawall adl waves\n\n"
    "  seawall adl round.csv\n\n"
    "  seawall adl round.json --mechanism queue --mechanism pro_rata --mechanism haircut\n\n"
    "  seawall adl round.csv --picture round.html\n\n"
    "  seawall adl waves --json | jq .study.policies\n\n"
    "A round as CSV (docs/adl.md):\n\n"
    "  # side = short\n\n"
    "  # residual = 30\n\n"
    "  # mark = 100\n\n"
    "  # bankruptcy = 104\n\n"
    "  id,lots,entry,equity\n\n"
    "  1,40,120,900.50"
)
@advised
def adl(
    what: Annotated[
        str, typer.Argument(metavar="FILE|waves", help="One round as .csv or .json; or the published waves.")
    ],
    *,
    mechanism: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help=f"One of {', '.join(lab.MECHANISMS)}; repeat for more, all if left out."),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the comparison: .html (needs Plotly), or an image (Kaleido too).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare mechanisms of auto-deleveraging on one round, or re-add the published waves of 10 October 2025.

    Exit code 1 if a published figure does not come out again.
    """
    if picture is not None:
        check_picture(picture)
    study = lab.waves() if what == "waves" else None
    one = lab.read_round(what) if study is None else lab.synthetic_round()
    comparison = lab.compare(one, mechanism)
    if picture is not None:
        write_picture(comparison, picture)
    if as_json:
        result = comparison.to_dict()
        print_json(result if study is None else {"study": study.to_dict(), "synthetic": result})
    else:
        if study is not None:
            out.print(study_tables(study), highlight=False)
        out.print(comparison_tables(comparison), highlight=False)
    if study is not None and not study.agrees:
        raise typer.Exit(1)


@bench_app.command(
    "book",
    epilog="Examples:\n\n"
    "  seawall bench book --workload touch50\n\n"
    "  seawall bench book --workload crash --features full --latency\n\n"
    "  seawall bench book --workload wide --n 1000000 --seed 7 --ids hashed --json\n\n"
    "  python benches/workload_gen.py --profile shallow --out shallow.bin\n\n"
    "  seawall bench book --workload shallow.bin --ids given",
)
@advised
def bench_book(
    *,
    workload: Annotated[
        str,
        typer.Option(metavar="FILE|PROFILE", help=f"A file with its sidecar, or one of {', '.join(bench.PROFILES)}."),
    ],
    n: Annotated[
        int | None, typer.Option("--n", min=1, help="Timed messages of a profile; 3000000 if left out.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of a profile; 1 if left out.")] = None,
    features: Annotated[str, typer.Option(metavar="idle|full", help="What the venue does besides matching.")] = "idle",
    ids: Annotated[
        str, typer.Option(metavar="given|venue|hashed", help="By which id a cancel names its order.")
    ] = "venue",
    repeat: Annotated[int, typer.Option(min=1, help="Samples, of which the median counts.")] = 5,
    latency: Annotated[bool, typer.Option("--latency", help="Also time every single message.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure the venue's book on a workload; exit code 1 if its answer is wrong."""
    with progress_bar(workload) as progress, _answered():
        report = bench.book(
            workload, n=n, seed=seed, features=features, ids=ids, repeat=repeat, latency=latency, progress=progress
        )
    if as_json:
        print_json(report)
    else:
        _show_bench(report)


@bench_app.command(
    "marks",
    epilog="Examples:\n\n"
    "  seawall bench marks --accounts 1000000\n\n"
    "  seawall bench marks --accounts 100000 --markets 5 --json",
)
@advised
def bench_marks(
    *,
    accounts: Annotated[int, typer.Option(min=2, help="An even number of accounts.")],
    markets: Annotated[int, typer.Option(min=1, help="Markets, in each of which every account has a position.")] = 1,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the walk.")] = 100_000,
    as_json: AsJson = False,
) -> None:
    """Measure what marks cost a venue of many accounts; exit code 1 if somebody was not found."""
    with progress_bar("marks") as progress, _answered():
        report = bench.marks(accounts=accounts, markets=markets, steps=steps, progress=progress)
    _show_report(report, as_json=as_json)


@bench_app.command(
    "cascade",
    epilog="Examples:\n\n"
    "  seawall bench cascade --accounts 100000\n\n"
    "  seawall bench cascade --accounts 10000 --jump-accounts 1000 --json",
)
@advised
def bench_cascade(
    *,
    accounts: Annotated[int, typer.Option(min=2, help="An even number of accounts; half of them are liquidated.")],
    jump_accounts: Annotated[
        int | None, typer.Option(min=1, help="Accounts of the one jump; ten times as many if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure what liquidations cost a venue; exit code 1 if others are liquidated than should be."""
    with progress_bar("cascade") as progress, _answered():
        report = bench.cascade(accounts=accounts, jump_accounts=jump_accounts, progress=progress)
    _show_report(report, as_json=as_json)


@bench_app.command(
    "rules",
    epilog="Examples:\n\n"
    "  seawall bench rules\n\n"
    "  seawall bench rules composite deribit --features full --repeat 11 --json",
)
@advised
def bench_rules(
    presets: Annotated[
        list[str] | None, typer.Argument(metavar="[PRESET]...", help="Presets of breakers; all if left out.")
    ] = None,
    *,
    workload: Annotated[str, typer.Option(metavar="PROFILE", help=f"One of {', '.join(bench.PROFILES)}.")] = "touch50",
    n: Annotated[int | None, typer.Option("--n", min=1, help="Timed messages; 3000000 if left out.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed; 1 if left out.")] = None,
    features: Annotated[str, typer.Option(metavar="idle|full", help="What the venue does besides matching.")] = "idle",
    repeat: Annotated[int, typer.Option(min=1, help="Runs of each row, of which the median counts.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Measure what rules cost that stop nobody; exit code 1 if one changes an answer."""
    with progress_bar("rules") as progress, _answered():
        report = bench.rules(
            presets or None, workload=workload, n=n, seed=seed, features=features, repeat=repeat, progress=progress
        )
    if as_json:
        print_json(report)
        return
    rows = report.pop("rows")
    _show_report(report, as_json=False)
    table = RichTable("rules", "attached", "share", "tests", "evaluations", box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            row["name"], row["attached"], f"{row['share']:.3f}", f"{row['tests']:,}", f"{row['evaluations']:,}"
        )
    out.print(table)


@contextmanager
def _answered() -> Iterator[None]:
    """End with exit code 1 if an answer is wrong."""
    try:
        yield
    except bench.WrongAnswerError as error:
        err.print(f"[bold red]error:[/] {plain(str(error))}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from None


def _show_report(report: dict[str, Any], *, as_json: bool) -> None:
    """Print a flat report: as JSON, or a line for each figure."""
    if as_json:
        print_json(report)
        return
    table = RichTable(box=None, pad_edge=False, show_header=False)
    for name, value in report.items():
        shown = value if isinstance(value, str) else f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
        table.add_row(name, shown)
    out.print(table)


def _validate(file: str, overrides: list[str]) -> dict[str, Any]:
    """Return what a file is and what is wrong with it, the core's whole check included."""
    kind = models.kind_of(file)
    row: dict[str, Any] = {"file": file, "kind": kind, "ok": True, "problems": []}
    try:
        if kind == "venue":
            Venue(file, set=overrides)
        else:
            world_of(*models.load_scenario(file, set=overrides))
    except SeawallError as error:
        row |= {"ok": False, "problems": str(error).splitlines()}
    return row


def _show_run(run: Run, report: Path | None) -> None:
    out.print(f"[bold]{run.scenario.name}[/]: {plain(run.scenario.title)}", highlight=False)
    out.print(
        f"seed {run.seed}, {run.accounts:,} accounts, {run.steps:,} steps, {run.summary['orders']:,} orders, "
        f"{run.summary['fills']:,} fills, {run.wall_seconds:.1f} s, {run.peak_rss_bytes / 2**20:,.0f} MiB\n",
        highlight=False,
    )
    summary = RichTable(box=None, pad_edge=False, show_header=False)
    summary.add_column()
    summary.add_column(justify="right")
    for label, value in summary_lines(run):
        summary.add_row(label, value)
    out.print(summary)
    markets = RichTable("market", box=None, pad_edge=False)
    rows = run.summary["markets"]
    columns = ("index_start", "index_low", "mark_low", "last_low", "index_end", "liquidated_notional_usd")
    for column in columns:
        markets.add_column(column.replace("_", " "), justify="right")
    for name, market in rows.items():
        markets.add_row(name, *(f"{market[column]:,.2f}" for column in columns[:-1]), money(market[columns[-1]]))
    out.print()
    out.print(markets)
    out.print()
    _show_scorecard(run)
    ok = run.conservation["ok"]
    out.print(
        "\nevery cent accounted for: "
        + ("[green]yes[/], " if ok else "[red]NO[/], ")
        + "users + fund + fees + venue = deposits - withdrawals, positions net to zero",
        highlight=False,
    )
    out.print(f"digest {run.digest}", highlight=False, soft_wrap=True)
    if report is not None:
        out.print(f"report {report}", highlight=False, soft_wrap=True)


def _show_scorecard(run: Run) -> None:
    if not run.scorecard:
        return
    table = RichTable(box=None, pad_edge=False)
    table.add_column("metric", overflow="fold", min_width=24)
    for column in ("published", "measured", "error"):
        table.add_column(column, justify="right")
    table.add_column("kind")
    for row in run.scorecard:
        table.add_row(
            row["metric"],
            spell(row["published"]),
            spell(row["measured"]),
            spell_error(row),
            f"[{KIND_STYLES[row['kind']]}]{row['kind']}[/]",
        )
    out.print(table)
    out.print(HONESTY, style="dim", highlight=False)


def _show_bench(report: dict[str, Any]) -> None:
    rate = {name: f"{value / 1e6:,.1f} million/s" for name, value in report.items() if name.endswith("per_second")}
    size = report["bytes_per_resting_order"]
    out.print(
        f"[bold]{plain(report['workload'])}[/]: {report['features']} features, {report['ids']} ids, "
        f"{report['messages']:,} messages after {report['prefill']:,}, median of {report['repeat']}\n",
        highlight=False,
    )
    rows = {
        "venue": f"{rate['messages_per_second']}, {report['seconds']:.4f} s",
        "no matching": f"{rate['null_messages_per_second']}, right before and after each sample",
        "share of no matching": f"{report['share_of_null']:.3f}",
        "plain copy": f"{rate['copy_messages_per_second']}; no matching has {report['null_share_of_copy']:.2f} of it",
        "answer": f"digest {report['digest']}, {report['trades']:,} trades, as expected in every sample",
        "book": f"{report['resting']:,} orders rest, best bid {report['best_bid']}, best ask {report['best_ask']}",
        "memory": "-" if size is None else f"{size:.1f} bytes of the book per resting order",
    }
    if latency := report.get("latency"):
        times = ", ".join(f"{name.removesuffix('_ns')} {value:,}" for name, value in latency.items())
        rows["latency, ns"] = f"{times}; the timer is included"
    table = RichTable(box=None, pad_edge=False, show_header=False)
    for label, value in rows.items():
        table.add_row(label, value)
    out.print(table)


def _show_conform(result: dict[str, Any]) -> None:
    table = RichTable("topic", "passed", "failed", "unsupported", box=None, pad_edge=False)
    for topic, tally in result["by_topic"].items():
        table.add_row(topic, str(tally["passed"]), str(tally["failed"]), str(tally["unsupported"]))
    out.print(table)
    for tally in result["by_topic"].values():
        for problem in tally["problems"]:
            line = f"{problem['outcome']}: {problem['id']}: {problem['why']}"
            out.print(plain(line), soft_wrap=True, highlight=False)
    out.print(f"{result['passed']} passed, {result['failed']} failed, {result['unsupported']} unsupported")
