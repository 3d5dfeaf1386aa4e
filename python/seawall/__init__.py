"""Seawall: a deterministic derivatives venue for crash-day replay and circuit-breaker research.

``import seawall`` loads nothing else; every name below is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from seawall import adl, commands, feed, models
    from seawall._core import __version__
    from seawall.errors import (
        BusyError,
        CommandError,
        ConfigError,
        JournalError,
        MissingExtraError,
        PolicyError,
        ScenarioError,
        SeawallError,
        SnapshotError,
        VectorError,
    )
    from seawall.explanation import Explanation, explain
    from seawall.policy import MINUTE, SECOND, AdlRound, Fired, Policy, Trigger
    from seawall.protocol import (
        COMMAND,
        DELTA,
        EVENT,
        EVERY_ACCOUNT,
        NO_MARKET,
        CancelReason,
        CommandKind,
        EventKind,
        FillFlag,
        IndexState,
        LiquidationEnd,
        MarginLevel,
        MarginMode,
        OrderFlag,
        OrderType,
        Phase,
        Reject,
        RuleParameter,
        SelfTrade,
        Side,
        Source,
        TermCode,
        Watched,
    )
    from seawall.run import Run, replay
    from seawall.saved import SavedRun, load_run
    from seawall.session import Ran, Session
    from seawall.table import EventTable, Table
    from seawall.vectors import TOPICS, conform
    from seawall.venue import Deltas, JournalWriter, Replayed, Venue, View, replay_journal

__all__ = [
    "COMMAND",
    "DELTA",
    "EVENT",
    "EVERY_ACCOUNT",
    "MINUTE",
    "NO_MARKET",
    "SECOND",
    "TOPICS",
    "AdlRound",
    "BusyError",
    "CancelReason",
    "CommandError",
    "CommandKind",
    "ConfigError",
    "Deltas",
    "EventKind",
    "EventTable",
    "Explanation",
    "FillFlag",
    "Fired",
    "IndexState",
    "JournalError",
    "JournalWriter",
    "LiquidationEnd",
    "MarginLevel",
    "MarginMode",
    "MissingExtraError",
    "OrderFlag",
    "OrderType",
    "Phase",
    "Policy",
    "PolicyError",
    "Ran",
    "Reject",
    "Replayed",
    "RuleParameter",
    "Run",
    "SavedRun",
    "ScenarioError",
    "SeawallError",
    "SelfTrade",
    "Session",
    "Side",
    "SnapshotError",
    "Source",
    "Table",
    "TermCode",
    "Trigger",
    "VectorError",
    "Venue",
    "View",
    "Watched",
    "__version__",
    "adl",
    "commands",
    "conform",
    "explain",
    "feed",
    "load_run",
    "models",
    "replay",
    "replay_journal",
]

_MODULES: Final = {
    "adl": (),
    "commands": (),
    "models": (),
    "feed": (),
    "_core": ("__version__",),
    "vectors": ("TOPICS", "conform"),
    "errors": tuple(name for name in __all__ if name.endswith("Error")),
    "protocol": (
        "COMMAND",
        "DELTA",
        "EVENT",
        "EVERY_ACCOUNT",
        "NO_MARKET",
        "CancelReason",
        "CommandKind",
        "EventKind",
        "FillFlag",
        "IndexState",
        "LiquidationEnd",
        "MarginLevel",
        "MarginMode",
        "OrderFlag",
        "OrderType",
        "Phase",
        "Reject",
        "RuleParameter",
        "SelfTrade",
        "Side",
        "Source",
        "TermCode",
        "Watched",
    ),
    "explanation": ("Explanation", "explain"),
    "policy": ("MINUTE", "SECOND", "AdlRound", "Fired", "Policy", "Trigger"),
    "run": ("Run", "replay"),
    "saved": ("SavedRun", "load_run"),
    "session": ("Ran", "Session"),
    "table": ("EventTable", "Table"),
    "venue": ("Deltas", "JournalWriter", "Replayed", "Venue", "View", "replay_journal"),
}
_HOMES: Final = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the above
    if name in _HOMES:
        value = getattr(import_module(f"seawall.{_HOMES[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"seawall.{name}")
    else:
        raise AttributeError(f"module 'seawall' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
