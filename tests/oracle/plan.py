"""Deleveraging that is planned from outside: docs/mechanics.md, 8.7, plans from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from . import adl

if TYPE_CHECKING:
    from collections.abc import Callable

    from .venue import Market, OracleVenue

ADL_REQUESTED: Final = 534
ADL_PLANNED: Final = 535

BAD_FIELD: Final = 203
NO_PLAN_AWAITED: Final = 251
PLAN_TOO_LARGE: Final = 252
PLAN_NOT_CANDIDATE: Final = 253
PLAN_BEYOND_CAP: Final = 254


@dataclass(slots=True)
class Request:
    """A plan that the venue waits for."""

    number: int
    account: int
    market: Market
    sign: int
    lots: int
    bankruptcy: int
    go_on: Callable[[int], None]
    """What the round does once so many lots were closed: stage K."""
    rows: list[tuple[int, int]] | None = None
    """Winners and lots, None before the plan begins."""
    broken: bool = field(default=False)

    def names(self, market: int, number: int) -> bool:
        """Tell whether a command is about this request."""
        return (market, number) == (self.market.number, self.number)

    def round(self, venue: OracleVenue) -> adl.Round | None:
        """Return the round of deleveraging as the venue stands now, None if nothing is left to be closed."""
        base = venue.accounts[self.account].positions[self.market.number].base
        lots = min(self.lots, abs(base)) if base * self.sign > 0 else 0
        if lots == 0 or not venue.admits_adl(self.market) or not venue.may_close(self.market):
            return None
        return adl.Round(venue, self.account, self.market, lots, self.bankruptcy)

    def fault(self, venue: OracleVenue) -> int | None:
        """Return why the plan cannot be carried out as a whole."""
        rows = self.rows
        if rows is None or self.broken:
            return BAD_FIELD
        stage = self.round(venue)
        if stage is None or not stage.is_worth_asking():
            return PLAN_TOO_LARGE if rows else None
        winners = [winner for winner, _ in rows]
        if len(set(winners)) < len(winners):
            return PLAN_NOT_CANDIDATE
        for i, (winner, lots) in enumerate(rows):
            cap = stage.cap(winner) if winner in stage.candidates() else 0
            so_far = sum(k for _, k in rows[: i + 1])
            faults = {
                PLAN_NOT_CANDIDATE: cap == 0,
                PLAN_BEYOND_CAP: not 1 <= lots <= cap,
                PLAN_TOO_LARGE: so_far > stage.payable(),
            }
            for code, is_so in faults.items():
                if is_so:
                    return code
        return None

    def carry_out(self, venue: OracleVenue, *, by_plan: bool) -> None:
        """Close what the plan or the fallback says, and let the round go on."""
        rows = (self.rows or []) if by_plan else []
        venue.emit(
            ADL_PLANNED,
            account=self.account,
            market=self.market.number,
            order=self.number,
            code=0 if by_plan else 1,
            qty=sum(lots for _, lots in rows),
            amount=len(rows),
        )
        stage = self.round(venue)
        self.go_on(0 if stage is None else stage.run(rows if by_plan else None))


class Plans:
    """The plans of a venue: one is awaited at most."""

    def __init__(self, venue: OracleVenue) -> None:
        self.venue = venue
        self.count = 0
        self.awaited: Request | None = None

    def ask(self, stage: adl.Round, go_on: Callable[[int], None]) -> bool:
        """Ask for a plan instead of a round, if there is anything to plan; tell whether it was."""
        if not stage.is_worth_asking():
            self.venue.note("plan_without_need")
            return False
        self.count += 1
        market, account = stage.market, stage.number
        self.awaited = Request(self.count, account, market, stage.b, stage.lots, stage.bankruptcy, go_on)
        self.venue.emit(
            ADL_REQUESTED,
            account=account,
            market=market.number,
            side=1 if stage.b > 0 else 0,
            order=self.count,
            price=stage.x,
            qty=stage.payable(),
            amount=len(stage.able()),
        )
        return True

    def commit(self, *, by_plan: bool) -> None:
        """Carry out the plan that is awaited, or its fallback."""
        request, self.awaited = self.awaited, None
        assert request is not None
        request.carry_out(self.venue, by_plan=by_plan)
        account = self.venue.accounts[request.account]
        if account.in_liquidation:
            self.venue.gate.look_at_equity(account.number)
