"""The command line: `seawall rules`, `seawall rules show` and `seawall rules compare`."""

from typing import Annotated

import typer

from seawall import models
from seawall.rulebook.compare import PERPETUAL, SCENARIOS, compare
from seawall.rulebook.tables import comparison_tables, preset_tables
from seawall.terminal import ACCOUNTS, AsJson, Set, advised, listing, out, print_json, progress_bar

__all__ = ["app"]

app = typer.Typer(invoke_without_command=True, rich_markup_mode="rich")


@app.callback(
    epilog="Examples:\n\n"
    "  seawall rules\n\n"
    "  seawall rules show hkex-vcm\n\n"
    "  seawall rules compare deribit composite --accounts 20000\n\n"
    "  seawall replay oct10-2025 --set venue.breakers=composite"
)
@advised
def rules(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the presets of rules that come with the package; show one, or compare some on crash days."""
    if context.invoked_subcommand is not None:
        return
    rows = []
    for name in models.rule_names():
        preset = models.load_rules(name)
        rows.append(
            {
                "name": name,
                "as_of": preset.as_of,
                "description": preset.description,
                "sets": ["breakers"] * bool(preset.breakers) + preset.paths(),
                "gaps": len(preset.gaps),
            }
        )
    listing(rows, "name", "as_of", "description", as_json=as_json)


@app.command("show", epilog="Examples:\n\n  seawall rules show vega-btc\n\n  seawall rules show nse-index --json")
@advised
def rules_show(
    name: Annotated[str, typer.Argument(help="Name of a preset, or path of a TOML file.")], *, as_json: AsJson = False
) -> None:
    """Show a preset: its numbers, where they are written, and what they leave out."""
    preset = models.load_rules(name)
    if as_json:
        print_json({"name": name, **preset.model_dump(mode="json")})
    else:
        out.print(preset_tables(preset), highlight=False)


@app.command(
    "compare",
    epilog="Examples:\n\n"
    "  seawall rules compare --accounts 20000\n\n"
    "  seawall rules compare deribit composite vega-btc+vega-disposal --scenario oct10-2025\n\n"
    "  seawall rules compare my-rules.toml --scenario calm --set venue=hyperliquid --json",
)
@advised
def rules_compare(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RULES]...",
            help=f"Presets, or paths, joined by + where they go together; if left out {', '.join(PERPETUAL)}.",
        ),
    ] = None,
    *,
    scenario: Annotated[
        list[str] | None,
        typer.Option(help=f"Name of a scenario, or path of a TOML file; repeat for more. {', '.join(SCENARIOS)}."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 1,
    accounts: Annotated[int, typer.Option(min=1, help="Leveraged accounts.")] = ACCOUNTS,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Run scenarios without rules and with presets, and say how often each acts and who carries the losses.

    The accounts are the same and the rules differ; it is no evidence on a rule. Exit code 1 if a cent is missing.
    """
    with progress_bar("rules", "thousandths") as progress:

        def told(name: str, done: int, total: int) -> None:
            if progress is not None:
                progress(done, total, name)

        comparison = compare(
            names or (), scenarios=scenario or (), seed=seed, accounts=accounts, set=set_ or (), progress=told
        )
    if as_json:
        print_json(comparison.to_dict())
    else:
        out.print(comparison_tables(comparison), highlight=False)
    if not comparison.conserved:
        raise typer.Exit(1)
