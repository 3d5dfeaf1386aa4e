"""Policies: rules of a venue written in Python, asked between two steps and acting by commands.

A policy says when it wants to be asked (`Trigger`) and answers with commands. The triggers are looked at in Rust, with
the interpreter released; nothing of Python runs inside a step. What a policy answers is journaled with source
``POLICY``, so a replay of the journal needs no Python. See docs/policies.md.
"""

import importlib.util
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seawall.commands import Records, batch, plan, plan_fallback
from seawall.errors import CommandError, PolicyError
from seawall.protocol import COMMAND, NO_MARKET
from seawall.table import Table
from seawall.venue import View

__all__ = ["MINUTE", "SECOND", "AdlRound", "Answer", "Fired", "Policy", "Trigger", "load_policy"]

SECOND = 10**9
"""Nanoseconds of a second."""

MINUTE = 60 * SECOND
"""Nanoseconds of a minute."""

Market: TypeAlias = int | str | None
"""Number of a market, its name where the venue was made from a profile, or None for any market, each by itself."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Trigger:
    """When a policy is asked; made by the methods that are named for what they watch.

    Times are nanoseconds, amounts minor units of the valuation asset. A window of length w at time t holds what
    happened after t - w. Once a trigger has fired, its window begins anew.

    Examples
    --------
    >>> Trigger.price_move(ppm=50_000, window_ns=60 * SECOND, market="BTC").kind
    'price_move'
    """

    kind: str
    """What is watched."""
    market: Market = None
    price: Literal["last", "mark", "index"] | None = None
    ppm: int | None = None
    count: int | None = None
    amount: int | None = None
    fund: int | None = None
    ns: int | None = None
    window_ns: int | None = None

    def __repr__(self) -> str:
        """Return what was given."""
        given = {field.name: getattr(self, field.name) for field in fields(self)[1:]}
        facts = ", ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)
        return f"Trigger.{self.kind}({facts})"

    @classmethod
    def price_move(
        cls, *, ppm: int, window_ns: int, market: Market = None, price: Literal["last", "mark", "index"] = "mark"
    ) -> "Trigger":
        """Fire when a price is at least ``ppm`` below the highest or above the lowest that stood within the window."""
        return cls(kind="price_move", ppm=ppm, window_ns=window_ns, market=market, price=price)

    @classmethod
    def liquidations(cls, *, count: int, window_ns: int) -> "Trigger":
        """Fire when so many accounts joined the liquidation queue within the window."""
        return cls(kind="liquidations", count=count, window_ns=window_ns)

    @classmethod
    def liquidation_orders(cls, *, count: int, window_ns: int, market: Market = None) -> "Trigger":
        """Fire when so many liquidation orders were sent within the window."""
        return cls(kind="liquidation_orders", count=count, window_ns=window_ns, market=market)

    @classmethod
    def liquidated_notional(cls, *, amount: int, window_ns: int, market: Market = None) -> "Trigger":
        """Fire when liquidation orders and take-overs closed so much within the window, each side counted once."""
        return cls(kind="liquidated_notional", amount=amount, window_ns=window_ns, market=market)

    @classmethod
    def adl_closes(cls, *, count: int, window_ns: int, market: Market = None) -> "Trigger":
        """Fire when so many winners were closed, or gave up profit, within the window."""
        return cls(kind="adl_closes", count=count, window_ns=window_ns, market=market)

    @classmethod
    def fund_below(cls, *, amount: int, fund: int = 0) -> "Trigger":
        """Fire when a fund is below an amount and was not before."""
        return cls(kind="fund_below", amount=amount, fund=fund)

    @classmethod
    def fund_fell(cls, *, amount: int, window_ns: int, fund: int = 0) -> "Trigger":
        """Fire when a fund is at least so much below its highest balance within the window."""
        return cls(kind="fund_fell", amount=amount, window_ns=window_ns, fund=fund)

    @classmethod
    def every(cls, ns: int) -> "Trigger":
        """Fire at the first step at or after each whole multiple of a length of time since the epoch."""
        return cls(kind="every", ns=ns)

    @classmethod
    def pulse_pending(cls) -> "Trigger":
        """Fire after each Index, Source or Pulse that leaves accounts in the queue, or a settlement under way."""
        return cls(kind="pulse_pending")

    @classmethod
    def phase_changed(cls, *, market: Market = None) -> "Trigger":
        """Fire when a market entered a phase, unless a policy's command did it."""
        return cls(kind="phase_changed", market=market)

    @classmethod
    def breaker_tripped(cls, *, market: Market = None) -> "Trigger":
        """Fire when a breaker acted, unless a policy's command made it."""
        return cls(kind="breaker_tripped", market=market)

    def _row(self, view: View, number: int) -> dict[str, Any]:
        """Return what the core reads, with the market's number."""
        row: dict[str, Any] = {"kind": self.kind}
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value is None:
                continue
            where = f"triggers[{number}].{field.name}"
            if field.name == "market":
                try:
                    value = view._market(value)  # noqa: SLF001 - the same package
                except CommandError as error:
                    raise CommandError(f"triggers[{number}].{error}") from None
            elif field.name != "price":
                try:
                    value = operator.index(value)
                except TypeError:
                    raise CommandError(f"{where}: {value!r}: must be a whole number") from None
            row[field.name] = value
        return row


PLAN_AWAITED = Trigger(kind="adl_requested")
"""Why a policy is asked for a plan; no policy has to ask for it."""


class AdlRound(NamedTuple):
    """A round of auto-deleveraging that waits for a plan."""

    round: int
    """Number of the request, from 1."""
    market: int
    """Number of the market."""
    account: int
    """The liquidated account."""
    winner: int
    """Side of the winners' positions (`Side`)."""
    lots: int
    """Lots that a plan may close at most."""
    price: int
    """Transfer price, in ticks."""
    mark: int
    """The mark, in ticks."""
    candidates: Table
    """Who may be closed, by account: ``account``, ``lots``, ``cap`` (lots that may be closed of it: no close may put it
    into debt), ``cost``, ``notional``, ``profit``, ``equity`` (minor units)."""

    def queue(self, score: ArrayLike) -> NDArray[np.int64]:
        """Return the plan of a queue: the highest score first, ties to the lower account.

        Parameters
        ----------
        score
            One number per candidate.

        Raises
        ------
        PolicyError
            If there is not one finite number per candidate.
        """
        scores = np.asarray(score)
        caps = self.candidates["cap"]
        if scores.shape != caps.shape or scores.dtype.kind not in "iuf" or not np.isfinite(scores).all():
            raise PolicyError(f"score: must be {len(caps)} finite numbers, one per candidate, got {scores!r}")
        order = np.argsort(scores[::-1], kind="stable")[::-1]
        ranked = len(caps) - 1 - order
        lots = np.zeros(len(caps), dtype=np.int64)
        before = np.concatenate([[0], np.cumsum(caps[ranked])[:-1]])
        lots[ranked] = np.clip(self.lots - before, 0, caps[ranked])
        return lots


class Fired(NamedTuple):
    """A trigger that fired, and what it saw."""

    trigger: Trigger
    """The trigger, as it was given."""
    market: int
    """Number of the market; ``NO_MARKET`` where none is meant."""
    at: int
    """Time of the step, in nanoseconds."""
    seq: int
    """Number of the step's last event."""
    value: int
    """What was seen: a price in ticks, a count, an amount, a time, accounts that wait, a phase, a rule's number."""
    reference: int
    """What it was held against: the extreme that the price left, the bound, the time that was due, the phase before,
    the price that tripped."""


Answer: TypeAlias = Callable[[View, Fired], Records | Iterable[Records] | None]
"""A function that does what `Policy.on_trigger` does."""


class Policy:
    """A rule of a venue in Python: subclass it, say when to be asked, and answer with commands.

    Examples
    --------
    >>> from seawall import Phase, commands
    >>> class Pause(Policy):
    ...     triggers = (Trigger.price_move(ppm=100_000, window_ns=MINUTE),)
    ...
    ...     def on_trigger(self, view, fired):
    ...         until = view.now + 5 * MINUTE
    ...         return commands.set_phase(at=view.now, market=fired.market, phase=Phase.PAUSE, until=until)
    """

    triggers: Sequence[Trigger] = ()
    """When it is asked."""

    def on_trigger(self, view: View, fired: Fired) -> Records | Iterable[Records] | None:
        """Return the commands to apply next, or None.

        They are applied at the time of the step, with source ``POLICY``: what ``at`` and ``source`` say is not read.
        The venue may refuse them like any other command.

        Parameters
        ----------
        view
            The venue as it stands after the step, for the time of this call; its tables are numpy columns.
        fired
            Which trigger fired and what it saw.
        """
        name, why, at = type(self).__name__, fired.trigger.kind, view.now
        raise PolicyError(f"policy {name}: has no on_trigger, and {why} fired at {at}; write one, or drop its triggers")

    def adl_plan(self, asked: AdlRound) -> ArrayLike | Mapping[int, int] | None:  # noqa: ARG002 - for those who plan
        """Return how many lots of each candidate are closed, or None for the market's fallback.

        Asked for markets whose ``adl.method`` is ``external``. The plan is checked as a whole before a lot moves. If
        it raises, or the plan cannot be carried out, the venue uses the fallback and the error reaches the caller.

        Parameters
        ----------
        asked
            The round.

        Returns
        -------
        ArrayLike or Mapping or None
            One integer per candidate, in their order, or lots by account. `AdlRound.queue` makes one out of a score.
        """
        return None


class Asked:
    """Asks a policy about what fired: its answer checked as a whole, its errors told where they came from."""

    def __init__(self, policy: Policy | Answer, triggers: Sequence[Trigger] | None, view: View) -> None:
        act: Answer | None = getattr(policy, "on_trigger", None)
        if act is None and not callable(policy):
            raise PolicyError(f"policy: {policy!r} has no on_trigger and is no function; subclass seawall.Policy")
        self.name = type(policy).__name__ if act is not None else getattr(policy, "__name__", repr(policy))
        self._act: Answer = policy if act is None else act  # type: ignore[assignment] # it is callable
        self._plan = getattr(policy, "adl_plan", lambda _: None)
        self.triggers = tuple(getattr(policy, "triggers", ()) if triggers is None else triggers)
        self.rows = rows(self.triggers, view)
        self._markets = view.markets().height
        self.moments: list[Fired] = []

    def fired(self, firing: tuple[int, int, int, int, int, int]) -> Fired:
        """Return what the core says of a trigger with the trigger itself."""
        return fired_of(self.triggers, firing)

    def ask(self, view: View, fired: Fired) -> Records:
        """Return the policy's commands.

        Raises
        ------
        PolicyError
            If the answer holds no commands, or one of them names a market that is not there.
        Exception
            Whatever the policy raises, with a note on when it was asked.
        """
        self.moments.append(fired)
        lent = View._of(view._core, view.profile)  # noqa: SLF001 - the same package
        try:
            if fired.trigger is PLAN_AWAITED:
                return self._planned(lent, fired)
            return self._checked(self._act(lent, fired))
        except Exception as error:
            error.add_note(
                f"seawall: policy {self.name} was asked after event {fired.seq} at {np.datetime64(fired.at, 'ns')} "
                f"because of {fired.trigger.kind}; the venue stands at that command, as if it had not been asked"
            )
            raise
        finally:
            lent._core = _Over()  # type: ignore[assignment] # noqa: SLF001 - nobody may look any more

    def _planned(self, view: View, fired: Fired) -> Records:
        """Return the commands of the policy's plan."""
        where = {"at": fired.at, "market": fired.market, "round": fired.value}
        asked = view.adl_round()
        if asked is None:
            return plan(**where, account=[], lots=[])
        answer = self._plan(asked)
        if answer is None:
            return plan_fallback(**where)
        accounts, lots = self._lots(asked, answer)
        return plan(**where, account=accounts, lots=lots)

    def _lots(
        self, asked: AdlRound, answer: ArrayLike | Mapping[int, int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of a plan that the venue will take."""
        where = f"policy {self.name}: plan of round {asked.round}"
        known = asked.candidates["account"]
        lots = np.zeros(len(known), dtype=np.int64)
        if isinstance(answer, Mapping):
            place = {int(account): row for row, account in enumerate(known)}
            for account, value in answer.items():
                if account not in place:
                    raise PolicyError(f"{where}: account {account!r} is no candidate")
                if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
                    raise PolicyError(f"{where}: account {account}: {value!r}: must be whole lots")
                lots[place[account]] = value
        else:
            given = np.asarray(answer)
            if given.dtype.kind not in "iu" or given.shape != known.shape:
                why = f"must be {len(known)} whole numbers of lots, one per candidate"
                raise PolicyError(f"{where}: {why}, got {given!r}")
            lots[:] = given
        caps = asked.candidates["cap"]
        for row in np.flatnonzero((lots < 0) | (lots > caps))[:1]:
            raise PolicyError(f"{where}: account {known[row]}: {lots[row]} lots: must be 0 to {caps[row]}")
        if int(lots.sum()) > asked.lots:
            raise PolicyError(f"{where}: closes {lots.sum()} lots: must be at most {asked.lots}")
        chosen = lots > 0
        return known[chosen], lots[chosen]

    def _checked(self, answer: Records | Iterable[Records] | None) -> Records:
        if answer is None:
            return np.zeros(0, dtype=COMMAND)
        try:
            records = batch(*([answer] if isinstance(answer, np.ndarray) else answer))
        except (CommandError, TypeError) as error:
            raise PolicyError(f"policy {self.name}: answered no commands: {error}") from error
        for number, market in enumerate(records["market"].tolist()):
            if market not in range(self._markets) and market != NO_MARKET:
                raise PolicyError(f"policy {self.name}: commands[{number}].market: {market} is not there")
        return records


class _Over:
    """What a view is after its call."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - it never returns
        raise PolicyError("view: it is for the time of on_trigger only; keep copies of what you need")


def rows(triggers: Sequence[Trigger], view: View) -> list[dict[str, Any]]:
    """Return triggers as the core reads them.

    Raises
    ------
    CommandError
        If one is none, or does not fit the venue.
    """
    for number, trigger in enumerate(triggers):
        if not isinstance(trigger, Trigger):
            raise CommandError(f"triggers[{number}]: {trigger!r} is no Trigger; make it with seawall.Trigger")
    return [trigger._row(view, number) for number, trigger in enumerate(triggers)]  # noqa: SLF001 - its own module


def fired_of(triggers: Sequence[Trigger], firing: tuple[int, int, int, int, int, int]) -> Fired:
    """Return what the core says of a trigger with the trigger itself."""
    number, *facts = firing
    return Fired(triggers[number] if number < len(triggers) else PLAN_AWAITED, *facts)


def load_policy(where: str) -> Policy | Answer:
    """Return a policy of a Python file.

    Parameters
    ----------
    where
        ``file.py:Name``: a class without arguments, an object, or a function. The file is run.

    Raises
    ------
    PolicyError
        If there is no such file or name.
    """
    file, colon, name = where.rpartition(":")
    path = Path(file)
    if not colon or not name or not path.is_file():
        raise PolicyError(f"policy: {where}: there is no such file; write file.py:Name")
    spec = importlib.util.spec_from_file_location(f"seawall_policy_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise PolicyError(f"policy: {path} is no Python file; write file.py:Name")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    policy = getattr(module, name, None)
    if policy is None:
        raise PolicyError(f"policy: {path} has no {name}")
    return policy() if isinstance(policy, type) else policy  # type: ignore[no-any-return] # `Asked` checks it
