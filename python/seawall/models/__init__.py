"""What people write: venue profiles and scenarios, as frozen models that refuse unknown keys.

Files are TOML. ``extends`` names a file to start from: tables are merged key by key, lists and tables that name their
``type`` are replaced. Values
that must be exact are strings, and become integers in the units of the venue without rounding, or are refused.
"""

from seawall.models.files import kind_of, load_profile, load_scenario, profile_names, scenario_names
from seawall.models.rules import RulePreset, load_rules, rule_names
from seawall.models.scenario import ScenarioModel
from seawall.models.venue import VenueProfile

__all__ = [
    "RulePreset",
    "ScenarioModel",
    "VenueProfile",
    "kind_of",
    "load_profile",
    "load_rules",
    "load_scenario",
    "profile_names",
    "rule_names",
    "scenario_names",
    "schemas",
]


def schemas() -> dict[str, dict[str, object]]:
    """Return the JSON schemas of the two kinds of file, by name: ``venue`` and ``scenario``."""
    return {"venue": _schema(VenueProfile), "scenario": _schema(ScenarioModel)}


def _schema(model: type[VenueProfile | ScenarioModel]) -> dict[str, object]:
    schema = model.model_json_schema()
    # Examples of Python are no use to somebody who writes TOML.
    description = schema["description"].partition("\n\nExamples")[0]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "description": description}
