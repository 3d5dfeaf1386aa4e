"""Auto-deleveraging of the oracle: docs/mechanics.md section 8, from the page and in the plainest way.

Shares are given out one unit at a time, scores and quotes are fractions, every candidate is looked at anew.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from .venue import Market, OracleVenue

ADL_STARTED: Final = 530
ADL_FILL: Final = 531
ADL_REMAINDER: Final = 532
ADL_HAIRCUT: Final = 533

PPM: Final = 1_000_000
BITS: Final = 2**64
CARRIED_MAX: Final = 10**9
"""Millionths of a lot that an account carries at most."""


def draw(seed: int, *keys: int) -> int:
    """Return the keyed draw of the page."""
    z = seed
    for key in keys:
        z = (z + key + 0x9E3779B97F4A7C15) % BITS
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % BITS
        z = (z ^ z >> 27) * 0x94D049BB133111EB % BITS
        z ^= z >> 31
    return z


def one_by_one(units: int, weights: list[int], caps: list[int], divisor: Callable[[int], int]) -> list[int]:
    """Give units out one at a time, each to the account with the least divisor over weight."""
    given = [0] * len(weights)
    for _ in range(units):
        open_ = [i for i, weight in enumerate(weights) if weight > 0 and given[i] < caps[i]]
        if not open_:
            break
        given[min(open_, key=lambda i: (Fraction(divisor(given[i]), weights[i]), i))] += 1
    return given


def by_remainder(units: int, weights: list[int], caps: list[int]) -> list[int]:
    """Largest remainder among the accounts that have a weight."""
    from .venue import largest_remainder  # noqa: PLC0415 - the venue imports this file

    some = [i for i, weight in enumerate(weights) if weight > 0]
    shares = largest_remainder(units, [weights[i] for i in some], [caps[i] for i in some])
    given = dict(zip(some, shares, strict=True))
    return [given.get(i, 0) for i in range(len(weights))]


class History:
    """What rounds of a market leave behind for those that come later."""

    def __init__(self) -> None:
        self.began: int | None = None
        """When the last one began."""
        self.closes: list[tuple[int, int, int, int]] = []
        """Time, account, size before and lots of every close."""
        self.carried: dict[int, dict[int, int]] = {1: {}, -1: {}}
        """What accounts are due from earlier rounds, in millionths of a lot, by the sign of the winners."""

    def in_window(self, account: int, window: int, window_ns: int) -> list[tuple[int, int]]:
        """Return size before and lots of the closes of an account in a window."""
        return [(size, k) for at, who, size, k in self.closes if who == account and at // window_ns == window]


def exact_shares(units: int, weights: list[int], caps: list[int]) -> list[Fraction]:
    """Divide units in proportion to weights, none above its cap, without rounding."""
    given = [Fraction(0)] * len(weights)
    left, rest = [i for i, weight in enumerate(weights) if weight > 0], units
    while left:
        total = sum(weights[i] for i in left)
        full = [i for i in left if rest * weights[i] >= caps[i] * total]
        for i in full or left:
            given[i] = Fraction(caps[i]) if full else Fraction(rest * weights[i], total)
        if not full:
            break
        rest -= sum(caps[i] for i in full)
        left = [i for i in left if i not in full]
    return given


class Round:
    """One round of auto-deleveraging against a bankrupt account."""

    def __init__(self, venue: OracleVenue, number: int, market: Market, lots: int, bankruptcy: int) -> None:
        self.venue, self.number, self.market, self.lots, self.bankruptcy = venue, number, market, lots, bankruptcy
        self.terms: dict[str, Any] = market.adl
        self.contract = market.contract
        self.method: str = self.terms["plan_fallback" if self.terms["method"] == "external" else "method"]
        self.b = 1 if venue.accounts[number].positions[market.number].base > 0 else -1
        self.w = -self.b
        self.transfer_at(self.price())
        if self.terms.get("fallback") == "bankruptcy" and self.payable() == 0:
            self.transfer_at(bankruptcy)

    def transfer_at(self, price: int) -> None:
        """Take a transfer price, and what it costs winners and leaves the lots lacking, in parts a lot."""
        self.x = price
        self.give = self.w * self.contract.gain(price, self.market.mark)
        self.lack = self.b * self.contract.gain(price, self.bankruptcy)

    def payable(self) -> int:
        """Return the lots whose lack the fund can pay."""
        if self.lack <= 0:
            return self.lots
        budget = self.venue.funds.budget_for(self.number, self.market)
        return min(self.lots, self.contract.lots_for(budget, self.lack))

    def price(self) -> int:
        """Return the transfer price."""
        mark = self.market.mark
        wanted = {"bankruptcy": self.bankruptcy, "mark": mark, "index": self.market.index}[self.terms["price"]]
        band = self.terms["band_ppm"]
        if band is None:
            return int(wanted)
        low, high = -(-mark * (PPM - band) // PPM), mark * (PPM + band) // PPM
        return int(max(low, min(high, wanted)))

    # Candidates.

    def position(self, account: int) -> tuple[int, int]:
        """Return base and cost."""
        base, cost = self.venue.accounts[account].positions[self.market.number]
        return base, cost

    def profit(self, account: int) -> int:
        """Return u."""
        return self.venue.profit(account, self.market)

    def value(self, account: int) -> int:
        """Return N."""
        return self.market.size(self.position(account)[0])

    def is_exempt(self, account: int) -> bool:
        """Tell whether an account is left alone in this round."""
        exempt, accounts = self.terms.get("exempt", []), self.venue.accounts
        group = accounts[account].group
        of_group = "group" in exempt and group != 0 and group == accounts[self.number].group
        return of_group or ("backstop" in exempt and account == self.venue.backstop)

    def is_candidate(self, account: int) -> bool:
        """Tell whether an account is a candidate, were it not exempt."""
        return (
            account != self.number
            and not self.venue.accounts[account].in_liquidation
            and self.position(account)[0] * self.w > 0
            and self.venue.equity(account) > 0
            and (self.terms.get("eligible") == "anyone" or self.profit(account) > 0)
        )

    def candidates(self) -> list[int]:
        """Return all of them by number."""
        return [number for number in self.rankable() if not self.is_exempt(number)]

    def able(self) -> list[int]:
        """Return the candidates of whom lots may be closed."""
        return [number for number in self.candidates() if self.cap(number) > 0]

    def is_worth_asking(self) -> bool:
        """Tell whether there is anything to plan."""
        return self.payable() > 0 and bool(self.able())

    def rankable(self) -> list[int]:
        """Return those whom a ranking that is kept holds: exempt ones, too."""
        return [account.number for account in self.venue.accounts if self.is_candidate(account.number)]

    def part(self, account: int) -> int:
        """Return the lots that a round may touch."""
        base, cost = self.position(account)
        if self.terms.get("eligible") == "realising" and self.realises_a_loss(base, cost):
            return 0
        fraction, band = self.terms.get("fraction_ppm"), self.terms.get("size_band")
        part: int = abs(base) if fraction is None else abs(base) * fraction // PPM
        if band is None:
            return part
        window = self.venue.now // band["window_ns"]
        closes = self.market.deleveraged.in_window(account, window, band["window_ns"])
        size = closes[0][0] if closes else abs(base)
        room = max(0, size * band["share_ppm"] // PPM - sum(k for _, k in closes))
        if room < part:
            self.venue.note("adl_size_band")
        return int(min(part, room))

    def realises_a_loss(self, base: int, cost: int) -> bool:
        """Tell whether a position that is closed at X loses."""
        value, spent = self.contract.value(base, self.x), self.contract.up(abs(cost))
        holds_value = (base > 0) != self.contract.is_inverse
        return value < (spent if holds_value else -spent)

    def cap(self, account: int) -> int:
        """Return the lots that a round may close."""
        part = self.part(account)
        if self.give <= 0:
            return part
        # One minor unit stays for the rounding where there are parts of one.
        spendable = self.venue.equity(account) - (1 if self.contract.scale > 1 else 0)
        return max(0, min(part, self.contract.lots_for(spendable, self.give)))

    def score(self, account: int) -> tuple[bool, Fraction]:
        """Return the score; the first part says that it is infinite."""
        u, n, e = self.profit(account), self.value(account), self.venue.equity(account)
        c = self.contract.up(abs(self.position(account)[1]))
        over, under = (c, n) if self.contract.is_inverse else (n, c)
        one = 10 ** self.venue.assets[0]["decimals"]
        top, bottom = {
            "profit_leverage": (u * n, c * e) if u >= 0 else (u * e, c * n),
            "profit_margin_ratio": (max(0, u) * self.venue.maintenance(account), max(one, e - u) * e),
            "price_ratio_literal": (over * n, under * e),
            "price_ratio_signed": (over * n, under * e) if self.w > 0 else (under * n, over * e),
            "profit": (u, 1),
            "profit_ratio": (u, c),
            "leverage": (n, e),
            "notional": (n, 1),
            "equity": (e, 1),
            "random": (draw(self.venue.config["seed"], self.market.number, self.venue.now, account), 1),
        }[self.terms.get("score", "profit_leverage")]
        return (top > 0, Fraction(0)) if bottom == 0 else (False, Fraction(top, bottom))

    def ranked(self) -> list[int]:
        """Return the candidates by score."""
        return self.by_score(self.candidates())

    def by_score(self, numbers: list[int]) -> list[int]:
        """Sort accounts by score; the sort is stable, so equal scores stay in order of number."""
        return sorted(numbers, key=self.score, reverse=True)

    # The round.

    def run(self, rows: list[tuple[int, int]] | None = None) -> int:
        """Deleverage by the method, or by the rows of a plan, and return the lots closed."""
        venue, market = self.venue, self.market
        payable = self.payable()
        market.deleveraged.began = venue.now
        side = 1 if self.b > 0 else 0
        venue.emit(ADL_STARTED, account=self.number, market=market.number, side=side, price=self.x, qty=self.lots)
        method = self.method
        uncovered = closed = 0
        if rows is not None:
            for name, k in rows:
                self.close(name, k)
                closed += k
            venue.funds.pay(self.number, market, self.contract.up(max(0, self.lack) * closed))
        elif method == "offset":
            closed = self.offset()
        elif method.startswith("haircut"):
            uncovered = self.haircut(payable)
        elif payable > 0:
            closed = self.queue(payable) if method == "queue" else self.shares(payable)
            venue.funds.pay(self.number, market, self.contract.up(max(0, self.lack) * closed))
        if closed < self.lots:
            venue.emit(
                ADL_REMAINDER, account=self.number, market=market.number, qty=self.lots - closed, amount=uncovered
            )
            venue.gate.close(self.number)
        return closed

    def close(self, account: int, k: int) -> None:
        """Close lots of a winner at the transfer price."""
        self.remember(account, k)
        self.venue.trade(account, self.market, self.b * k, self.x)
        self.venue.trade(self.number, self.market, -self.b * k, self.x)
        self.report(account, k, self.contract.down(self.give * k))

    def remember(self, account: int, k: int) -> None:
        """Remember a close that is about to be made."""
        size = abs(self.position(account)[0])
        self.market.deleveraged.closes.append((self.venue.now, account, size, k))

    def report(self, account: int, k: int, given_up: int) -> None:
        """Report a close."""
        side = 0 if self.b > 0 else 1
        self.venue.emit(
            ADL_FILL, account=account, market=self.market.number, side=side, price=self.x, qty=k, amount=given_up
        )

    def correction(self) -> Callable[[int, int], bool]:
        """Return what tells, for one close after another, whether it stands."""
        holders = [a.number for a in self.venue.accounts if self.position(a.number)[0] * self.w > 0]
        left = sum(max(0, self.profit(holder)) for holder in holders)
        whole = sum(self.value(holder) for holder in holders)
        given: int | None = self.terms.get("correction_floor_ppm")
        floor = given or 0

        def stands(account: int, k: int) -> bool:
            nonlocal left
            after = left - max(0, self.profit(account)) * k // abs(self.position(account)[0])
            fine = after < left and Fraction(after, whole) >= Fraction(floor, PPM)
            left = after
            return fine

        return (lambda _account, _k: True) if given is None else stands

    def queue(self, lots: int) -> int:
        """Close lots in the order of the ranking."""
        venue, stands = self.venue, self.correction()
        if not self.market.rankings.get(self.b):
            self.market.rankings[self.b] = self.by_score(self.rankable())[: venue.limits["adl_rank_max"]]
        ranking = self.market.rankings[self.b]
        left, examined = lots, 0
        for winner in list(ranking):
            if left == 0 or examined == venue.limits["adl_closes_per_round"]:
                break
            if self.is_exempt(winner):
                venue.note("adl_exempt")
                continue
            examined += 1
            k = min(left, self.cap(winner)) if self.is_candidate(winner) else 0
            if k > 0:
                if not stands(winner, k):
                    break
                self.close(winner, k)
                left -= k
            if k == 0 or self.position(winner)[0] == 0 or left > 0:
                ranking.remove(winner)
        return lots - left

    def shares(self, lots: int) -> int:
        """Close lots of all candidates by shares."""
        method = self.method
        names = self.ranked() if method == "rank_bands" else self.candidates()
        caps = [self.cap(name) for name in names]
        size = [abs(self.position(name)[0]) for name in names]
        if method == "hedge_aware":
            unhedged = [
                max(0, min(lots_, self.w * (self.w * lots_ + self.hedge(name))))
                for name, lots_ in zip(names, size, strict=True)
            ]
            first = by_remainder(lots, unhedged, [min(h, cap) for h, cap in zip(unhedged, caps, strict=True)])
            rest = [lots_ - k for lots_, k in zip(size, first, strict=True)]
            room = [cap - k for cap, k in zip(caps, first, strict=True)]
            second = by_remainder(lots - sum(first), rest, room)
            shares = [a + b for a, b in zip(first, second, strict=True)]
        else:
            weigh = {
                "lots": lambda name: abs(self.position(name)[0]),
                "profit": self.profit,
                "equity": self.venue.equity,
                "notional": self.value,
            }[self.terms.get("weight", "lots")]
            weights = [max(0, weigh(name)) for name in names]
            if method == "rank_bands":
                shares = self.band_by_band(lots, size, weights, caps)
            elif self.terms.get("carry"):
                shares = self.with_carry(lots, names, weights, caps)
            elif method == "pro_rata":
                shares = by_remainder(lots, weights, caps)
            else:
                divisor = (lambda k: 2 * k + 1) if method == "webster" else (lambda k: k + 1)
                shares = one_by_one(lots, weights, caps, divisor)
        stands, closed = self.correction(), 0
        for name, k in zip(names, shares, strict=True):
            if k > 0:
                if not stands(name, k):
                    break
                self.close(name, k)
                closed += k
        return closed

    def band_by_band(self, lots: int, sizes: list[int], weights: list[int], caps: list[int]) -> list[int]:
        """Return the lots of ranked accounts, where those of a band give only what the bands before leave."""
        rule = self.terms.get("lights", {"method": "cumulative_quantity", "levels": 5})
        levels, count = rule["levels"], len(sizes)
        if rule["method"] == "equal_count":
            bands = [i // -(-count // levels) for i in range(count)]
        else:
            bands = [-(-levels * sum(sizes[: i + 1]) // sum(sizes)) for i in range(count)]
        given = [0] * count
        for band in sorted(set(bands)):
            some = [i for i in range(count) if bands[i] == band]
            left = lots - sum(given)
            for i, k in zip(some, by_remainder(left, [weights[i] for i in some], [caps[i] for i in some]), strict=True):
                given[i] = k
            if left > sum(given[i] for i in some) > 0:
                self.venue.note("adl_next_band")
        return given

    def with_carry(self, lots: int, names: list[int], weights: list[int], caps: list[int]) -> list[int]:
        """Return shares of lots that remember what earlier ones were rounded by."""
        carried = self.market.deleveraged.carried
        if any(carried[self.w].values()):
            self.venue.note("adl_carried")
        shares = exact_shares(lots, weights, caps)
        due = [int(PPM * share) + carried[self.w].get(name, 0) for share, name in zip(shares, names, strict=True)]
        given = [0] * len(names)
        for _ in range(lots):
            able = [i for i, weight in enumerate(weights) if weight > 0 and given[i] < caps[i]]
            if able:
                given[max(able, key=lambda i: (due[i] - PPM * given[i], -i))] += 1
        carried[self.w] = {
            name: 0 if k == cap else max(-CARRIED_MAX, min(CARRIED_MAX, d - PPM * k))
            for name, d, k, cap in zip(names, due, given, caps, strict=True)
        }
        return given

    def hedge(self, account: int) -> int:
        """Return positions elsewhere in lots of this market."""
        total = 0
        for hedge in self.terms.get("hedges", []):
            product = self.venue.accounts[account].positions[hedge["market"]].base * hedge["lots_ppm"]
            total += abs(product) // PPM * (1 if product > 0 else -1)
        return total

    def quote(self, account: int, k: int) -> tuple[int, int]:
        """Return the value of k lots of an account's position, and its bankruptcy quote for them."""
        base = self.position(account)[0]
        value = self.contract.value((1 if base > 0 else -1) * k, self.market.mark)
        needed = Fraction(self.venue.maintenance_of(account, self.market), self.venue.maintenance(account))
        return value, value - (self.venue.equity(account) * needed * k / abs(base)).__floor__()

    def offset(self) -> int:
        """Close lots at quotes that both sides carry."""
        left = self.lots
        for name in self.ranked()[: self.venue.limits["adl_closes_per_round"]]:
            k = min(left, self.part(name))
            if k == 0:
                continue
            value, quote = self.quote(self.number, k)
            if self.terms["price"] == "bankruptcy":
                refused = -quote < self.quote(name, k)[1]
            else:
                quote, refused = value, min(self.venue.equity(self.number), self.venue.equity(name)) < 0
            if refused:
                continue
            self.remember(name, k)
            self.close_for(self.number, -self.b * k, quote)
            self.close_for(name, self.b * k, -quote)
            self.report(name, k, quote - value)
            left -= k
            if left == 0:
                break
        return self.lots - left

    def close_for(self, account: int, d: int, received: int) -> None:
        """Close d signed lots for an amount."""
        from .venue import Position, Trade  # noqa: PLC0415 - the venue imports this file

        base, cost = self.position(account)
        scale = self.contract.scale
        released = abs(cost) * abs(d) // abs(base) * (1 if cost > 0 else -1)
        profit, rest = divmod(scale * received - released, scale)
        self.venue.realise(account, self.market, Trade(Position(base + d, cost - released), profit, rest))

    def haircut(self, lots: int) -> int:
        """Raise the deficit of lots in money, and return what is not covered of that of all lots."""
        venue, market = self.venue, self.market
        budget = self.contract.down(max(0, self.give * lots))
        queued = self.method == "haircut_queue"
        names = self.ranked()[: venue.limits["adl_closes_per_round"]] if queued else self.candidates()
        fraction = self.terms.get("fraction_ppm")
        fraction = PPM if fraction is None else fraction
        caps = [
            min(max(0, self.profit(name)) * fraction // PPM, venue.equity(name)) if self.part(name) else 0
            for name in names
        ]
        if queued:
            taken = [min(cap, max(0, budget - sum(caps[:i]))) for i, cap in enumerate(caps)]
        else:
            taken = by_remainder(budget, [max(0, self.profit(name)) * self.risk(name) for name in names], caps)
        for name, amount in zip(names, taken, strict=True):
            if amount > 0:
                positions = venue.accounts[name].positions
                held = positions[market.number]
                positions[market.number] = held._replace(cost=held.cost + self.contract.scale * amount)
                venue.transfer(("clearing", market.number), ("user", name, 0), amount)
                venue.transfer(("user", name, 0), ("user", self.number, 0), amount)
                venue.touched.add(name)
                venue.emit(ADL_HAIRCUT, account=name, market=market.number, amount=amount)
        paid = self.contract.up(max(0, self.lack) * lots)
        venue.funds.pay(self.number, market, paid)
        deficit = self.contract.down(self.give * self.lots) + self.contract.up(self.lack * self.lots)
        return max(0, deficit - sum(taken) - paid)

    def risk(self, account: int) -> int:
        """Return the weight of a unit of profit."""
        rule = self.terms.get("risk", {"type": "none"})
        leverage = min(2**40, PPM * self.value(account) // self.venue.equity(account))
        if rule["type"] == "power":
            power: int = rule["exponent"]
            return int(min(2**60, leverage ** (1 + power) // PPM**power))
        if rule["type"] == "threshold":
            return int(min(2**60, leverage * max(0, leverage - rule["above_ppm"]) // PPM))
        return 1
