"""Phases of a market: the table of docs/mechanics.md, section 5."""

from __future__ import annotations

from typing import Final, NamedTuple

PHASE_NAMES: Final = (
    "pre_open",
    "continuous",
    "limit_state",
    "straddle",
    "guarded",
    "cooling_off",
    "call_auction",
    "pause",
    "reduce_only",
    "close_only",
    "halted",
    "closed",
    "settlement",
)
PRE_OPEN: Final = 0
CONTINUOUS: Final = 1
LIMIT_STATE: Final = 2
STRADDLE: Final = 3
GUARDED: Final = 4
COOLING_OFF: Final = 5
CALL_AUCTION: Final = 6
PAUSE: Final = 7
REDUCE_ONLY_PHASE: Final = 8
CLOSE_ONLY: Final = 9
HALTED: Final = 10
CLOSED: Final = 11
SETTLEMENT: Final = 12
TRADING: Final = (CONTINUOUS, LIMIT_STATE, STRADDLE, GUARDED, COOLING_OFF)
"""Phases that trade: those in which breakers that watch trades or marks are asked."""
SEVERITY: Final = (
    (PRE_OPEN, CONTINUOUS),
    (STRADDLE,),
    (LIMIT_STATE,),
    (COOLING_OFF,),
    (GUARDED,),
    (REDUCE_ONLY_PHASE,),
    (CLOSE_ONLY,),
    (CALL_AUCTION,),
    (PAUSE,),
    (HALTED,),
    (CLOSED,),
    (SETTLEMENT,),
)


def severity(phase: int) -> int:
    """Return how severe a phase is."""
    return next(rank for rank, phases in enumerate(SEVERITY) if phase in phases)


class PhaseRow(NamedTuple):
    """What a phase admits."""

    place: str
    matches: bool
    replace: str
    block: bool
    new_index: bool
    liquidation: bool
    adl: bool


_OPEN = PhaseRow("all", True, "yes", True, True, True, True)
_AUCTION = PhaseRow("rest", False, "yes", False, True, False, False)
_REDUCING = PhaseRow("reducing", True, "decrease", False, True, True, True)
_CLOSING = PhaseRow("closing", True, "decrease", False, True, True, True)
_GUARDED = PhaseRow("providing", True, "decrease", False, True, True, True)
_LIMITED = PhaseRow("all", True, "yes", False, True, True, False)
_COOLING = PhaseRow("all", True, "yes", False, True, True, True)
_STOPPED = PhaseRow("none", False, "no", False, True, False, False)
_OVER = PhaseRow("none", False, "no", False, False, False, False)
PHASES: Final = (
    PhaseRow("rest", False, "yes", True, True, False, False),
    _OPEN,
    _LIMITED,
    _OPEN,
    _GUARDED,
    _COOLING,
    _AUCTION,
    _STOPPED,
    _REDUCING,
    _CLOSING,
    _STOPPED,
    _OVER,
    _OVER,
)
