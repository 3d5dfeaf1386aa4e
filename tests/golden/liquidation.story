# Liquidation by policy: sizes of slices, limits, fees. In each, Alice holds 10 lots from 100 with 100 of her own: at a mark p she has
# 10 p - 900 and needs 5 % of 10 p, rounded up.

story a schedule closes whole lots, and everything during the cooldown
# At 93: equity 30, maintenance 47, bankruptcy price 90. A fifth of 10 lots is 2, in lots of three 3. Ten seconds later the cooldown of 30 s
# still lasts: all 7 lots.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 200000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "policy": {"type": "schedule", "lot": 3, "qty_max": null, "cooldown_ns": 30000000000, "during": "whole"}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 91
> accepted carol #1 BTC buy 10 @ 91
at 10s
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #2 BTC sell 3 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 3 @ 91 fee 0 maker
> fill alice #2 BTC sell 3 @ 91 fee 0 closing
at 39s
pulse
> closing alice #3 BTC sell 7 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 7 @ 91 fee 0 maker
> fill alice #3 BTC sell 7 @ 91 fee 0 closing
> ended alice closed equity 10
check alice balance 10

story a cooldown may be waited for, and then the schedule goes on
# The pulse at 20 s comes too early: parked. The cooldown that began at 10 s is over at 40 s: a fifth of 7 lots in lots of three.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 200000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "policy": {"type": "schedule", "lot": 3, "qty_max": null, "cooldown_ns": 30000000000, "during": "wait"}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 91
> accepted carol #1 BTC buy 10 @ 91
at 10s
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #2 BTC sell 3 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 3 @ 91 fee 0 maker
> fill alice #2 BTC sell 3 @ 91 fee 0 closing
at 20s
pulse
check alice position BTC 7
at 39s
index BTC 93
> marked BTC 93 index 93
check alice position BTC 7
at 40s
index BTC 93
> marked BTC 93 index 93
> closing alice #3 BTC sell 3 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 3 @ 91 fee 0 maker
> fill alice #3 BTC sell 3 @ 91 fee 0 closing
check alice position BTC 4

story after the cooldown everything is closed if the schedule says so
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 200000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "policy": {"type": "schedule", "lot": 1, "qty_max": null, "cooldown_ns": 30000000000, "during": "wait_then_whole"}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 91
> accepted carol #1 BTC buy 10 @ 91
at 10s
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #2 BTC sell 2 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 2 @ 91 fee 0 maker
> fill alice #2 BTC sell 2 @ 91 fee 0 closing
at 39s
index BTC 93
> marked BTC 93 index 93
check alice position BTC 8
at 40s
index BTC 93
> marked BTC 93 index 93
> closing alice #3 BTC sell 8 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 8 @ 91 fee 0 maker
> fill alice #3 BTC sell 8 @ 91 fee 0 closing
> ended alice closed equity 10
check alice position BTC 0

story a cooldown outlives the liquidation that began it
# Alice recovers by a deposit after a slice of two lots. At 15 s she is in danger again and the cooldown still lasts: whole.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 200000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "policy": {"type": "schedule", "lot": 1, "qty_max": null, "cooldown_ns": 30000000000, "during": "whole"}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 89
> accepted carol #1 BTC buy 10 @ 89
buy carol BTC 2 @ 92
> accepted carol #2 BTC buy 2 @ 92
at 10s
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #3 BTC sell 2 @ 90 bankruptcy 90 own
> fill carol #2 BTC buy 2 @ 92 fee 0 maker
> fill alice #3 BTC sell 2 @ 92 fee 0 closing
deposit alice 20 USD
> deposited alice 20 USD
at 12s
index BTC 94
> marked BTC 94 index 94
> ended alice recovered equity 56
at 15s
index BTC 91
> marked BTC 91 index 91
> liquidation alice equity 32 below 37
> closing alice #4 BTC sell 8 @ 87 bankruptcy 87 own
> fill carol #1 BTC buy 8 @ 89 fee 0 maker
> fill alice #4 BTC sell 8 @ 89 fee 0 closing
> ended alice closed equity 16
check alice position BTC 0

story a slice leads down to the tier below
# From a notional of 500 the rate is 10 %, with a deduction of 25. At 93: 930, maintenance 68, equity 30. At most 499 fall in the
# tier below: 5 lots. So 5 lots are closed.
config unit
set markets.BTC.tiers [{"lower": 0, "initial_ppm": 50000, "maintenance_ppm": 50000}, {"lower": 500, "initial_ppm": 100000, "maintenance_ppm": 100000}]
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "policy": {"type": "tier"}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 92
> accepted carol #1 BTC buy 10 @ 92
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 68
> closing alice #2 BTC sell 5 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 5 @ 92 fee 0 maker
> fill alice #2 BTC sell 5 @ 92 fee 0 closing
> ended alice recovered equity 25
check alice position BTC 5

story a slice is as large as restores maintenance margin and a buffer
# At 93 with a buffer of 2 % of 930 (19): 47 + 19 - 30 = 36 is missing. A lot frees 7 % of 93, 6.51, less 1 % that the fund may take, 0.93: 5.58.
# 36 / 5.58 = 6.45: 6 lots.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 10000, "fund_limit_ppm": 100000, "policy": {"type": "restore", "buffer_ppm": 20000}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 93
> accepted carol #1 BTC buy 10 @ 93
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #2 BTC sell 6 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 6 @ 93 fee 0 maker
> fill alice #2 BTC sell 6 @ 93 fee 0 closing
> fund-received main alice BTC 6
> ended alice recovered equity 24
check alice position BTC 4

story a ramp lets more be closed as time passes
# As before without a fee: 36 / 6.51 = 5 lots. At once a tenth of the shortage may go: half a lot, none. After 40 of 100 seconds a half: 2 lots,
# which free 14. 20 seconds later 70 % of 36, the 14 counted: (0.7 x 36 - 14) / 22 = 0.51 of 3 lots: 1, where 70 % of 3 would be 2.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "policy": {"type": "ramp", "buffer_ppm": 20000, "duration_ns": 100000000000, "initial_ppm": 100000, "full_below": 0}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 93
> accepted carol #1 BTC buy 10 @ 93
at 10s
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
check alice position BTC 10
at 50s
index BTC 93
> marked BTC 93 index 93
> closing alice #2 BTC sell 2 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 2 @ 93 fee 0 maker
> fill alice #2 BTC sell 2 @ 93 fee 0 closing
check alice position BTC 8
at 70s
pulse
> closing alice #3 BTC sell 1 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 1 @ 93 fee 0 maker
> fill alice #3 BTC sell 1 @ 93 fee 0 closing
check alice position BTC 7

story the same share of every position is closed, for a penalty
# 10 BTC and 5 ETH at 90 need 45 + 23 = 68, and Alice has 50. A fifth leaves 54.4 of 50 - 6.8; two fifths 40.8 of 36.4; three 27.2 of 29.6,
# still above nine tenths; four 13.6 of 22.8. So 8 of 10 and 4 of 5 are closed; the penalty is 0.8 x 0.5 x 68 = 27.2, up to 28.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "policy": {"type": "portfolio_share", "step_ppm": 200000, "target_ppm": 900000, "penalty_ppm": 500000}}
set markets.ETH.liquidation {"enabled": true, "slice_ppm": 1, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "policy": {"type": "portfolio_share", "step_ppm": 200000, "target_ppm": 900000, "penalty_ppm": 500000}}
given alice 200
given bob 1000
given carol 2000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block ETH alice buys 5 @ 100 from bob
> fill alice ETH buy 5 @ 100 block
> fill bob ETH sell 5 @ 100 block
buy carol BTC 10 @ 90
> accepted carol #1 BTC buy 10 @ 90
buy carol ETH 10 @ 90
> accepted carol #2 ETH buy 10 @ 90
index ETH 90
> marked ETH 90 index 90
index BTC 90
> marked BTC 90 index 90
> liquidation alice equity 50 below 68
> closing alice #3 BTC sell 8 @ 87 bankruptcy 87 own
> fill carol #1 BTC buy 8 @ 90 fee 0 maker
> fill alice #3 BTC sell 8 @ 90 fee 0 closing
> closing alice #4 ETH sell 4 @ 87 bankruptcy 87 own
> fill carol #2 ETH buy 4 @ 90 fee 0 maker
> fill alice #4 ETH sell 4 @ 90 fee 0 closing
> fund-received main alice BTC 28
> ended alice recovered equity 22
check alice position BTC 2
check alice position ETH 1
check funds 28

story without a limit the book takes everything, and the fund pays what it can
# Bids at 88 and below, bankruptcy price 90. 10 lots fetch 870, 30 short of 900: the fund has 40 and pays 30.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 0, "limit": {"type": "none"}}
given alice 100
given bob 1000
given carol 1000
fund main 40
> funded main 40
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 5 @ 88
> accepted carol #1 BTC buy 5 @ 88
buy carol BTC 5 @ 86
> accepted carol #2 BTC buy 5 @ 86
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #3 BTC sell 10 @ 1 bankruptcy 90 own
> fill carol #1 BTC buy 5 @ 88 fee 0 maker
> fill alice #3 BTC sell 5 @ 88 fee 0 closing
> fill carol #2 BTC buy 5 @ 86 fee 0 maker
> fill alice #3 BTC sell 5 @ 86 fee 0 closing
> fund-paid main alice BTC 30
> ended alice closed equity 0
check funds 10
check alice balance 0

story what the fund cannot pay whole stays with the account
# The same with 29 in the fund: it pays nothing for the fills. Alice owes 30 then, of which it pays 29.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 0, "limit": {"type": "none"}}
given alice 100
given bob 1000
given carol 1000
fund main 29
> funded main 29
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 5 @ 88
> accepted carol #1 BTC buy 5 @ 88
buy carol BTC 5 @ 86
> accepted carol #2 BTC buy 5 @ 86
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #3 BTC sell 10 @ 1 bankruptcy 90 own
> fill carol #1 BTC buy 5 @ 88 fee 0 maker
> fill alice #3 BTC sell 5 @ 88 fee 0 closing
> fill carol #2 BTC buy 5 @ 86 fee 0 maker
> fill alice #3 BTC sell 5 @ 86 fee 0 closing
> fund-paid main alice BTC 29
> bad-debt alice 1
> ended alice bankrupt equity 0
check funds 0
check shortfall 1

story a fillable price is nearer to the mark than the bankruptcy price while margin is left
# At 93: 17 of 47 are lost; 1.5 x 47 x 17 / 47 = 25.5, 25, over 10 lots 2.5, 2: limit 91. A bid at 90, the bankruptcy price, is not
# taken.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 0, "limit": {"type": "fillable", "adjustment_ppm": 1000000, "spread_ppm": 1500000}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 90
> accepted carol #1 BTC buy 10 @ 90
buy carol BTC 4 @ 91
> accepted carol #2 BTC buy 4 @ 91
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #3 BTC sell 10 @ 91 bankruptcy 90 own
> fill carol #2 BTC buy 4 @ 91 fee 0 maker
> fill alice #3 BTC sell 4 @ 91 fee 0 closing
> cancelled alice #3 BTC sell 6 @ 91 rest
check alice position BTC 6

story beyond the bankruptcy price the fund backs a fillable price
# At 91: equity 10, maintenance 46, bankruptcy price 90. 36 of 46 are lost: 54, over 10 lots 5: limit 86. The first order goes to 90, the second
# to 86: 5 lots at 87 would cost 15, the fund has 10 and pays 3 lots.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 0, "limit": {"type": "fillable", "adjustment_ppm": 1000000, "spread_ppm": 1500000}}
given alice 100
given bob 1000
given carol 1000
fund main 10
> funded main 10
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 5 @ 90
> accepted carol #1 BTC buy 5 @ 90
buy carol BTC 5 @ 87
> accepted carol #2 BTC buy 5 @ 87
index BTC 91
> marked BTC 91 index 91
> liquidation alice equity 10 below 46
> closing alice #3 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 5 @ 90 fee 0 maker
> fill alice #3 BTC sell 5 @ 90 fee 0 closing
> cancelled alice #3 BTC sell 5 @ 90 rest
> closing alice #4 BTC sell 5 @ 86 bankruptcy 90 backed
> fill carol #2 BTC buy 3 @ 87 fee 0 maker
> fill alice #4 BTC sell 3 @ 87 fee 0 closing
> cancelled alice #4 BTC sell 2 @ 86 rest
> fund-paid main alice BTC 9
check funds 1
check alice position BTC 2

story the limit of an auction falls in steps
# Nine tenths every ten seconds from 1.1 x 93 = 102: 102, 91, 82. The bid at 90 is out of reach at 102 and 91.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 0, "limit": {"type": "dutch", "start_ppm": 1100000, "curve": {"type": "stairstep", "factor_ppm": 900000, "step_ns": 10000000000}}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 90
> accepted carol #1 BTC buy 10 @ 90
at 1s
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #2 BTC sell 10 @ 102 bankruptcy 90 own
> cancelled alice #2 BTC sell 10 @ 102 rest
at 11s
index BTC 93
> marked BTC 93 index 93
> closing alice #3 BTC sell 10 @ 91 bankruptcy 90 own
> cancelled alice #3 BTC sell 10 @ 91 rest
at 20s
index BTC 92
> marked BTC 92 index 92
> closing alice #4 BTC sell 10 @ 91 bankruptcy 90 own
> cancelled alice #4 BTC sell 10 @ 91 rest
at 21s
index BTC 92
> marked BTC 92 index 92
> closing alice #5 BTC sell 10 @ 82 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 90 fee 0 maker
> fill alice #5 BTC sell 10 @ 90 fee 0 closing
> ended alice closed equity 0

story the limit of a short's auction rises
# Mark 107 at the beginning, start 117: a short pays 214 - 117 = 97 at first, 214 - 87 = 127 after a quarter of 100 s.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 0, "limit": {"type": "dutch", "start_ppm": 1100000, "curve": {"type": "linear", "duration_ns": 100000000000}}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC bob buys 10 @ 100 from alice
> fill bob BTC buy 10 @ 100 block
> fill alice BTC sell 10 @ 100 block
sell carol BTC 10 @ 109
> accepted carol #1 BTC sell 10 @ 109
at 1s
index BTC 107
> marked BTC 107 index 107
> liquidation alice equity 30 below 54
> closing alice #2 BTC buy 10 @ 97 bankruptcy 110 own
> cancelled alice #2 BTC buy 10 @ 97 rest
at 26s
index BTC 107
> marked BTC 107 index 107
> closing alice #3 BTC buy 10 @ 127 bankruptcy 110 own
> fill carol #1 BTC sell 10 @ 109 fee 0 maker
> fill alice #3 BTC buy 10 @ 109 fee 0 closing
> ended alice closed equity 10

story the liquidator is paid first, then the fund for margin that was freed
# Bankruptcy price 90; 10 lots at 93 leave a surplus of 30. Liquidator: 1 % of 930, 10. Fund: 0.95 (5 % - 1 % - 17 / 930) of 930: 19.19, up to 20,
# within 2 % (18.6, up to 19).
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 20000, "fund_limit_ppm": 0, "fee_rule": {"type": "margin_left", "liquidator": 3, "liquidator_ppm": 10000}}
given alice 100
given bob 1000
given carol 1000
open dave
> opened dave
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 93
> accepted carol #1 BTC buy 10 @ 93
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 93 fee 0 maker
> fill alice #2 BTC sell 10 @ 93 fee 0 closing
> liquidator dave from alice BTC 10
> fund-received main alice BTC 19
> ended alice closed equity 1
check funds 19
check dave balance 10
check alice balance 1

story the fund's fee is no more than the liquidator left of the surplus
# At 91 the surplus is 10: 1 % of 910, up to 10, goes to the liquidator, and nothing is left for the fund.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 20000, "fund_limit_ppm": 0, "fee_rule": {"type": "margin_left", "liquidator": 3, "liquidator_ppm": 10000}}
given alice 100
given bob 1000
given carol 1000
open dave
> opened dave
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 91
> accepted carol #1 BTC buy 10 @ 91
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 91 fee 0 maker
> fill alice #2 BTC sell 10 @ 91 fee 0 closing
> liquidator dave from alice BTC 10
> ended alice closed equity 0
check funds 0
check dave balance 10
check alice balance 0

story the fund pays for what the backstop takes over at the mark
# At 85: equity -50, bankruptcy price 90, the mark is 5 below it. The fund of 23 pays for 4 lots; Bob is deleveraged for the other six.
config unit
set backstop 3
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "takeover": "mark"}
given alice 100
given bob 1000
given carol 1000
given dora 1000
fund main 23
> funded main 23
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 85
> accepted carol #1 BTC buy 10 @ 85
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #2 BTC sell 10 @ 90 rest
> taken alice BTC sell 4 @ 85 by dora
> fund-paid main alice BTC 20
> adl alice BTC sell 6 @ 90
> adl-fill bob BTC buy 6 @ 90 gives 30
> ended alice closed equity 0
check funds 3
check dora position BTC 4
check dora balance 1000
check bob position BTC -4
