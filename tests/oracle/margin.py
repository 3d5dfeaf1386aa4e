"""Section 3 of ``docs/mechanics.md`` in exact fractions: margin rules beside the tiers, the value of other assets."""

from __future__ import annotations

from fractions import Fraction
from math import floor, isqrt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .orders import MILLION, ceil_div

if TYPE_CHECKING:
    from collections.abc import Callable

Config = dict[str, Any]

BILLION: Final = 1_000_000_000
STEP: Final = Fraction(1, 10_000)
NONE: Final[Config] = {"open_interest": None, "size": None, "account_leverage": False, "multipliers": False}
MULTIPLIER_MAX: Final = 100 * 1_000_000


class Tier(NamedTuple):
    """One row of a rate table."""

    lower: int
    rate: int
    deduction: int


def rate_table(tiers: list[dict[str, int]], rate_name: str) -> list[Tier]:
    """Return the rows of one rate table with their deductions."""
    table: list[Tier] = []
    for row in tiers:
        rate, deduction = row[rate_name], 0
        if table:
            step = row["lower"] * (rate - table[-1].rate)
            assert step % MILLION == 0, "the configuration proves deductions whole"
            deduction = table[-1].deduction + step // MILLION
        table.append(Tier(row["lower"], rate, deduction))
    return table


def multiplied(tiers: list[dict[str, int]], initial_ppm: int, maintenance_ppm: int) -> list[dict[str, int]] | None:
    """Return tiers whose configured rates are multiplied, None if a multiplier or a rate is none."""
    factors = {"initial_ppm": initial_ppm, "maintenance_ppm": maintenance_ppm}
    if not all(1 <= factor <= MULTIPLIER_MAX for factor in factors.values()):
        return None
    made = []
    for row in tiers:
        if any(row[name] * factor % MILLION != 0 for name, factor in factors.items()):
            return None
        rates = {name: row[name] * factor // MILLION for name, factor in factors.items()}
        made.append(row | rates | {"initial_ppm": min(MILLION, rates["initial_ppm"])})
    return made


def are_tiers(tiers: list[dict[str, int]], call_ppm: int) -> bool:
    """Tell whether section 12 takes tiers."""
    for before, row in zip([None, *tiers], tiers, strict=False):
        initial, maintenance = row["initial_ppm"], row["maintenance_ppm"]
        if not 0 < maintenance <= initial or maintenance * max(call_ppm, MILLION) >= MILLION * MILLION:
            return False
        for name in ("initial_ppm", "maintenance_ppm"):
            if before is None:
                continue
            meets = (before[name], row[name])
            if meets[0] > meets[1] or any(row["lower"] * rate % MILLION != 0 for rate in meets):
                return False
    return True


def tier_of(table: list[Tier], notional: int) -> Tier:
    """Return the row of a rate table that a notional belongs to."""
    return [row for row in table if row.lower <= notional][-1]


def requirement(table: list[Tier], notional: int) -> int:
    """Return the margin that a notional needs by a rate table."""
    tier = tier_of(table, notional)
    return ceil_div(notional * tier.rate, MILLION) - tier.deduction


def root_floor(number: Fraction) -> int:
    """Return the floor of a square root."""
    return isqrt(number.numerator // number.denominator)


def rate_by_size(rule: Config, which: str, base_ppm: int, lots: int) -> int:
    """Return the rate of a size in ppm."""
    factor, size = Fraction(rule[f"{which}_ppb"], BILLION), Fraction(lots, rule["unit"])
    base = Fraction(base_ppm, MILLION)
    if rule["type"] == "linear":
        return -floor(-(base + factor * size) * MILLION)
    # floor((0.8 base + factor sqrt(size)) / step), the root taken of a square so that it is exact.
    scale = 10**9
    root = root_floor((factor / STEP) ** 2 * size * scale**2)
    steps = (Fraction(4, 5) * base / STEP * scale + root) // scale
    return int(max(steps, base // STEP) * STEP * MILLION)


def rate_by_interest(scale: Config, base_ppm: int, interest: int) -> int:
    """Return the initial rate in ppm at an open interest, as notional."""
    lower, upper = scale["lower"], scale["upper"]
    raised = base_ppm + Fraction((MILLION - base_ppm) * (interest - lower), upper - lower)
    return floor(max(Fraction(base_ppm), min(Fraction(MILLION), raised)))


def size_max(call_ppm: int) -> int:
    """Return the highest maintenance rate by size: times the call factor it stays below 1."""
    return (MILLION * MILLION - 1) // max(call_ppm, MILLION)


class Collateral:
    """What an asset other than the first counts for."""

    def __init__(self, rules: Config, price: Callable[[str, int], int]) -> None:
        self.rules = rules
        self.price = price

    def units(self) -> list[Fraction]:
        """Return the values of one minor unit that there are."""
        rules, values = self.rules, []
        source, redemption = rules.get("price", "index"), rules.get("redemption")
        if source != "redemption":
            price = max(self.price(source, rules["market"]), rules.get("price_floor") or 0)
            values.append(Fraction(price * rules["value_num"], rules["value_den"]))
        if redemption is not None:
            follows = redemption["market"]
            price = 1 if follows is None else self.price("index", follows)
            values.append(Fraction(price * redemption["value_num"], redemption["value_den"]))
        return values

    @property
    def unit(self) -> Fraction:
        """The greater of them."""
        return max(self.units())

    def counted(self, balance: int) -> int:
        """Return the balance that counts."""
        cap = self.rules.get("cap")
        return max(0, balance if cap is None else min(balance, cap))

    def weight(self, counted: int) -> Fraction:
        """Return the weight of a balance."""
        base, discount = Fraction(self.rules["weight_ppm"], MILLION), self.rules.get("size_discount")
        if discount is None:
            return base
        square = Fraction(discount["factor_ppb"], BILLION) ** 2 * Fraction(counted, discount["unit"])
        steps = base // STEP
        # 1.1 / (1 + root) is at least k steps where (11000 - k) squared is at least k squared times the square.
        while steps > 0 and (steps > 11_000 or (11_000 - steps) ** 2 < steps**2 * square):
            steps -= 1
        return steps * STEP

    def value(self, balance: int) -> int:
        """Return what a balance adds to equity."""
        counted = self.counted(balance)
        return floor(counted * self.unit * self.weight(counted))

    def initial_value(self, balance: int, deposits: int) -> int:
        """Return what a balance adds where initial margin is asked for."""
        start = self.rules.get("deposit_scale_start")
        total = floor(max(0, deposits) * self.unit)
        if start is None or total <= start:
            return self.value(balance)
        counted = self.counted(balance)
        return floor(floor(counted * self.unit) * self.weight(counted) * Fraction(start, total))

    def sale(self, quantity: int) -> int:
        """Return what a sale brings."""
        return floor(quantity * self.unit * Fraction(self.rules["weight_ppm"], MILLION))

    def sale_for(self, debt: int) -> int:
        """Return the smallest balance that brings as much as a debt."""
        per_unit = self.unit * Fraction(self.rules["weight_ppm"], MILLION)
        return ceil_div(debt * per_unit.denominator, per_unit.numerator)
