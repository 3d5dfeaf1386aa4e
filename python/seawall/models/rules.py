"""Rules of venues as presets: dated, with their source; breakers, and keys of the venue, its funds and its markets."""

import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final, Self

from pydantic import Field, ValidationError, model_validator

from seawall.errors import ConfigError
from seawall.models.breaker import Breaker
from seawall.models.exact import Model, advice, meant
from seawall.models.provenance import is_sourced
from seawall.models.venue import Fund, Market, VenueProfile

__all__ = ["RulePreset", "load_rules", "rule_names"]

_SETTABLE: Final[dict[str, frozenset[str]]] = {
    "venue": frozenset(
        name
        for name in VenueProfile.model_fields
        if is_sourced(name) and name not in ("assets", "funds", "markets", "breakers", "backstop")
    ),
    "fund": frozenset(Fund.model_fields) - {"name"},
    # Not what a market is: its units, its contract, its fund, its client ids.
    "market": frozenset(Market.model_fields)
    - {"name", "tick_size", "lot_size", "contract", "price_max", "fund", "phase", "cleared", "client_ids", "day"},
}
"""What a preset may set, by table."""


class RulePreset(Model):
    """Rules of a venue, without the markets that they are for."""

    description: str
    """One line for people."""
    as_of: str
    """When the rule was so: a year, a month or a day."""
    source: str
    """Where it is written, and what of it is not checked or left out; [S]: read there, [K]: general knowledge, or a
    choice made here."""
    gaps: tuple[str, ...] = ()
    """What the venue does and the rules do not, and what they do instead."""
    breakers: tuple[dict[str, Any], ...] = ()
    """The breakers, as in a venue profile but for their markets."""
    venue: dict[str, Any] = Field(default_factory=dict)
    """Keys of the venue that it sets."""
    fund: dict[str, Any] = Field(default_factory=dict)
    """Keys that it sets in every fund."""
    market: dict[str, Any] = Field(default_factory=dict)
    """Keys that it sets in every market."""

    @model_validator(mode="after")
    def _sets_what_there_is(self) -> Self:
        for table, known in _SETTABLE.items():
            for key in getattr(self, table):
                if key not in known:
                    hint = meant(key, known)
                    raise ValueError(f"{table}.{key}: a preset cannot set it; {hint}known: {', '.join(sorted(known))}")
        if not (self.breakers or self.venue or self.fund or self.market):
            raise ValueError("breakers: is empty; give breakers, or a table venue, fund or market")
        return self

    def of(self, markets: Sequence[str]) -> tuple[Breaker, ...]:
        """Return the breakers for some markets, by name; ValueError if one is none."""
        return tuple(Breaker.model_validate({**breaker, "markets": list(markets)}) for breaker in self.breakers)

    def paths(self) -> list[str]:
        """Return what it sets beside breakers, as paths of a profile, ``*`` for every fund and every market."""
        places = {"": self.venue, "funds.*.": self.fund, "markets.*.": self.market}
        return [f"{place}{path}" for place, table in places.items() for path in _paths(table)]


def _paths(table: Mapping[str, Any]) -> list[str]:
    """Return a path for each value; a table with a type is one value."""
    out = []
    for key, value in table.items():
        inside = isinstance(value, Mapping) and "type" not in value
        out += [f"{key}.{path}" for path in _paths(value)] if inside else [key]
    return out


def _folder() -> Path:
    return Path(str(resources.files("seawall"))) / "rules"


def rule_names() -> list[str]:
    """Return the names of the presets."""
    return sorted(file.stem for file in _folder().glob("*.toml"))


def load_rules(name: str | Path) -> RulePreset:
    """Return a preset by name, or that of a TOML file.

    Raises
    ------
    ConfigError
        If there is none, or it is none; names file, field and remedy.

    Examples
    --------
    >>> from seawall.models import load_profile, load_rules
    >>> deribit = load_rules("deribit").of(["BTC"])
    >>> profile = load_profile("reference").model_copy(update={"breakers": deribit})
    >>> profile.config()["breakers"][0]["ranges"][0]["width"]["ppm"]
    15000
    >>> load_profile("reference", set=["breakers=dydx-block-limits"]).config()["block_limits"]["rounds"]
    50
    """
    file = Path(name) if str(name).endswith(".toml") else _folder() / f"{name}.toml"
    if not file.is_file():
        known = rule_names()
        hint = meant(str(name), known)
        raise ConfigError(f"rules {str(name)!r}: there are none; {hint}known: {', '.join(known)}")
    data = None
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        preset = RulePreset.model_validate(data)
        preset.of(["any"])
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {error}") from None
    except ValidationError as error:
        raise ConfigError(f"{file}: {advice(error, data)}") from None
    return preset
