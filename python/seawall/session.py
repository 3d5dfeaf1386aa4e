"""Sessions: a venue that runs until a trigger fires, and a policy that acts then."""

import json
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from seawall import _core
from seawall.commands import Records, plan_fallback
from seawall.errors import PolicyError
from seawall.policy import PLAN_AWAITED, Answer, Asked, Fired, Policy, Trigger, fired_of, rows
from seawall.protocol import Source
from seawall.venue import JournalWriter, Venue

__all__ = ["Ran", "Session"]


class Ran(NamedTuple):
    """What a run came to."""

    events: Records
    """All events, array of dtype ``EVENT``."""
    done: int
    """Number of commands of the batch that were applied."""
    fired: list[Fired]
    """Why it stopped: what fired at the end of the last step. Empty if all commands were applied or a policy acts."""


class Session:
    """A venue under a policy.

    The triggers are looked at after every step, in Rust and with the interpreter released. When one fires the policy is
    asked, and its commands are applied next, at the same time stamp and with source ``POLICY``. If several fire at one
    step, the policy is asked about each in order, the venue as its last answer left it.

    If the policy raises, the error reaches the caller, and the venue stands between two commands as if it had not been
    asked: `done` says how many commands of the batch were applied, `take_events` gives their events, and a further
    `run` goes on with the rest.

    Parameters
    ----------
    venue
        The venue. Send its commands through the session, which sees no others.
    policy
        A `Policy`, or a function like its ``on_trigger``. Without one `run` stops where a trigger fires.
    triggers
        When the policy is asked; its own ``triggers`` if left out.
    journal
        Writes down every command directly after it was applied, those of the policy with their source.

    Raises
    ------
    CommandError
        If a trigger does not fit the venue; names it and its field.
    PolicyError
        If the policy is none.

    Examples
    --------
    >>> from seawall import Phase, Session, Trigger, Venue, commands
    >>> def pause(view, fired):
    ...     return commands.set_phase(at=view.now, market=fired.market, phase=Phase.PAUSE)
    >>> session = Session(Venue("reference"), policy=pause, triggers=[Trigger.price_move(ppm=100_000, window_ns=10**9)])
    >>> ran = session.run(commands.index(at=[1, 2, 3], market=0, price=[600_000, 500_000, 490_000]))
    >>> Phase(ran.events["code"][ran.events["kind"] == 110][0]).name, ran.done
    ('PAUSE', 3)
    """

    __slots__ = ("_asked", "_core", "_journal", "_triggers", "venue")

    venue: Venue
    """The venue."""

    def __init__(
        self,
        venue: Venue,
        *,
        policy: Policy | Answer | None = None,
        triggers: Sequence[Trigger] | None = None,
        journal: JournalWriter | None = None,
    ) -> None:
        self.venue = venue
        self._asked = None if policy is None else Asked(policy, triggers, venue)
        self._triggers = tuple(triggers or ()) if self._asked is None else self._asked.triggers
        made = rows(self._triggers, venue) if self._asked is None else self._asked.rows
        self._core = _core.Session(venue._core, json.dumps(made))  # noqa: SLF001 - the same package
        self._journal = journal

    def run(self, commands: Records, *, progress: Callable[[int, int], object] | None = None) -> Ran:
        """Apply commands; with a policy all of them, without one until a trigger fires.

        Parameters
        ----------
        commands
            Array of dtype ``COMMAND``.
        progress
            Called now and then with the number of commands applied and of all.

        Returns
        -------
        Ran
            The events, how many commands were applied, and what fired.

        Raises
        ------
        CommandError
            If the argument does not hold records. Nothing is applied then.
        PolicyError
            If the policy's answer cannot be used, or it is asked again and again because of its own commands.
        Exception
            Whatever the policy raises.
        """
        start = 0
        while True:
            try:
                fired = [fired_of(self._triggers, firing) for firing in self._core.run(commands, start, progress)]
            finally:
                if self._core.done > start:
                    self._write(commands[start : self._core.done])
            start = self._core.done
            if not fired:
                return Ran(self.take_events(), start, [])
            if self._asked is None:
                return Ran(self.take_events(), start, fired)
            self._consult(self._asked, deque(fired))

    @property
    def done(self) -> int:
        """Number of commands of the last batch that were applied."""
        return self._core.done

    def take_events(self) -> Records:
        """Return the events that no `run` has returned: those before a policy raised."""
        return self._core.take_events()

    def _consult(self, asked: Asked, due: deque[Fired]) -> None:
        while due:
            fired = due.popleft()
            try:
                answer = asked.ask(self.venue, fired)
                due.extend(self._act(answer))
                if self.venue._core.plan_awaited() == (fired.market, fired.value):  # noqa: SLF001 - the same package
                    raise PolicyError(f"policy: its plan of round {fired.value} was refused; see the Rejected events")
            except BaseException:
                if fired.trigger is PLAN_AWAITED:
                    self._act(plan_fallback(at=fired.at, market=fired.market, round=fired.value))
                raise

    def _act(self, answer: Records) -> list[Fired]:
        """Apply commands of the policy; what they fire."""
        if not len(answer):
            return []
        answer = answer.copy()
        answer["at"], answer["source"] = self.venue.now, Source.POLICY
        fired = [fired_of(self._triggers, firing) for firing in self._core.act(answer)]
        self._write(answer)
        return fired

    def _write(self, commands: Records) -> None:
        if self._journal is not None:
            self._journal.write(commands)
