"""What a profile says: every parameter with its origin, and what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seawall.errors import ConfigError
from seawall.models import VenueProfile, load_profile
from seawall.models.provenance import Parameter, parameters

__all__ = ["Description", "describe"]


@dataclass(frozen=True)
class Description:
    """A profile, parameter by parameter."""

    profile: VenueProfile
    """The profile."""
    parameters: tuple[Parameter, ...]
    """What its file sets, in the order of the model."""

    def parameter(self, path: str) -> Parameter:
        """Return one parameter by its path.

        Raises
        ------
        ConfigError
            If the file does not set it.
        """
        for row in self.parameters:
            if row.path == path:
                return row
        raise ConfigError(f"{path}: {self.profile.name} sets no such parameter; see seawall profiles show")

    def to_dict(self) -> dict[str, Any]:
        """Return the object that ``seawall profiles show NAME --json`` prints."""
        written = self.profile.model_dump(mode="json")
        return {
            "name": self.profile.name,
            "description": self.profile.description,
            "date": written["date"],
            "parameters": [_row(row) for row in self.parameters],
            "gaps": written["gaps"],
            "sources": written["sources"],
        }


def describe(profile: str | Path | Mapping[str, Any]) -> Description:
    """Read a profile and say where its parameters come from.

    Parameters
    ----------
    profile
        Name of a profile of the package, path of a TOML file, or its content.

    Raises
    ------
    ConfigError
        If there is no such profile or it cannot work; names field, value and remedy.
    """
    read = load_profile(profile)
    return Description(read, tuple(parameters(read)))


def _row(row: Parameter) -> dict[str, Any]:
    origin = row.origin
    return {
        "path": row.path,
        "value": row.value,
        "confidence": origin and origin.confidence,
        "date": origin and origin.date.isoformat(),
        "source": origin and origin.source,
        "note": origin and origin.note,
    }
