"""What a world reached: names for the states that its events show, and how often each must be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import adl, auction, breakers, funds, levels, limits, phases, plan, portfolio, settlement, waterfall
from . import orders as o
from . import venue as v
from .further import METHODS
from .rules import REFERENCES, WIDTHS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .orders import Config, Record

KINDS = {o.STOP: "stop", o.TAKE_PROFIT: "take_profit", o.TRAILING: "trailing"}
WATCHED = {o.LAST_TRADE: "last", o.THE_MARK: "mark", o.THE_INDEX: "index"}

REJECT_NAMES = {
    101: "TimeBackwards",
    102: "TimersPending",
    103: "UnknownCommand",
    201: "UnknownMarket",
    202: "UnknownAccount",
    203: "BadField",
    204: "PhaseRefuses",
    205: "NoMark",
    206: "QtyOutOfRange",
    207: "PriceOutOfRange",
    208: "InLiquidation",
    209: "NotReducing",
    210: "BookFull",
    211: "BandRefuses",
    212: "WouldTake",
    213: "NotFillable",
    214: "UnknownOrder",
    215: "NotYourOrder",
    216: "UnknownAsset",
    217: "UnknownFund",
    218: "PriceOffStep",
    219: "QtyOffStep",
    220: "NotionalOutOfRange",
    221: "OpenOrdersLimit",
    222: "DuplicateClientId",
    223: "TriggerBeyond",
    224: "ExpiryPast",
    225: "SourceCrossed",
    226: "SourceStale",
    227: "WithdrawalsGated",
    235: "UnknownRule",
    250: "AwaitingPlan",
    251: "NoPlanAwaited",
    252: "PlanTooLarge",
    253: "PlanNotCandidate",
    254: "PlanBeyondCap",
    301: "PositionLimit",
    302: "OpenInterestLimit",
    303: "MarginShort",
    304: "BalanceShort",
    305: "AmountOutOfRange",
    306: "AccountsFull",
    307: "MultiplierRefused",
}
FURTHER_REJECTS = (227, 250, 251, 252, 253, 254, 307)
"""Refusals that only worlds with further rules see."""
RULE_REJECTS = (235,)
"""Refusals that only worlds with breakers of every kind see."""

REFUSED_WHEN_FIRED = (v.NOT_REDUCING, v.WOULD_TAKE, v.NOT_FILLABLE, v.MARGIN_SHORT)
"""Refusals of fired orders that are counted one by one."""

INDEX_STATES = ("live", "degraded", "stale")
"""States of an index, by number."""

SLICES = ("share", "schedule", "tier", "restore", "ramp", "portfolio_share")
"""Policies of liquidation."""
LIMITS = ("bankruptcy", "none", "fillable", "dutch")
"""Limits of liquidation orders."""

STATES = (
    "fill",
    "partial_fill",
    "cancel",
    "cancel_rest",
    "cancel_liquidation",
    "cancel_breaker",
    "replace_kept",
    "replace_moved",
    "reduce_only",
    "capped_by_band",
    "rebate",
    "withdrawal",
    "margin_call",
    "call_cleared",
    "liquidation",
    "liquidation_without_position",
    "recovered",
    "closed",
    "bankrupt",
    "fund_paid",
    "fund_received",
    "fund_empty",
    "fund_backed_order",
    "fund_backed_fill",
    "take_over",
    "adl",
    "adl_remainder",
    "adl_queue",
    "adl_pro_rata",
    "adl_band_clip",
    "adl_at_mark",
    "adl_fund_paid",
    "socialised",
    "bad_debt",
    "collateral_sold",
    "breaker_trade",
    "breaker_mark",
    "breaker_by_liquidation",
    "halt",
    "auction_uncross",
    "uncross_surplus",
    "funding_paid",
    "funding_received",
    "timers_pending",
    "timer_phase",
    "block",
    "parked",
    # 4, 5: uncleared markets, mass cancels, names.
    "uncleared_fill",
    "uncleared_without_mark",
    "operator_cancel",
    "side_cancel",
    "session_cancel",
    "cancel_by_client_id",
    "replace_by_client_id",
    "client_id_reused",
    # 6.1, 6.3: flags and terms.
    "terms_used",
    "terms_taken_away",
    "terms_broken",
    "iceberg_rests",
    "iceberg_refreshed",
    "iceberg_refreshed_in_auction",
    "hidden_filled",
    "hidden_filled_in_auction",
    "reduce_only_rests",
    "reduce_only_cut",
    "reduce_only_whole",
    "reduce_only_in_auction",
    "fok_refused",
    "fok_filled",
    "minimum_refused",
    "minimum_filled",
    "slid",
    "slid_when_replaced",
    "slid_nowhere",
    "protection_ticks",
    "protection_ppm",
    "expired",
    "expired_waiting",
    "expired_day",
    "expiry_with_phase",
    "expiry_with_funding",
    # 6.2: shares.
    "pro_rata_shown",
    "pro_rata_hidden",
    "pro_rata_all_filled",
    "pro_rata_top",
    "pro_rata_lead",
    "pro_rata_fifo",
    "pro_rata_share",
    "pro_rata_below_minimum",
    "pro_rata_remainder",
    "pro_rata_again",
    "pro_rata_own_order",
    "pro_rata_liquidation",
    "liquidation_meets_reduce_only",
    "liquidation_meets_hidden",
    "liquidation_meets_iceberg",
    # 6.4: self-trades.
    "self_trade",
    "self_trade_newest",
    "self_trade_oldest",
    "self_trade_both",
    "self_trade_decrement",
    "self_trade_decrement_part",
    "self_trade_group",
    "self_trade_accounts_mode",
    # 6.5: waiting orders.
    *(f"fired:{kind}:{watched}" for kind in KINDS.values() for watched in WATCHED.values()),
    "trailing_moved_then_fired",
    "trigger_cascade",
    "trigger_left_over",
    "trigger_held_by_phase",
    "prices_observed_late",
    "armed_after_prices",
    "fired_rests",
    "fired_refused",
    *(f"fired_refused:{REJECT_NAMES[code]}" for code in REFUSED_WHEN_FIRED),
    "fired_accepted",
    "fired_slid",
    "cancelled_when_fired",
    # 6.6, 6.7.
    *(f"leg_by_{why}" for why in ("fill", "fire", "cancel", "expiry", "self_trade", "reduce_only", "requote")),
    "leg_of_incoming",
    "leg_in_auction",
    "requoted",
    "quote_kept",
    "quote_decreased",
    "quote_side_refused",
    # 6.8.
    "uncross_repeated",
    # 7.
    *(f"index_{state}" for state in INDEX_STATES),
    "stale_index_spares",
    "source_without_mark",
    "funding_capped",
    "funding_shared",
    *(f"rejected:{name}" for code, name in REJECT_NAMES.items() if code not in FURTHER_REJECTS + RULE_REJECTS),
)
"""Every state that plain worlds are asked for."""

WATERFALL_STATES = (
    *(f"slice_{policy}" for policy in SLICES),
    *(f"limit_{limit}" for limit in LIMITS),
    "assigned",
    "assignment_remainder",
    "settlement_planned",
    "settled",
    "liquidator_paid",
    "fund_capped",
    "drawdown_on",
    "drawdown_off",
    "debt_in_parts",
    "fees_paid",
    "claim_paid",
    "left_behind",
)
"""What only worlds with other waterfalls reach often: policies, limits, funds, shared losses."""

WATERFALL_LEAST = {
    **dict.fromkeys(WATERFALL_STATES, 0.005),
    **{name: 0.03 for name in WATERFALL_STATES if name.startswith(("slice_", "limit_"))},
    # A fund has to recover, or its window to pass, while a market goes on losing.
    "drawdown_off": 0.002,
}

LEAST = {
    **dict.fromkeys(STATES, 0.005),
    **dict.fromkeys(("breaker_by_liquidation", "rejected:AccountsFull", "rejected:AmountOutOfRange"), 0.002),
    **dict.fromkeys(("rejected:UnknownFund", "rejected:UnknownMarket", "rejected:UnknownAsset"), 0.002),
    **dict.fromkeys(("leg_of_incoming", "leg_in_auction", "uncross_repeated", "pro_rata_liquidation"), 0.002),
    **dict.fromkeys(("fired_slid", "fired_refused:WouldTake", "funding_capped", "funding_shared"), 0.002),
    "rejected:NoMark": 0.001,
    "liquidation": 0.85,
    "adl": 0.50,
}
"""Least share of the worlds for every state."""

LIMIT_NAMES = {
    limits.OF_POSITION: "position",
    limits.OF_NOTIONAL: "notional",
    limits.OF_FUND_LOSS: "fund_loss",
    limits.OF_ROUNDS: "rounds",
    limits.OF_ADL_ROUNDS: "adl_rounds",
    limits.OF_COOLDOWN: "cooldown",
}
"""What of a period is used up."""
INDICATED = {
    auction.CLEARS: "clears",
    auction.NOTHING: "nothing",
    auction.LEAVES: "leaves",
    auction.OUTSIDE: "outside",
}
"""What an auction would do."""
LEVEL_NAMES = {levels.CLOSE_OUT: "close_out", levels.BACKSTOP: "backstop"}
"""Levels below which an account is closed in another way."""

FURTHER_STATES = (
    "multiplier_set",
    *(f"limit_reached:{name}" for name in LIMIT_NAMES.values()),
    *("limit_holds_in_a_phase", "limit_does_not_hold_in_a_phase"),
    "debt_waits_for_period",
    "gate_closed",
    "socialised_by_equity",
    # 2.1: contracts.
    *(f"{kind}_{what}" for kind in ("inverse", "quanto") for what in ("fill", "liquidation", "adl", "funding")),
    "rest_left",
    "rest_rounded",
    # 8: ways of deleveraging.
    *(f"adl_{method}" for method in dict.fromkeys(METHODS)),
    "adl_size_band",
    "adl_exempt",
    "adl_next_band",
    "adl_carried",
    # 3: calls with deadlines, levels.
    "call_due",
    "call_cured_at_deadline",
    "called_anew",
    "liquidation_for_call",
    *(f"level_{name}" for name in LEVEL_NAMES.values()),
    "taken_over_whole",
    "cancel_margin",
    # 3.1: groups of markets.
    "margin_in_groups",
    "liquidation_of_group",
    "order_in_group",
    # 6.9: auctions.
    "market_order_joins",
    "market_order_priced",
    "market_order_left",
    "auction_shared_out",
    "auction_confined",
    "cancelled_beyond_collar",
    "call_goes_on",
    "offered",
    "offer_filled",
    *(f"indicative_{what}" for what in INDICATED.values()),
    # 8.7: plans.
    "plan_asked",
    "plan_carried_out",
    "plan_fallback",
    "plan_without_need",
    *(f"rejected:{REJECT_NAMES[code]}" for code in FURTHER_REJECTS),
)
"""What only worlds with further rules reach often."""

FURTHER_RARE = {
    *("adl_exempt", "adl_next_band", "adl_carried", "call_cured_at_deadline", "called_anew", "call_goes_on"),
    *("offer_filled", "indicative_nothing", "indicative_leaves", "indicative_outside"),
    *("rejected:NoPlanAwaited", "rejected:PlanNotCandidate", "rejected:PlanBeyondCap"),
}
"""Of these, what one world in a hundred does not reach: counted, and left to the golden stories."""

FURTHER_LEAST = {state: 0.0 if state in FURTHER_RARE else 0.005 for state in FURTHER_STATES}

RULE_STATES = (
    *(f"tripped_{what}" for what in breakers.TRIPPED_AT),
    *(f"reference_{kind}" for kind in REFERENCES),
    *(f"width_{kind}" for kind in WIDTHS),
    *(f"width_from_{kind}" for kind in ("deviation", "mark", "index")),
    # 9.3, 9.4.
    *(f"rule_{how}" for how in ("bound", "capped", "refused", "refused_whole", "stopped", "spared", "restarted")),
    *("thin_bids", "thin_asks", "depth_below_value", "depth_below_mean", "depth_at_least", "pending_at_most"),
    "bound_is_no_price",
    "cooling_off_caps",
    "tripping_order_rests",
    # 9.5, 9.6.
    *(f"rule_{how}" for how in ("dominated", "prolonged", "severer", "elsewhere", "by_command")),
    *(f"rule_set_{what}" for what in ("enabled", "width", "price")),
    *(f"rejected:{REJECT_NAMES[code]}" for code in RULE_REJECTS),
    # 9.7.
    *(f"limit_state_{how}" for how in ("over", "pauses", "closes")),
    "straddle",
    *(f"auction_{how}" for how in ("extended", "extended_by_collar", "trips_another")),
    "re_referenced",
    "anew_from_auction",
    "schedule_acted",
    "mark_stands",
    *("mark_by_auction", "mark_by_auction_and_mark"),
    "rates_meanwhile",
    "gated_by_rule",
    "rounds_held",
)
"""What only worlds with breakers of every kind reach often."""

RULE_RARE = {
    *("auction_extended_by_collar", "auction_trips_another", "re_referenced"),
    *("bound_is_no_price", "width_from_mark", "depth_at_least", "pending_at_most"),
}
"""Of these, what one world in a hundred does not reach."""

RULE_LEAST = {state: 0.001 if state in RULE_RARE else 0.005 for state in RULE_STATES}

BACKED = 1
"""Flag of a LiquidationOrder that the fund backs."""

ORDER_EVENTS = (
    v.ORDER_BOUNDED,
    v.ACCEPTED,
    v.TRIGGERED,
    v.CANCELLED,
    v.REPLACED,
    v.SHOWN,
    v.ARMED,
    v.FILL,
    waterfall.LIQUIDATION_ORDER,
)
"""Events that name an order by its id."""

_BY_KIND = {
    v.FILL: "fill",
    v.WITHDRAWN: "withdrawal",
    levels.MARGIN_CALLED: "margin_call",
    levels.MARGIN_CALL_CLEARED: "call_cleared",
    levels.LIQUIDATION_STARTED: "liquidation",
    waterfall.TAKEN_OVER: "take_over",
    waterfall.LIQUIDATOR_PAID: "liquidator_paid",
    waterfall.ASSIGNED: "assigned",
    waterfall.ASSIGNMENT_REMAINDER: "assignment_remainder",
    settlement.SETTLEMENT_PLANNED: "settlement_planned",
    settlement.SETTLED: "settled",
    funds.FUND_PAID: "fund_paid",
    funds.FUND_RECEIVED: "fund_received",
    funds.FUND_CAPPED: "fund_capped",
    funds.CLAIM_PAID: "claim_paid",
    waterfall.FEES_PAID: "fees_paid",
    waterfall.COLLATERAL_SOLD: "collateral_sold",
    adl.ADL_FILL: "adl",
    adl.ADL_REMAINDER: "adl_remainder",
    waterfall.SOCIALISED: "socialised",
    waterfall.BAD_DEBT: "bad_debt",
    auction.UNCROSSED: "auction_uncross",
    v.MULTIPLIER_SET: "multiplier_set",
    levels.MARGIN_CALL_DUE: "call_due",
    portfolio.MARGIN_MODE_SET: "margin_in_groups",
    limits.WITHDRAWALS_GATED: "gate_closed",
    plan.ADL_REQUESTED: "plan_asked",
}
_CANCELS = {
    v.BY_USER: "cancel",
    v.REST: "cancel_rest",
    v.BY_LIQUIDATION: "cancel_liquidation",
    v.BY_BREAKER: "cancel_breaker",
    v.EXPIRED: "expired",
    v.REQUOTED: "requoted",
    v.BY_OPERATOR: "operator_cancel",
    v.BY_MARGIN: "cancel_margin",
}
_ENDS = {waterfall.RECOVERED: "recovered", waterfall.CLOSED_OUT: "closed", waterfall.BANKRUPT: "bankrupt"}


class _Reached:
    """Names states while it goes through the events of a world."""

    def __init__(self, config: Config | None) -> None:
        self.config = config
        self.states: set[str] = set()
        self.open_qty: dict[int, int] = {}
        self.armed: dict[int, Record] = {}
        nothing = dict.fromkeys(v.FIELDS, 0)
        self.last: Record = nothing
        self.last_liquidation: Record = nothing

    def look(self, event: Record) -> None:
        """Look at the next event."""
        kind = event["kind"]
        if kind in _BY_KIND:
            self.states.add(_BY_KIND[kind])
        self.look_at_further(event)
        if kind in ORDER_EVENTS:
            self.look_at_order(event)
        elif levels.LIQUIDATION_STARTED <= kind <= funds.CLAIM_PAID:
            self.look_at_waterfall(event)
        else:
            self.look_at_market(event)
        self.last = event

    def look_at_further(self, event: Record) -> None:
        """Look at an event that only further rules bring."""
        kind = event["kind"]
        if kind == limits.LIMIT_REACHED:
            self.states.add(f"limit_reached:{LIMIT_NAMES[event['code']]}")
        elif kind == levels.LEVEL_REACHED:
            self.states.add(f"level_{LEVEL_NAMES[event['code']]}")
        elif kind == levels.LIQUIDATION_STARTED and event["flags"] & levels.FOR_CALL:
            self.states.add("liquidation_for_call")
        elif kind == auction.INDICATIVE:
            self.states.add(f"indicative_{INDICATED[event['code']]}")
        elif kind == plan.ADL_PLANNED:
            self.states.add("plan_fallback" if event["code"] else "plan_carried_out")
        elif kind == waterfall.TAKEN_OVER and self.last["kind"] == levels.LEVEL_REACHED:
            self.states.add("taken_over_whole")
        elif kind == waterfall.SOCIALISED and self.config is not None:
            if self.config["last_resort"] == "socialise_equity":
                self.states.add("socialised_by_equity")
        elif kind == adl.ADL_FILL:
            self.look_at_contract(event, "adl")

    def look_at_order(self, event: Record) -> None:
        """Look at an event of an order."""
        kind, order = event["kind"], event["order"] >> o.SLOT_BITS
        if kind == v.CANCELLED:
            self.look_at_cancel(event)
        elif kind == v.FILL:
            self.look_at_fill(event)
        elif kind == v.ARMED:
            self.armed[order] = event
        elif kind == v.TRIGGERED:
            armed = self.armed[order]
            self.states.add(f"fired:{KINDS[armed['code']]}:{WATCHED[armed['flags']]}")
        elif kind != v.SHOWN:
            self.open_qty[order] = event["qty"]
        if kind == v.ACCEPTED and event["flags"] & o.REDUCE_ONLY:
            self.states.add("reduce_only")
        if kind == v.ACCEPTED and order in self.armed:
            self.states.add("fired_accepted")
        elif kind == v.REPLACED and event["flags"] != auction.PRICED:
            self.states.add("replace_kept" if event["flags"] else "replace_moved")
        elif kind == waterfall.LIQUIDATION_ORDER:
            self.last_liquidation = event
            self.look_at_contract(event, "liquidation")
            if event["flags"] == BACKED:
                self.states.add("fund_backed_order")
            if self.config is not None:
                rules = self.config["markets"][event["market"]]["liquidation"]
                self.states.add(f"slice_{rules.get('policy', {'type': 'share'})['type']}")
                self.states.add(f"limit_{rules.get('limit', {'type': 'bankruptcy'})['type']}")

    def look_at_cancel(self, event: Record) -> None:
        """Look at open quantity that is removed."""
        order = event["order"] >> o.SLOT_BITS
        self.open_qty[order] -= event["qty"]
        if event["code"] in _CANCELS:
            self.states.add(_CANCELS[event["code"]])
        elif event["code"] == v.REFUSED_WHEN_FIRED:
            self.states.add("fired_refused")
            if event["amount"] in REFUSED_WHEN_FIRED:
                self.states.add(f"fired_refused:{REJECT_NAMES[event['amount']]}")
        elif event["code"] == v.BY_REDUCE_ONLY:
            self.states.add("reduce_only_cut" if self.open_qty[order] > 0 else "reduce_only_whole")

    def look_at_fill(self, event: Record) -> None:
        """Look at one side of a fill."""
        if event["amount"] < 0:
            self.states.add("rebate")
        if event["flags"] & v.BLOCK_TRADE:
            self.states.add("block")
            return
        order = event["order"] >> o.SLOT_BITS
        self.open_qty[order] -= event["qty"]
        if self.open_qty[order] > 0:
            self.states.add("partial_fill")
        if self.config is not None and not self.config["markets"][event["market"]].get("cleared", True):
            self.states.add("uncleared_fill")
        self.look_at_contract(event, "fill")
        if event["flags"] & v.LIQUIDATION and self.last_liquidation["flags"] == BACKED:
            self.states.add("fund_backed_fill")

    def look_at_contract(self, event: Record, what: str) -> None:
        """Look at something that happens in a market whose contract may be another than linear."""
        if self.config is not None:
            contract = self.config["markets"][event["market"]].get("contract", {"type": "linear"})
            if contract["type"] != "linear":
                self.states.add(f"{contract['type']}_{what}")

    def look_at_market(self, event: Record) -> None:
        """Look at an event of a market, or at a refusal."""
        kind = event["kind"]
        if kind == v.REJECTED:
            self.states.add(f"rejected:{REJECT_NAMES[event['code']]}")
            if event["code"] == v.TIMERS_PENDING:
                self.states.add("timers_pending")
        elif kind == v.PHASE_CHANGED and event["code"] == phases.HALTED:
            self.states.add("halt")
        elif kind == v.BREAKER_TRIPPED:
            at = breakers.TRIPPED_AT[event["flags"]]
            self.states |= {f"breaker_{at}"} if at in ("trade", "mark") else set()
            by_fill = self.last["kind"] == v.FILL and bool(self.last["flags"] & v.LIQUIDATION)
            if by_fill or self.last["kind"] == waterfall.LIQUIDATION_ORDER:
                self.states.add("breaker_by_liquidation")
        elif kind == auction.UNCROSSED and event["amount"] != 0:
            self.states.add("uncross_surplus")
        elif kind == v.INDEX_STATE:
            self.states.add(f"index_{INDEX_STATES[event['code']]}")
        elif kind == v.FUNDING_PAID:
            self.states.add("funding_paid" if event["amount"] > 0 else "funding_received")
            self.look_at_contract(event, "funding")

    def look_at_waterfall(self, event: Record) -> None:
        """Look at an event of a liquidation."""
        kind = event["kind"]
        if kind == levels.LIQUIDATION_STARTED and event["qty"] == 0:
            self.states.add("liquidation_without_position")
        elif kind == waterfall.LIQUIDATION_ENDED:
            self.states.add(_ENDS[event["code"]])
        elif kind == waterfall.SOCIALISED and event["market"] == v.NO_MARKET:
            self.states.add("left_behind")
        elif kind in (waterfall.SOCIALISED, waterfall.BAD_DEBT):
            # Others are asked only when the fund has paid all that it had.
            self.states.add("fund_empty")
        elif kind == funds.DRAWDOWN_CHANGED:
            self.states.add("drawdown_on" if event["flags"] else "drawdown_off")
        elif kind == funds.FUND_PAID and self.last["kind"] == adl.ADL_FILL:
            self.states.add("adl_fund_paid")
        elif self.config is not None and kind in (adl.ADL_STARTED, adl.ADL_FILL, adl.ADL_HAIRCUT):
            terms = self.config["markets"][event["market"]]["adl"]
            if kind != adl.ADL_STARTED:
                self.states.add(f"adl_{terms.get('plan_fallback', terms['method'])}")
            elif terms["price"] == "mark":
                self.states.add("adl_at_mark")
            elif event["price"] != self.last_liquidation["amount"]:
                self.states.add("adl_band_clip")


def reached(events: Iterable[Record], config: Config | None = None) -> set[str]:
    """Name the states that a world's events show.

    Parameters
    ----------
    events
        The events of the world, in order.
    config
        Its configuration, which tells the kinds of deleveraging apart.
    """
    seen = _Reached(config)
    for event in events:
        seen.look(event)
    return seen.states
