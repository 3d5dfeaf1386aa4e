"""One round of auto-deleveraging as a file tells it: who could be closed, how much must be, and at which price.

A JSON file is one object; a CSV file has the values of the round in lines ``# name = value`` before the header of its
candidates. Numbers are exact: whole, decimal or rational text, or JSON integers.
"""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from fractions import Fraction
from math import lcm
from pathlib import Path
from random import Random
from typing import Any, Final, Literal

from seawall.adl.measures import LabError, exact

__all__ = ["Candidate", "Round", "Units", "read_round", "synthetic_round"]

_INT_MAX: Final = 2**63 - 1
_ID_MAX: Final = 2**32 - 2
_CANDIDATES_MAX: Final = 1_000_000
_CHOICES: Final[dict[str, tuple[str, ...]]] = {"side": ("long", "short"), "price": ("bankruptcy", "mark")}
_VALUE: Final = re.compile(r"#\s*(\w+)\s*=\s*(.*?)\s*")


@dataclass(frozen=True)
class Candidate:
    """An account on the other side of the position to be closed. Money and prices are in one quote currency."""

    id: int
    """Number of the account, 0 to 4,294,967,294; ties go to the lower."""
    lots: int
    """Open lots, above zero."""
    entry: Fraction
    """Entry price."""
    equity: Fraction
    """Equity of the account at the mark."""
    maintenance: Fraction = Fraction(0)
    """Maintenance margin of the account; only mechanisms that rank by margin ratio ask for it."""
    other_delta: int = 0
    """Signed lots of the same risk that the account holds elsewhere; only the hedge-aware mechanism asks for it."""


@dataclass(frozen=True)
class Round:
    """One round on one contract."""

    side: Literal["long", "short"]
    """Side of the candidates: of the accounts to be deleveraged, opposite to the bankrupt position."""
    residual: int
    """Lots that must be closed."""
    mark: Fraction
    """Mark price."""
    bankruptcy: Fraction
    """Bankruptcy price of the position to be closed."""
    candidates: tuple[Candidate, ...]
    price: Literal["bankruptcy", "mark"] = "bankruptcy"
    """At which price positions are transferred."""
    band: Fraction | None = None
    """Widest distance of the transfer price from the mark, as a share of it; None for any."""
    contract: Fraction = Fraction(1)
    """Money per lot when the price moves by one."""
    name: str = "round"
    """What it is called in tables and pictures."""

    def __post_init__(self) -> None:
        """Refuse what is no round."""
        for name in ("residual", "mark", "bankruptcy", "contract"):
            if getattr(self, name) <= 0:
                raise LabError(f"{name}: {getattr(self, name)} is not above zero; give a positive number")
        if self.band is not None and not 0 <= self.band < 1:
            raise LabError(f'band: {self.band} is not a share from 0 to below 1; give one like "0.05", or leave it out')
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise LabError(f"{name}: {getattr(self, name)!r} is unknown; give {' or '.join(choices)}")
        if not self.candidates:
            raise LabError("candidates: there are none; give at least one account")
        if len(self.candidates) > _CANDIDATES_MAX:
            raise LabError(f"candidates: {len(self.candidates):,} are too many; give at most {_CANDIDATES_MAX:,}")
        places = [f"candidates[{place}]" for place in range(len(self.candidates))]
        for candidate, where in zip(self.candidates, places, strict=True):
            _check(candidate, where)
        _distinct(self.candidates, places)

    @property
    def sign(self) -> int:
        """1 if the candidates are long, -1 if they are short."""
        return 1 if self.side == "long" else -1

    def profit(self, candidate: Candidate) -> Fraction:
        """Return the unrealised profit of a candidate at the mark, negative for a loss."""
        return self.sign * candidate.lots * (self.mark - candidate.entry) * self.contract

    @property
    def deficit(self) -> Fraction:
        """What closing the residual at the bankruptcy price costs the other side against the mark; at least 0."""
        return max(Fraction(0), self.sign * self.residual * (self.mark - self.bankruptcy) * self.contract)

    def units(self) -> "Units":
        """Return the units in which every price and amount of the round is whole.

        Raises
        ------
        LabError
            If an amount does not fit in 63 bits at these units.
        """
        prices = [self.mark, self.bankruptcy, *(candidate.entry for candidate in self.candidates)]
        ticks = lcm(*(price.denominator for price in prices))
        amounts = [amount for c in self.candidates for amount in (c.equity, c.maintenance)]
        # A tick on one lot is whole too, and so is a cent.
        money = lcm(100, (self.contract / ticks).denominator, *(amount.denominator for amount in amounts))
        units = Units(ticks, money, int(self.contract * money / ticks))
        lots = max(self.residual, sum(candidate.lots for candidate in self.candidates))
        amount = max([max(prices) * lots * self.contract, *map(abs, amounts)]) * money
        if amount > _INT_MAX // 4:
            raise LabError(
                f"candidates: {lots:,} lots at up to {max(prices)} do not fit in 64 bits in units of 1/{money} of "
                "money; write prices and equities with fewer decimals, or in larger lots"
            )
        return units


@dataclass(frozen=True)
class Units:
    """What the engine counts in."""

    ticks: int
    """Ticks per one of price."""
    money: int
    """Minor units per one of money."""
    tick_value: int
    """Minor units per tick per lot."""


def _check(candidate: Candidate, where: str) -> None:
    if not 0 <= candidate.id <= _ID_MAX:
        raise LabError(f"{where}: id: {candidate.id} is no number of an account; give 0 to {_ID_MAX:,}")
    for name in ("lots", "entry"):
        if getattr(candidate, name) <= 0:
            raise LabError(f"{where}: {name}: {getattr(candidate, name)} is not above zero; give a positive number")
    if candidate.maintenance < 0:
        raise LabError(f"{where}: maintenance: {candidate.maintenance} is negative; give 0 or more")
    if max(candidate.lots, abs(candidate.other_delta)) > _INT_MAX // 4:
        raise LabError(f"{where}: {candidate.lots} lots, {candidate.other_delta} elsewhere; give fewer, larger lots")


def _distinct(candidates: Sequence[Candidate], places: Sequence[str]) -> None:
    first: dict[int, str] = {}
    for candidate, where in zip(candidates, places, strict=True):
        if (other := first.setdefault(candidate.id, where)) != where:
            raise LabError(f"{where}: id: {candidate.id} is that of {other} too; give each account its own")


def read_round(path: str | Path) -> Round:
    """Read a round from a JSON or CSV file, by the ending of its name.

    Parameters
    ----------
    path
        A file ending in ``.json`` or ``.csv``.

    Raises
    ------
    LabError
        If the file cannot be read or is no round; the message names the line or place, field, value and remedy.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from seawall import adl
    >>> text = '''# side = short
    ... # residual = 5
    ... # mark = 90
    ... # bankruptcy = 91.5
    ... id,lots,entry,equity
    ... 1,10,100,120.50
    ... 2,4,95,300
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "round.csv")
    ...     written = path.write_text(text)
    ...     one = adl.read_round(path)
    >>> one.side, one.residual, [int(one.profit(c)) for c in one.candidates], str(one.deficit)
    ('short', 5, [100, 20], '15/2')
    """
    path = Path(path)
    readers = {".json": _read_json, ".csv": _read_csv}
    if path.suffix.lower() not in readers:
        raise LabError(f"{path}: the name ends in neither .json nor .csv; rename the file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"{path}: cannot be read: {error}; give a .json or .csv file of one round") from None
    try:
        return readers[path.suffix.lower()](text, path.stem)
    except LabError as error:
        raise LabError(f"{path}: {error}") from None


def _read_json(text: str, name: str) -> Round:
    try:
        data = json.loads(text, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise LabError(f"is no JSON ({error}); give one object with {_names(Round)}") from None
    if not isinstance(data, dict) or not isinstance(data.get("candidates"), list):
        raise LabError(f"candidates: is no list; give one object with {_names(Round)}")
    rows = data["candidates"]
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            raise LabError(f"candidates[{place}]: {row!r} is no object; give {_names(Candidate)}")
    candidates = tuple(_candidate(row, f"candidates[{place}]") for place, row in enumerate(rows))
    return _round(data, candidates, name, {})


def _read_csv(text: str, name: str) -> Round:
    values: dict[str, object] = {}
    lines: dict[str, int] = {}
    rows: list[str] = []
    numbers: list[int] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        if not line.lstrip().startswith("#"):
            rows.append(line)
            numbers.append(number)
        elif match := _VALUE.fullmatch(line.strip()):
            if match[1] in values:
                raise LabError(f"line {number}: {match[1]} was given in line {lines[match[1]]}; give it once")
            values[match[1]], lines[match[1]] = match[2], number
    reader = csv.DictReader(rows, strict=True)
    candidates: list[Candidate] = []
    places: list[str] = []
    try:
        for row in reader:
            where = f"line {numbers[reader.line_num - 1]}"
            places.append(where)
            if None in row or None in row.values():
                raise LabError(
                    f"{where}: has not as many values as the header; give {', '.join(reader.fieldnames or ())}"
                )
            candidates.append(_candidate({key: value for key, value in row.items() if value != ""}, where))
    except csv.Error as error:
        raise LabError(f"line {numbers[reader.line_num - 1]}: {error}; write plain comma-separated values") from None
    _distinct(candidates, places)
    return _round(values | {"candidates": candidates}, tuple(candidates), name, lines)


def _round(data: Mapping[str, object], candidates: tuple[Candidate, ...], name: str, lines: Mapping[str, int]) -> Round:
    _known(Round, data, "")
    made: dict[str, Any] = {"candidates": candidates, "name": str(data.get("name", name))}
    for key in data.keys() - made.keys():
        where = f"line {lines[key]}: {key}" if key in lines else key
        if key in _CHOICES:
            made[key] = data[key]
        elif key == "residual":
            made[key] = _whole(data[key], where)
        elif data[key] is not None:
            made[key] = exact(data[key], where)
    return Round(**made)


def _candidate(row: Mapping[str, object], where: str) -> Candidate:
    _known(Candidate, row, f"{where}: ")
    made: dict[str, Any] = {}
    for field in fields(Candidate):
        if field.name in row:
            read = _whole if field.type is int else exact
            made[field.name] = read(row[field.name], f"{where}: {field.name}")
    candidate = Candidate(**made)
    _check(candidate, where)
    return candidate


def _known(kind: type[Round | Candidate], row: Mapping[str, object], where: str) -> None:
    known = {field.name: field.default is MISSING for field in fields(kind)}
    for name, needed in known.items():
        if needed and name not in row:
            raise LabError(f"{where}{name}: is missing; give {_names(kind)}")
    for name in row:
        if name not in known:
            raise LabError(f"{where}{name}: is unknown; give {_names(kind)}")


def _names(kind: type[Round | Candidate]) -> str:
    needed = [field.name for field in fields(kind) if field.default is MISSING]
    return f"{', '.join(needed)} (and, if wanted, {', '.join(f.name for f in fields(kind) if f.name not in needed)})"


def _whole(value: object, where: str) -> int:
    number = exact(value, where)
    if number.denominator != 1:
        raise LabError(f"{where}: {value} is not whole; give a whole number of lots")
    return number.numerator


def synthetic_round(accounts: int = 40, *, seed: int = 1) -> Round:
    """Return a made-up round, in which nothing is data: for trying mechanisms out and for examples.

    Shorts win on a fall of the mark from about 120 to 100. Sizes span three orders of magnitude, entries lie
    between 100.5 and 130, leverages between 0.2 and 25, every fourth account is hedged elsewhere in part or in whole.
    The residual is a fifth of all lots, bankrupt at 4 % above the mark.

    Parameters
    ----------
    accounts
        Number of candidates, from 1 up.
    seed
        Seed; the same one gives the same round everywhere, since only integers are drawn.

    Examples
    --------
    >>> from seawall import adl
    >>> one = adl.synthetic_round(3, seed=7)
    >>> one.name, one.side, [candidate.id for candidate in one.candidates]
    ('synthetic, seed 7', 'short', [0, 1, 2])
    """
    if accounts < 1:
        raise LabError(f"accounts: {accounts} is not above zero; give at least 1")
    random = Random(seed)  # noqa: S311 - a made-up round needs no secret
    candidates = []
    for number in range(accounts):
        lots = random.randint(1, 9) * 10 ** random.randint(0, 2)
        entry = Fraction(random.randint(1005, 1300), 10)
        leverage = Fraction(random.choice((2, 5, 10, 20, 30, 50, 80, 120, 250)), 10)
        equity = Fraction(round(100 * lots * 100 / leverage), 100)
        hedged = random.choice((0, 0, 0, 1)) * random.randint(1, 4)
        candidates.append(Candidate(number, lots, entry, equity, Fraction(lots, 2), other_delta=lots * hedged // 4))
    residual = max(1, sum(candidate.lots for candidate in candidates) // 5)
    return Round("short", residual, Fraction(100), Fraction(104), tuple(candidates), name=f"synthetic, seed {seed}")
