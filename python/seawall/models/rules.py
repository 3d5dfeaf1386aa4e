"""Breakers of venues as presets: dated, with their source, for any market."""

import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from seawall.errors import ConfigError
from seawall.models.breaker import Breaker
from seawall.models.exact import Model, advice

__all__ = ["RulePreset", "load_rules", "rule_names"]


class RulePreset(Model):
    """Breakers of a venue, without the markets that they watch."""

    description: str
    """One line for people."""
    as_of: str
    """When the rule was so: a year, a month or a day."""
    source: str
    """Where it is written, and what of it is not checked or left out; [S]: read there, [K]: general knowledge, or a
    choice made here."""
    gaps: tuple[str, ...] = ()
    """What the venue does and the rules do not, and what they do instead."""
    breakers: tuple[dict[str, Any], ...]
    """The breakers, as in a venue profile but for their markets."""

    def of(self, markets: Sequence[str]) -> tuple[Breaker, ...]:
        """Return the breakers for some markets, by name; ValueError if one is none."""
        return tuple(Breaker.model_validate({**breaker, "markets": list(markets)}) for breaker in self.breakers)


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
    """
    file = name if isinstance(name, Path) else _folder() / f"{name}.toml"
    if not file.is_file():
        raise ConfigError(f"rules {str(name)!r}: there are none; known: {', '.join(rule_names())}")
    try:
        preset = RulePreset.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        preset.of(["any"])
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {error}") from None
    except ValidationError as error:
        raise ConfigError(f"{file}: {advice(error)}") from None
    return preset
