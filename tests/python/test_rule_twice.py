"""The same rule as data and in Python: the same events, as long as both act at the same place."""

import runpy
from pathlib import Path

import numpy as np

import seawall
from seawall import MINUTE, EventKind, Fired, Phase, Policy, Source, Trigger, View, commands
from seawall.commands import Records

EXAMPLE = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "rule_twice.py"))
ACTED = (EventKind.BREAKER_TRIPPED, EventKind.PHASE_CHANGED)


def test_a_rule_that_counts_has_the_same_events_as_data_and_in_python(tmp_path: Path) -> None:
    def events_of(active: str, policy: Policy | None) -> Records:
        run = seawall.replay(
            "oct10-2025",
            accounts=5000,
            set=[EXAMPLE["RULE"] % active],
            policy=policy,
            events="all",
            save=tmp_path / active,
        )
        assert run.conservation["ok"]
        # Neither of them is needed to repeat it.
        assert seawall.load_run(tmp_path / active).repeat().digest == run.digest
        return run.events.records

    data, python = events_of("true", None), events_of("false", EXAMPLE["Pressure"]())
    trips = data[data["kind"] == EventKind.BREAKER_TRIPPED]
    assert len(trips) >= 10
    assert set(trips["market"]) == {0, 1}
    # What must differ is who commanded it, and nothing else does.
    commanded = python["source"] == Source.POLICY
    assert (data["source"] != python["source"]).tolist() == commanded.tolist()
    assert (python["kind"][commanded] == np.tile(ACTED, len(trips))).all()
    masked = python.copy()
    masked["source"] = data["source"]
    assert masked.tobytes() == data.tobytes()


PRICE = (
    'venue.breakers=[{name = "fast", active = %s, markets = ["BTC", "ETH"], inclusive = false, '
    'ranges = [{reference = {type = "window", prices = "mark", window = "5m"}, '
    'width = {type = "share", share = "0.05"}}], '
    'test = {type = "mark"}, action = {type = "interrupt", phase = "guarded"}, exit = {after = "2m"}, '
    "rearm = {restart = true}}]"
)


class Fast(Policy):
    triggers = (Trigger.price_move(ppm=50_000, window_ns=5 * MINUTE),)

    def on_trigger(self, view: View, fired: Fired) -> Records:
        return commands.interrupt(
            at=view.now,
            market=fired.market,
            rule=0,
            phase=Phase.GUARDED,
            end=view.now + 2 * MINUTE,
            price=fired.value,
            reference=fired.reference,
            below=fired.value < fired.reference,
        )


def test_a_rule_on_marks_trips_alike_where_nobody_is_liquidated() -> None:
    """A rule as data is asked before the mark is made, a policy after the step.

    Without liquidations nothing else of the step looks at the phase, so the trips are the same and so is all the rest;
    only their order in the step differs.
    """

    def parts(active: str, policy: Policy | None) -> tuple[Records, Records]:
        run = seawall.replay(
            "oct10-2025", accounts=2000, liquidations=False, set=[PRICE % active], policy=policy, events="all"
        )
        events = run.events.records.copy()
        # A trigger does not know the bound on the other side.
        events["order"][events["kind"] == EventKind.BREAKER_TRIPPED] = 0
        events["account"][events["kind"] == EventKind.BREAKER_TRIPPED] = 0
        events["seq"] = 0
        acted = np.isin(events["kind"], ACTED)
        events["source"][acted] = 0
        return events[acted], events[~acted]

    data, python = parts("true", None), parts("false", Fast())
    assert (data[0]["kind"] == EventKind.BREAKER_TRIPPED).sum() >= 4
    assert data[0].tobytes() == python[0].tobytes()
    assert data[1].tobytes() == python[1].tobytes()
