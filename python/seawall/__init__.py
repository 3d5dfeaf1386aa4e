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
        ScenarioError,
        SeawallError,
        SnapshotError,
        VectorError,
    )
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
        OrderFlag,
        OrderType,
        Phase,
        Reject,
        SelfTrade,
        Side,
        Source,
        TermCode,
        Watched,
    )
    from seawall.run import Run, replay
    from seawall.table import EventTable, Table
    from seawall.vectors import TOPICS, conform
    from seawall.venue import Deltas, JournalWriter, Replayed, Venue, replay_journal

__all__ = [
    "COMMAND",
    "DELTA",
    "EVENT",
    "EVERY_ACCOUNT",
    "NO_MARKET",
    "TOPICS",
    "BusyError",
    "CancelReason",
    "CommandError",
    "CommandKind",
    "ConfigError",
    "Deltas",
    "EventKind",
    "EventTable",
    "FillFlag",
    "IndexState",
    "JournalError",
    "JournalWriter",
    "LiquidationEnd",
    "MissingExtraError",
    "OrderFlag",
    "OrderType",
    "Phase",
    "Reject",
    "Replayed",
    "Run",
    "ScenarioError",
    "SeawallError",
    "SelfTrade",
    "Side",
    "SnapshotError",
    "Source",
    "Table",
    "TermCode",
    "VectorError",
    "Venue",
    "Watched",
    "__version__",
    "adl",
    "commands",
    "conform",
    "feed",
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
        "OrderFlag",
        "OrderType",
        "Phase",
        "Reject",
        "SelfTrade",
        "Side",
        "Source",
        "TermCode",
        "Watched",
    ),
    "run": ("Run", "replay"),
    "table": ("EventTable", "Table"),
    "venue": ("Deltas", "JournalWriter", "Replayed", "Venue", "replay_journal"),
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
