"""A running venue in the words of an example."""

from decimal import Decimal
from typing import Any

import numpy as np

import seawall
from seawall import EventKind, Phase, Side, commands
from seawall.commands import Records
from seawall.models import VenueProfile

START = 1_735_689_600 * 10**9
"""2025-01-01T00:00:00Z, when the profiles' funding begins."""
SECOND = 10**9
BANK = "1_000_000_000"


class Play:
    """A running venue in the words of an example: people by name, prices and sizes as decimals."""

    def __init__(self, profile: str, *overrides: str, **balances: str) -> None:
        self.venue = seawall.Venue(profile, set=overrides)
        assert self.venue.profile is not None
        self.profile: VenueProfile = self.venue.profile
        self.now = START + SECOND
        self.people: dict[str, int] = {}
        self.seen: list[Records] = []
        for name, balance in balances.items():
            self.join(name, balance)

    def join(self, name: str, balance: str) -> None:
        self.people[name] = len(self.people)
        self.send(commands.open_account(at=self.now))
        if Decimal(balance):
            amount = self.profile.amount(balance)
            self.send(commands.deposit(at=self.now, account=self.people[name], amount=amount))

    def send(self, records: Records) -> Records:
        events = self.venue.apply(records)
        assert self.venue.audit()["ok"]
        self.seen.append(events)
        return events

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * SECOND)

    def index(self, **prices: str) -> Records:
        every = []
        for name, price in prices.items():
            number, ticks = self.profile.market_id(name), self.profile.market(name).ticks(price)
            every.append(self.send(commands.index(at=self.now, market=number, price=ticks)))
        return np.concatenate(every)

    def open(self) -> None:
        """Let the venue trade."""
        markets = list(range(len(self.profile.markets)))
        self.send(commands.set_phase(at=self.now, market=markets, phase=Phase.CONTINUOUS))

    def block(self, market: str, buyer: str, seller: str, qty: str, price: str) -> None:
        rules = self.profile.market(market)
        events = self.send(
            commands.block(
                at=self.now,
                market=self.profile.market_id(market),
                buyer=self.people[buyer],
                seller=self.people[seller],
                price=rules.ticks(price),
                qty=rules.lots(qty),
            )
        )
        assert (events["kind"] == EventKind.FILL).sum() == 2, events

    def place(self, market: str, who: str, side: Side, qty: str, price: str, **terms: Any) -> Records:
        rules = self.profile.market(market)
        return self.send(
            commands.place(
                at=self.now,
                market=self.profile.market_id(market),
                account=self.people[who],
                side=side,
                qty=rules.lots(qty),
                price=rules.ticks(price),
                **terms,
            )
        )

    def pulse(self) -> Records:
        return self.send(commands.pulse(at=self.now))

    def fund(self, amount: str) -> None:
        self.send(commands.fund_deposit(at=self.now, amount=self.profile.amount(amount)))

    def account(self, who: str, column: str) -> Decimal:
        return self.money(int(self.venue.accounts()[column][self.people[who]]))

    def money(self, minor: int) -> Decimal:
        return Decimal(minor).scaleb(-self.profile.assets[0].decimals)

    def position(self, who: str, market: str) -> Decimal:
        rows, number = self.venue.positions(), self.profile.market_id(market)
        mine = (rows["account"] == self.people[who]) & (rows["market"] == number)
        return self.profile.market(market).lot_size * int(rows["base"][mine].sum())

    def liquidation_price(self, who: str, market: str) -> Decimal:
        rows, number = self.venue.liquidation_prices(self.people[who]), self.profile.market_id(market)
        return self.profile.market(market).price(int(rows["price"][rows["market"] == number][0]))

    def events(self, kind: EventKind, who: str | None = None) -> Records:
        every: Records = np.concatenate(self.seen)
        wanted = every["kind"] == kind
        if who is not None:
            wanted &= every["account"] == self.people[who]
        found: Records = every[wanted]
        return found

    def qty(self, event: Any, market: str = "BTC") -> Decimal:
        return self.profile.market(market).lot_size * int(event["qty"])

    def lose_beyond(self, loss_per_unit: int, fund: str) -> None:
        """Let "user", long 100 BTC with 2,500 each, lose so much more per unit than it has, against "winner".

        "bidder" bids at the mark, so that the whole position is closed and the fund, which has `fund`, is asked.
        """
        self.fund(fund)
        self.index(BTC="100000", ETH="4000")
        self.block("BTC", "user", "winner", "100", "100000")
        self.open()
        price = str(97_500 - loss_per_unit)
        self.place("BTC", "bidder", Side.BUY, "100", price)
        self.index(BTC=price)
        for _ in range(4):
            self.pulse()

    def leave_missing(self) -> None:
        """Let "alice", who has 1,000, lose 3,000 to "bob" beside a fund of 1,000: 1,000 are missing."""
        self.fund("1_000")
        self.index(BTC="100", ETH="10")
        self.block("BTC", "alice", "bob", "50", "100")
        self.open()
        self.place("BTC", "bob", Side.BUY, "50", "40")
        self.index(BTC="40")
        for _ in range(5):
            self.pulse()
        assert self.account("alice", "equity") == 0
