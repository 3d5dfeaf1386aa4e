"""TOML files of venues and scenarios: where they are, what they extend, what is set over them."""

import copy
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from seawall.errors import ConfigError, ScenarioError
from seawall.models.exact import advice, meant
from seawall.models.provenance import is_sourced
from seawall.models.rules import load_rules
from seawall.models.scenario import ScenarioModel
from seawall.models.venue import VenueProfile

__all__ = ["kind_of", "load_profile", "load_scenario", "profile_names", "scenario_names"]

_EXTENDS_MAX: Final = 8
_FOLDERS: Final = {"venue": "venues", "scenario": "scenarios"}
_ERRORS: Final[dict[str, type[ConfigError | ScenarioError]]] = {"venue": ConfigError, "scenario": ScenarioError}


def profile_names() -> list[str]:
    """Return the names of the venue profiles that come with the package, sorted."""
    return _names("venue")


def scenario_names() -> list[str]:
    """Return the names of the scenarios that come with the package, sorted."""
    return _names("scenario")


def load_profile(profile: str | Path | Mapping[str, Any], *, set: Iterable[str] = ()) -> VenueProfile:  # noqa: A002
    """Read a venue profile.

    Parameters
    ----------
    profile
        Name of a profile of the package, path of a TOML file, or its content.
    set
        Overrides like ``"markets.BTC.fees.taker=0.0004"``; lists are entered by name or by number. Among ``breakers``
        the name of a preset stands for its breakers in every market, each named after preset and rule, and what it
        says of venue, funds and markets is set over the file; what comes after it in `set` is set over the preset.

    Raises
    ------
    ConfigError
        If there is no such profile or it cannot work; names field, value and remedy.
    """
    data, where = _read("venue", profile)
    paths = []
    _attach_rules(data)
    for override in set:
        paths.append(_override(data, override, ConfigError))
        _attach_rules(data)
    if data.get("date") is not None:
        data["origins"] = [
            *data.get("origins", ()),
            *(_unsourced([path], data["date"], "set over the file") for path in paths if is_sourced(path)),
        ]
    try:
        return VenueProfile.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_located(where, error, data)) from None


def load_scenario(
    scenario: str | Path | Mapping[str, Any],
    *,
    set: Iterable[str] = (),  # noqa: A002
) -> tuple[ScenarioModel, VenueProfile]:
    """Read a scenario and the venue profile that it names.

    Parameters
    ----------
    scenario
        Name of a scenario of the package, path of a TOML file, or its content.
    set
        Overrides like ``"impact.exponent=1"``; those that begin with ``venue.`` go to the venue profile.

    Returns
    -------
    tuple of ScenarioModel and VenueProfile
        Both checked, and every value of the scenario whole in the units of the venue.

    Raises
    ------
    ScenarioError
        If there is no such scenario or it cannot work; names field, value and remedy.
    ConfigError
        The same of the venue profile.
    """
    data, where = _read("scenario", scenario)
    to_venue = []
    for override in set:
        if override.startswith("venue."):
            to_venue.append(override.removeprefix("venue."))
        else:
            _override(data, override, ScenarioError)
    try:
        model = ScenarioModel.model_validate(data)
    except ValidationError as error:
        raise ScenarioError(_located(where, error, data)) from None
    beside = None if isinstance(scenario, Mapping) else _locate("scenario", scenario).parent
    profile = load_profile(_reference(model.venue, beside), set=to_venue)
    try:
        model.config(profile)
    except ValueError as error:
        raise ScenarioError(f"{where}{error}") from None
    return model, profile


def _attach_rules(data: dict[str, Any]) -> None:
    """Put presets in the place of their names: their breakers, for every market, and the keys that they set."""
    given = data.get("breakers", ())
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list | tuple) or not any(isinstance(item, str) for item in listed):
        return
    markets = [str(market.get("name")) for market in _tables(data, "markets")]
    rows: list[Any] = []
    for item in listed:
        if not isinstance(item, str):
            rows.append(item)
            continue
        preset = load_rules(item)
        stem = Path(item).stem
        rows += [{**rule, "name": f"{stem}-{rule.get('name')}", "markets": markets} for rule in preset.breakers]
        data |= _merge(data, preset.venue)
        for name, keys in (("funds", preset.fund), ("markets", preset.market)):
            for part in _tables(data, name):
                part.update(_merge(part, copy.deepcopy(keys)))
        if data.get("date") is not None and (paths := preset.paths()):
            data["origins"] = [*data.get("origins", ()), _unsourced(paths, data["date"], f"set by the rules {stem}")]
    data["breakers"] = rows


def _tables(data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    listed = data.get(name)
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list | tuple) else []


def kind_of(name: str) -> Literal["venue", "scenario"]:
    """Return what a name of the package or a TOML file is; a file that lists assets is a venue profile.

    Raises
    ------
    ScenarioError
        If there is no such file, or it is not TOML.
    """
    if name in profile_names():
        return "venue"
    data, _ = _read("scenario", name)
    return "venue" if data.keys() & {"assets", "funds", "limits"} else "scenario"


def _folder(kind: str) -> Path:
    return Path(str(resources.files("seawall"))) / _FOLDERS[kind]


def _names(kind: str) -> list[str]:
    # Files without a name are there to be extended.
    files = sorted(_folder(kind).glob("*.toml"))
    return [file.stem for file in files if "name" in tomllib.loads(file.read_text(encoding="utf-8"))]


def _locate(kind: str, name: str | Path) -> Path:
    if not isinstance(name, str | Path):
        raise _ERRORS[kind](f"{kind} {name!r}: must be a name, the path of a TOML file, or a mapping of its content")
    is_path = isinstance(name, Path) or name.endswith(".toml") or "/" in name
    path = Path(name) if is_path else _folder(kind) / f"{name}.toml"
    if not path.is_file():
        if is_path:
            raise _ERRORS[kind](f"{kind} {str(name)!r}: there is no such file")
        known = _names(kind)
        hint = meant(str(name), known)
        raise _ERRORS[kind](
            f"{kind} {str(name)!r} is not there; {hint}known: {', '.join(known)}; or give the path of a TOML file"
        )
    return path


def _reference(name: str, beside: Path | None) -> str | Path:
    """Return what a file means by another one: a file beside it, or one of the package."""
    if beside is not None:
        for candidate in (beside / name, beside / f"{name}.toml"):
            if candidate.is_file():
                return candidate
    return name


def _read(kind: str, source: str | Path | Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    if isinstance(source, Mapping):
        return copy.deepcopy(dict(source)), ""
    chain: list[dict[str, Any]] = []
    reference: str | Path | None = source
    where = ""
    while reference is not None:
        path = _locate(kind, reference)
        where = where or f"{path.name}: "
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise _ERRORS[kind](f"{path.name}: is not TOML: {error}") from None
        parent = data.pop("extends", None)
        chain.append(data)
        if len(chain) > _EXTENDS_MAX:
            raise _ERRORS[kind](f"{path.name}: extends: more than {_EXTENDS_MAX} files in a row; is there a circle?")
        reference = None if parent is None else _reference(str(parent), path.parent)
    merged: dict[str, Any] = {}
    for data in reversed(chain):
        merged = _merge(merged, data)
    return merged, where


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in over.items():
        before = out.get(key)
        # A table that names its type is one value: keys of one type say nothing in a table of another.
        inside = isinstance(value, dict) and "type" not in value
        out[key] = _merge(before, value) if inside and isinstance(before, dict) else value
    return out


def _override(data: dict[str, Any], text: str, error: type[ConfigError | ScenarioError]) -> str:
    """Set a value over those of a file; return its path, items of lists by name where they have one."""
    path, equals, value = text.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise error(f"--set {text}: write it as a.b=value")
    parsed = _value(value.strip())
    place: Any = data
    names = list(keys)
    for depth, key in enumerate(keys):
        last = depth == len(keys) - 1
        if isinstance(place, list | tuple):
            index = _item(place, key)
            if index is None:
                where = ".".join(keys[:depth])
                hint = "; set it to a preset of rules first, as in breakers=deribit" if where == "breakers" else ""
                raise error(f"--set {text}: {where} has no item {key}; {_items(place)}{hint}")
            if isinstance(place[index], dict):
                names[depth] = str(place[index].get("name", key))
            if last:
                place[index] = parsed  # type: ignore[index]
            else:
                place = place[index]
        elif isinstance(place, dict):
            if last:
                place[key] = parsed
            else:
                # A file without breakers has none, and no table of them.
                place = place.setdefault(key, [] if names[: depth + 1] == ["breakers"] else {})
        else:
            raise error(f"--set {text}: {'.'.join(keys[:depth])} is {place!r} and has nothing inside")
    return ".".join(names)


def _unsourced(paths: list[str], day: object, note: str) -> dict[str, Any]:
    """Return the origin, in a dated profile, of what was set over it: that its source vouches for it no more."""
    return {"paths": paths, "confidence": "override", "date": day, "note": note}


def _value(text: str) -> Any:  # noqa: ANN401 - any TOML value
    try:
        return tomllib.loads(f"value = {text}", parse_float=Decimal)["value"]
    except tomllib.TOMLDecodeError:
        return text


def _item(items: list[Any] | tuple[Any, ...], key: str) -> int | None:
    if key.isdecimal():
        return int(key) if int(key) < len(items) else None
    return next((i for i, item in enumerate(items) if isinstance(item, dict) and item.get("name") == key), None)


def _items(items: list[Any] | tuple[Any, ...]) -> str:
    names = [item["name"] for item in items if isinstance(item, dict) and "name" in item]
    if not items:
        return "it is empty"
    return f"known: {', '.join(names)}" if names else f"it has {len(items)}, numbered from 0"


def _located(where: str, error: ValidationError, data: object) -> str:
    return "\n".join(where + line for line in advice(error, data).splitlines())
