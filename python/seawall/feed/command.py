"""The command line: `seawall feed info` and `seawall feed replay`."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from seawall.errors import SeawallError
from seawall.feed.book import info
from seawall.feed.street import Progress, replay

app = typer.Typer(no_args_is_help=True, help="Recorded order books: what is in a file, and its replay through a venue.")

_File = Annotated[Path, typer.Argument(help="A recording: '<ns> <JSON>' lines of Binance, plain or gzip.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_Tick = Annotated[str | None, typer.Option(help="Price of one tick, such as 0.1; inferred if left out.")]
_Lot = Annotated[str | None, typer.Option(help="Size of one lot, such as 0.001; inferred if left out.")]


@app.command(
    "info",
    epilog="Examples:\n\n  seawall feed info btcusdt.gz\n\n  seawall feed info btcusdt.gz --json | jq .by_type",
)
def _info_command(file: _File, *, tick: _Tick = None, lot: _Lot = None, as_json: _AsJson = False) -> None:
    """Say what is in a recording: symbol, messages, times, units, levels, gaps."""
    _print(_advised(lambda: info(file, tick=tick, lot=lot)), as_json=as_json)


@app.command(
    "replay",
    epilog="Examples:\n\n"
    "  seawall feed replay btcusdt.gz\n\n"
    "  seawall feed replay btcusdt.gz --json\n\n"
    "  seawall feed replay btcusdt.gz --no-check --tick 0.1 --lot 0.001",
)
def _replay_command(
    file: _File,
    *,
    check: Annotated[bool, typer.Option(help="Compare all levels after every message.")] = True,
    tick: _Tick = None,
    lot: _Lot = None,
    as_json: _AsJson = False,
) -> None:
    """Let a recording stand in a venue's book; exit code 1 if a level differs from a plain book."""
    run = _advised(lambda: replay(file, check=check, tick=tick, lot=lot, progress=_progress()))
    _print(run.to_dict(), as_json=as_json)
    if not run.ok:
        raise typer.Exit(1)


def _advised(work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the work returns
    try:
        return work()
    except SeawallError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(130) from None


def _progress() -> Progress | None:
    if not sys.stderr.isatty():
        return None
    return lambda done, total: typer.echo(f"\r{done:,} of {total:,} messages", nl=done == total, err=True)


def _print(result: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result, indent=2, allow_nan=False))
        return
    width = max(map(len, result)) + 2
    for name, value in result.items():
        typer.echo(f"{name.replace('_', ' '):{width}}{_spell(value)}")


def _spell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_spell(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(map(_spell, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}"
    return "none" if value is None else str(value)
